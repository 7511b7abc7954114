import { UnknownNameError } from './errors';

/** Edit distance (insert, delete, replace; Levenshtein 1966) between two names, ignoring case. */
export function editDistance(a: string, b: string): number {
  const [s, t] = [a.toLowerCase(), b.toLowerCase()];
  let row = Array.from({ length: t.length + 1 }, (_, j) => j);
  for (let i = 1; i <= s.length; i++) {
    const next = [i];
    for (let j = 1; j <= t.length; j++) {
      const replace = (row[j - 1] ?? 0) + (s[i - 1] === t[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[t.length] ?? 0;
}

/** The names closest to `name`, nearest first: those that contain it, or are at most half rewritten. */
export function nearestNames(name: string, known: readonly string[], most = 3): string[] {
  return known
    .map(candidate => ({ candidate, distance: editDistance(name, candidate), contains: contains(candidate, name) }))
    .filter(({ candidate, distance, contains }) => contains || distance <= Math.max(name.length, candidate.length) / 2)
    .sort((a, b) => Number(b.contains) - Number(a.contains) || a.distance - b.distance)
    .slice(0, most)
    .map(({ candidate }) => candidate);
}

function contains(candidate: string, name: string): boolean {
  return name.length > 2 && candidate.toLowerCase().includes(name.toLowerCase());
}

/** The error for a name that does not exist: `There is no hook "x"; the nearest are "a" and "b".` */
export function unknownName(what: string, name: string, known: readonly string[]): UnknownNameError {
  const near = nearestNames(name, known);
  const hint = near.length > 0
    ? `; the nearest ${near.length > 1 ? 'are' : 'is'} ${near.map(n => `"${n}"`).join(', ')}.`
    : known.length === 0 ? '.' : `; there ${known.length > 1 ? 'are' : 'is'} ${known.slice(0, 8).map(n => `"${n}"`).join(', ')}${known.length > 8 ? ', …' : '.'}`;
  return new UnknownNameError(`There is no ${what} "${name}"${hint}`, near);
}
