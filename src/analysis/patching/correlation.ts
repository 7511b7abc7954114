/** Pearson's correlation of as many numbers; 0 where either are all the same, which correlates with nothing. */
export function pearson(xs: ArrayLike<number>, ys: ArrayLike<number>): number {
  const [x, y] = [deviations(xs), deviations(ys)];
  const product = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
  const scale = Math.sqrt(product(x, x)) * Math.sqrt(product(y, y));
  return scale > 0 ? product(x, y) / scale : 0;
}

function deviations(given: ArrayLike<number>): readonly number[] {
  const values = Array.from(given);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map(value => value - mean);
}
