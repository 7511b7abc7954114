import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gini } from '../../../../src/analysis/fourier/gini';

/** Half the mean difference of any two of the numbers, over their mean. */
function byDifferences(values: readonly number[]): number {
  const differences = values.flatMap(one => values.map(other => Math.abs(one - other))).reduce((sum, value) => sum + value, 0);
  return differences / (2 * values.length * values.reduce((sum, value) => sum + value, 0));
}

describe('the Gini coefficient', () => {
  test('is 0 of equal numbers, and 1 − 1/n where one is everything', () => {
    expect(gini([3, 3, 3, 3])).toBeCloseTo(0, 12);
    expect(gini([0, 0, 7, 0])).toBeCloseTo(3 / 4, 12);
    expect(gini([1, 2, 3])).toBeCloseTo(2 / 9, 12);
  });

  test('is 0 of nothing, of zeros and of a single number', () => {
    expect([gini([]), gini([0, 0]), gini([5])]).toEqual([0, 0, 0]);
  });

  test('is half the mean difference over the mean, whatever the order and the scale', () => {
    fc.assert(fc.property(fc.array(fc.double({ min: 1e-3, max: 1e3, noNaN: true }), { minLength: 1, maxLength: 30 }), values => {
      expect(gini(values)).toBeCloseTo(byDifferences(values), 9);
      expect(gini(values.map(value => value * 1e-9).reverse())).toBeCloseTo(byDifferences(values), 9);
    }));
  });

  test('leaves the numbers as they are', () => {
    const values = Float64Array.of(3, 1, 2);
    gini(values);
    expect([...values]).toEqual([3, 1, 2]);
  });
});
