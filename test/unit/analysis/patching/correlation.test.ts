import { describe, expect, test } from 'vitest';
import { pearson } from '../../../../src/analysis/patching/correlation';

describe("Pearson's correlation", () => {
  test.each([
    ['of a line is 1', [1, 2, 4], [3, 5, 9], 1],
    ['of a falling line is -1', [1, 2, 4], [-1, -2, -4], -1],
    ['of numbers by hand', [1, 2, 3, 4], [1, 3, 2, 4], 0.8],
    ['of small numbers is that of large ones', [1e-9, 2e-9, 3e-9, 4e-9], [1e9, 3e9, 2e9, 4e9], 0.8],
  ])('%s', (_, xs, ys, expected) => {
    expect(pearson(xs, ys)).toBeCloseTo(expected, 12);
  });

  test.each([
    ['with the same everywhere', [1, 2, 3], [5, 5, 5]],
    ['with what float32 leaves of the same', [1, 2, 3], [5 - 1e-7, 5, 5 + 1e-7]],
    ['with zeros', [0, 0, 0], [1, 2, 3]],
    ['of nothing', [], []],
    ['of one', [1], [2]],
  ])('%s is not known', (_, xs, ys) => {
    expect(pearson(xs, ys)).toBeUndefined();
  });
});
