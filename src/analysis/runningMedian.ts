/** The median of each value and its two neighbours on either side; of fewer at the ends, as many on either side. */
export function runningMedian(curve: readonly number[]): readonly number[] {
  return curve.map((_, index) => {
    const reach = Math.min(2, index, curve.length - 1 - index);
    const window = curve.slice(index - reach, index + reach + 1).sort((a, b) => a - b);
    return window[reach] ?? NaN;
  });
}
