/** A number as people read it: four significant digits, with a power of ten where it is very small or large. */
export function formatNumber(value: number, digits = 4): string {
  if (value === 0) return '0';
  const magnitude = Math.abs(value);
  if (Number.isInteger(value) && magnitude < 1e15) return grouped(String(value));
  if (magnitude < 1e-3 || magnitude >= 1e6) return value.toExponential(digits - 2).replace(/\.?0+e/, 'e').replace('e+', 'e').replace(/-/g, '−');
  const rounded = Number(value.toPrecision(digits));
  // An accuracy of 0.99997 is not 1.
  return grouped(String(Number.isInteger(rounded) && magnitude < 10 ? Number(value.toPrecision(digits + 3)) : rounded));
}

/** A number with as many digits as it takes to see that `holds` holds of it, or does not: 0.98997 is not yet 0.99. */
export function formatDecisively(value: number, holds: (value: number) => boolean): string {
  const text = [4, 6, 9].map(digits => formatNumber(value, digits)).find(shown => holds(numberIn(shown)) === holds(value));
  return text ?? String(value);
}

/** The number that {@link formatNumber} wrote. */
function numberIn(text: string): number {
  return Number(text.replaceAll('−', '-').replaceAll('\u202f', ''));
}

/** A fraction as a percentage that never rounds up to a whole it has not reached: 0.99996 is `99.99 %`. */
export function formatPercent(fraction: number): string {
  const percent = fraction === 1 ? 100 : Math.floor(fraction * 10_000 + 1e-9) / 100;
  return `${percent} %`;
}

/** Seconds as `0.32 ms`, `24 ms`, `8.1 s`, `3 min 20 s` or `2 h 5 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 1) return `${Number((seconds * 1000).toPrecision(2))} ms`;
  if (seconds < 59.95) return `${Number(seconds.toPrecision(3))} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** A minus sign, and thin spaces between thousands from five digits on. */
function grouped(text: string): string {
  const [whole = '', fraction] = text.replace('-', '').split('.');
  const spaced = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, '\u202f') : whole;
  return `${text.startsWith('-') ? '−' : ''}${spaced}${fraction === undefined ? '' : `.${fraction}`}`;
}
