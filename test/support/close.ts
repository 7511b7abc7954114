import { expect } from 'vitest';

export interface Tolerance {
  /** Of the expected number's size. */
  readonly relative?: number;
  /** Added to the relative part. */
  readonly absolute?: number;
}

/**
 * Expects numbers to be as many as, and close to, others. Infinities must be the same ones; NaN is close to nothing, so
 * that no test can pass on it.
 */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { relative = 0, absolute = 0 }: Tolerance,
  what = '',
): void {
  expect(actual.length, `${what} length`).toBe(expected.length);
  let worst: { readonly at: number; readonly excess: number } | undefined;
  for (let at = 0; at < expected.length; at++) {
    const [a = Number.NaN, e = Number.NaN] = [actual[at], expected[at]];
    if (a === e) continue;
    const excess = Math.abs(a - e) - (absolute + relative * Math.abs(e));
    if (excess <= 0) continue;
    if (!worst || !(excess <= worst.excess)) worst = { at, excess };
  }
  if (!worst) return;
  const [a, e] = [actual[worst.at], expected[worst.at]];
  expect.fail(
    `${what === '' ? '' : `${what}: `}${a} is not ${e} at ${worst.at} of ${expected.length}, within ${absolute} + ${relative} · |${e}|`,
  );
}

/**
 * Expects `actual` within `tolerance` of the largest finite number in `expected`, everywhere: for sums of terms of that
 * size.
 */
export function expectCloseToScale(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what = '',
): void {
  const scale = Array.from(expected).reduce(
    (most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most),
    0,
  );
  expectClose(actual, expected, { absolute: tolerance * Math.max(scale, 1e-30) }, what);
}
