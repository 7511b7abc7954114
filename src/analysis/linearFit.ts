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
export const rounding = 1e-6;

/**
 * The share of the variance of actual values that fitted ones explain: one less the mean square of what is left over the variance.
 * Where the actual ones do not vary beyond the rounding of float32 it is 1 when the fit is as close, and 0 otherwise. Values are
 * counted one by one and not kept, as there may be millions; their variance is Welford's (1962), which loses no digits to their size.
 */
export class ExplainedVariance {
  private count = 0;
  private center = 0;
  private squares = 0;
  private left = 0;
  private size = 0;

  add(actual: number, fitted: number): void {
    this.count++;
    const distance = actual - this.center;
    this.center += distance / this.count;
    this.squares += distance * (actual - this.center);
    this.left += (actual - fitted) ** 2;
    this.size += actual ** 2;
  }

  get share(): number {
    const least = rounding ** 2 * this.size;
    if (this.squares > least) return 1 - this.left / this.squares;
    return this.left <= least ? 1 : 0;
  }
}

/** The share of the variance of `actual` that `fitted` explains, as {@link ExplainedVariance} has it. */
export function explainedShare(actual: readonly number[], fitted: readonly number[]): number {
  const explained = new ExplainedVariance();
  actual.forEach((value, at) => explained.add(value, fitted[at] ?? 0));
  return explained.share;
}
