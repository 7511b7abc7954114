import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CancelledError } from '../../../src/common/errors';
import { tensorStatistics, type Numbers } from '../../../src/engine/tensorStatistics';
import type { TensorStatistics } from '../../../src/protocol/checkpointFile';

function numbers(values: ArrayLike<number>, whole = false): Numbers {
  return { elements: values.length, whole, read: async (from, count) => Array.from({ length: count }, (_, i) => values[from + i] ?? Number.NaN) };
}

/** The same by exact arithmetic of fractions: every float64 is a whole number of 2⁻¹⁰⁷⁴. */
function exactly(values: readonly number[]): { readonly mean: number; readonly variance: number } {
  const units = values.map(value => fraction(value));
  const n = BigInt(units.length);
  const sum = units.reduce((total, each) => total + each, 0n);
  // n² times the variance: n Σx² - (Σx)².
  const squares = n * units.reduce((total, each) => total + each * each, 0n) - sum * sum;
  return { mean: ratio(sum, n << 1074n), variance: ratio(squares, (n * n) << 2148n) };
}

function fraction(value: number): bigint {
  const bits = new BigUint64Array(new Float64Array([value]).buffer)[0] ?? 0n;
  const exponent = (bits >> 52n) & 0x7ffn;
  const digits = (bits & 0xfffffffffffffn) | (exponent === 0n ? 0n : 1n << 52n);
  return (value < 0 ? -1n : 1n) * (digits << (exponent === 0n ? 0n : exponent - 1n));
}

/** The quotient to 60 bits, which are more than a float64 has. */
function ratio(above: bigint, below: bigint): number {
  if (above === 0n) return 0;
  const size = above < 0n ? -above : above;
  const shift = BigInt(size.toString(2).length - below.toString(2).length) - 60n;
  const digits = shift < 0n ? (size << -shift) / below : size / (below << shift);
  // In two steps: the power of two alone may be out of range.
  return (above < 0n ? -1 : 1) * Number(digits) * 2 ** -60 * 2 ** (Number(shift) + 60);
}

/** Relative to the largest of the numbers. */
function expectClose(found: number | undefined, expected: number, size: number): void {
  expect(Math.abs((found ?? Number.NaN) - expected)).toBeLessThanOrEqual(1e-12 * (size || 1));
}

