import { rounding } from '../linearFit';

/** Pearson's correlation of as many numbers; undefined where either do not vary beyond the rounding of float32. */
export function pearson(xs: ArrayLike<number>, ys: ArrayLike<number>): number | undefined {
  const [x, y] = [deviations(xs), deviations(ys)];
  return x && y && product(x, y) / Math.sqrt(product(x, x)) / Math.sqrt(product(y, y));
}

/** From the mean; undefined where they are nothing but rounding. */
function deviations(given: ArrayLike<number>): readonly number[] | undefined {
  const values = Array.from(given);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const distances = values.map(value => value - mean);
  return product(distances, distances) > rounding ** 2 * product(values, values) ? distances : undefined;
}

function product(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
}
