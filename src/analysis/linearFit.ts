/** `slope · x + intercept` */
export interface Line {
  readonly slope: number;
  readonly intercept: number;
}

/** The line of least squares through the points (x, y): of slope 0 where all x are the same. */
export function fittedLine(x: readonly number[], y: readonly number[]): Line {
  const n = x.length;
  const [meanX, meanY] = [x, y].map(values => values.reduce((sum, value) => sum + value, 0) / n) as [number, number];
  let [products, squares] = [0, 0];
  x.forEach((value, at) => {
    products += (value - meanX) * ((y[at] ?? 0) - meanY);
    squares += (value - meanX) ** 2;
  });
  const slope = squares > 0 ? products / squares : 0;
  return { slope, intercept: meanY - slope * meanX };
}

export function onLine({ slope, intercept }: Line, x: number): number {
  return slope * x + intercept;
}

/** What float32 leaves of a difference between equal numbers, over their size. */
const rounding = 1e-6;

/**
 * The share of the variance of `actual` that `fitted` explains: one less the mean square of what is left over the variance. Where
 * `actual` does not vary beyond the rounding of float32 it is 1 when the fit is as close, and 0 otherwise.
 */
export function explainedShare(actual: readonly number[], fitted: readonly number[]): number {
  const center = actual.reduce((sum, value) => sum + value, 0) / actual.length;
  const sumOf = (term: (value: number, at: number) => number) => actual.reduce((sum, value, at) => sum + term(value, at) ** 2, 0);
  const [left, variance, size] = [sumOf((value, at) => value - (fitted[at] ?? 0)), sumOf(value => value - center), sumOf(value => value)];
  const least = rounding ** 2 * size;
  if (variance > least) return 1 - left / variance;
  return left <= least ? 1 : 0;
}