describe('the statistics of a tensor', () => {
  test('are those of its numbers', async () => {
    expect(await tensorStatistics(numbers([1, 2, 3, 4, 0, -0]))).toMatchObject({
      elements: 6, sampled: 6, nan: 0, positiveInfinities: 0, negativeInfinities: 0, zeros: 2, minimum: 0, maximum: 4, mean: 10 / 6,
    });
    // Σx² / n - mean² = 30/6 - 25/9.
    expectClose((await tensorStatistics(numbers([1, 2, 3, 4, 0, 0]))).standardDeviation, Math.sqrt(5 - 25 / 9), 4);
  });

  test('leave out what is not finite, and count it', async () => {
    const found = await tensorStatistics(numbers([Number.NaN, 1, Infinity, 3, -Infinity, Number.NaN, Infinity]));
    expect(found).toMatchObject({ nan: 2, positiveInfinities: 2, negativeInfinities: 1, minimum: 1, maximum: 3, mean: 2, standardDeviation: 1 });
    expect(found.histogram.reduce((sum, count) => sum + count, 0)).toBe(2);
  });

  test('of nothing finite have no mean, minimum or bins', async () => {
    for (const values of [[], [Number.NaN, Infinity]]) {
      const found = await tensorStatistics(numbers(values));
      expect(Object.keys(found)).not.toEqual(expect.arrayContaining(['mean']));
      expect(found).toMatchObject({ elements: values.length, histogram: [] });
      expect(found.minimum).toBeUndefined();
    }
  });

  test('of one number again and again have no deviation, and one bin', async () => {
    expect(await tensorStatistics(numbers(new Float64Array(1000).fill(0.1)))).toMatchObject({ mean: 0.1, standardDeviation: 0, minimum: 0.1, maximum: 0.1, histogram: [1000] });
  });

  test('have a bin for each of a few whole numbers, so that no bin between is empty', async () => {
    expect((await tensorStatistics(numbers([0, 1, 1, 5, 5, 5], true))).histogram).toEqual([1, 2, 0, 0, 0, 3]);
    expect((await tensorStatistics(numbers([0, 1, 1], true))).histogram).toEqual([1, 2]);
  });

  test('have more bins the more numbers there are, up to 64', async () => {
    const bins = async (elements: number, whole = false) => (await tensorStatistics(numbers(Float64Array.from({ length: elements }, (_, i) => i * 1000), whole))).histogram.length;
    // Twice the cube root.
    expect(await Promise.all([2, 27, 1000, 32_768, 100_000].map(elements => bins(elements)))).toEqual([4, 6, 20, 64, 64]);
    expect(await bins(27, true)).toBe(6);
  });

  test.each([
    ['very large', [1.7e308, -1.7e308, 1.7e308, 1.2e308]],
    ['very small', [3e-310, -2e-310, 1e-320, 5e-324]],
    ['far from 0 and close together', [1e9, 1e9 + 1e-6, 1e9 - 1e-6, 1e9 + 2e-6]],
  ])('do not overflow, vanish or cancel where numbers are %s', async (_, values) => {
    const found = await tensorStatistics(numbers(values));
    const { mean, variance } = exactly(values);
    const size = Math.max(...values.map(Math.abs));
    expectClose(found.mean, mean, size);
    if (Number.isFinite(variance) && variance > 0) expect(found.standardDeviation).toBeCloseTo(Math.sqrt(variance), 12);
    expect(Number.isFinite(found.standardDeviation)).toBe(true);
    expect(found.standardDeviation).toBeGreaterThan(0);
    expect(found.histogram.reduce((sum, count) => sum + count, 0)).toBe(values.length);
  });

  test('are right for any numbers', async () => {
    const any = fc.array(fc.oneof(fc.float(), fc.double(), fc.constantFrom(0, 1, -1, 1e-300, 1e300)), { minLength: 1, maxLength: 60 });
    await fc.assert(fc.asyncProperty(any, async values => {
      const found = await tensorStatistics(numbers(values));
      const finite = values.filter(Number.isFinite);
      expect(found.nan + found.positiveInfinities + found.negativeInfinities + finite.length).toBe(values.length);
      if (finite.length === 0) return;
      const size = Math.max(...finite.map(Math.abs));
      const { mean, variance } = exactly(finite);
      expect(found).toMatchObject({ minimum: Math.min(...finite) + 0, maximum: Math.max(...finite) + 0 });
      expectClose(found.mean, mean, size);
      // Near 10⁻¹⁶⁰ and 10¹⁵⁴ a variance is out of range, where a deviation is not.
      if (size > 1e-140 && size < 1e140) expect(Math.abs((found.standardDeviation ?? 0) - Math.sqrt(variance))).toBeLessThanOrEqual(1e-7 * size);
      expect(found.histogram.reduce((sum, count) => sum + count, 0)).toBe(finite.length);
      expectBins(finite, found);
    }), { numRuns: 500, seed: 8 });
  });

  test('read the file in pieces, from the first element to the last, no element twice at once', async () => {
    const asked: [number, number][] = [];
    const found = await tensorStatistics({ elements: 5_000_000, whole: true, read: async (from, count) => {
      asked.push([from, count]);
      return Array.from({ length: count }, (_, i) => (from + i) % 3);
    } });
    expect(found).toMatchObject({ elements: 5_000_000, sampled: 5_000_000, minimum: 0, maximum: 2, zeros: 1_666_667, histogram: [1_666_667, 1_666_667, 1_666_666] });
    expectClose(found.mean, (1_666_667 + 2 * 1_666_666) / 5_000_000, 2);
    const once = asked.slice(0, asked.length / 2);
    expect(asked.slice(asked.length / 2)).toEqual(once);
    expect(once.reduce((end, [from, count]) => (expect(from).toBe(end), from + count), 0)).toBe(5_000_000);
  });

  test('of a very large tensor are those of evenly spread elements, and say so', async () => {
    const elements = 8e9;
    let [read, last, most] = [0, 0, 0];
    const found = await tensorStatistics({ elements, whole: false, read: async (from, count) => {
      read += count;
      most = Math.max(most, from - last);
      last = from + count;
      return Float64Array.from({ length: count }, (_, i) => (from + i) / elements);
    } });
    expect(found.elements).toBe(elements);
    expect(found.sampled).toBe(read);
    expect(read).toBeLessThan(5_000_000);
    expect(last).toBe(elements);
    // No gap is much wider than others.
    expect(most).toBeLessThan(elements / 1000);
    // Evenly from 0 to 1: a mean of 1/2 and a deviation of 1/√12.
    expect(found.mean).toBeCloseTo(0.5, 4);
    expect(found.standardDeviation).toBeCloseTo(Math.sqrt(1 / 12), 3);
  });

  test('stop when nobody waits for them any more', async () => {
    const controller = new AbortController();
    let reads = 0;
    const given = tensorStatistics({ elements: 40_000_000, whole: true, read: async (_, count) => {
      if (++reads === 2) controller.abort();
      return new Int32Array(count);
    } }, controller.signal);
    await expect(given).rejects.toBeInstanceOf(CancelledError);
    expect(reads).toBe(2);
  });
});

/** Every bin has about what lies between its edges: rounding may move what lies on an edge to the bin beside it. */
function expectBins(values: readonly number[], { minimum = 0, maximum = 0, histogram }: TensorStatistics): void {
  const width = maximum / 2 - minimum / 2;
  if (width === 0) return;
  const places = values.map(value => (value / 2 - minimum / 2) / width * histogram.length);
  histogram.forEach((count, bin) => {
    const within = (slack: number) => places.filter(place => place > bin - slack && (place < bin + 1 + slack || bin === histogram.length - 1)).length;
    expect(count).toBeGreaterThanOrEqual(within(-1e-6));
    expect(count).toBeLessThanOrEqual(within(1e-6));
  });
}
