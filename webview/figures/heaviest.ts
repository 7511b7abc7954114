/** So many are named at most; the table has all of them. */
const mostNamed = 8;

/** The heaviest by name, the heaviest first; `nothing` where there is none. */
export function nameHeaviest<T extends { readonly weight: number }>(all: readonly T[], name: (each: T) => string): string {
  if (all.length === 0) return 'nothing';
  const named = [...all].sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight)).slice(0, mostNamed).map(name);
  return `${named.join(', ')}${all.length > mostNamed ? ` and ${all.length - mostNamed} more` : ''}`;
}
