import { Matrix, solve } from 'ml-matrix';
import { describe, expect, test } from 'vitest';
import { explainedShare, fittedLine, onLine } from '../../../src/analysis/linearFit';
import { Draw } from '../../support/draw';
import { expectClose } from '../../support/close';

const drawn = (name: string, count: number) => [...new Draw(name).float32([count]).data];

describe('a fitted line', () => {
  test('is what the normal equations have for a solution', () => {
    const [x, noise] = [drawn('x', 40).map(value => 60 + 20 * value), drawn('y', 40)];
    const y = x.map((value, at) => -0.3 * value + 7 + (noise[at] ?? NaN));
    const design = new Matrix(x.map(value => [value, 1]));
    const solution = solve(design.transpose().mmul(design), design.transpose().mmul(Matrix.columnVector(y))).to1DArray();
    const { slope, intercept } = fittedLine(x, y);
    expectClose([slope, intercept], solution, { relative: 1e-9 });
  });

  test('leaves more over when it is turned or moved', () => {
    const [x, y] = [drawn('a', 20), drawn('b', 20)];
    const line = fittedLine(x, y);
    const left = (slope: number, intercept: number) => x.reduce((sum, value, at) => sum + ((y[at] ?? NaN) - slope * value - intercept) ** 2, 0);
    const least = left(line.slope, line.intercept);
    for (const [turn, move] of [[0.01, 0], [-0.01, 0], [0, 0.01], [0, -0.01]] as const) expect(left(line.slope + turn, line.intercept + move)).toBeGreaterThan(least);
  });

  test('through points at one place is level', () => {
    expect(fittedLine([4, 4, 4], [1, 2, 6])).toEqual({ slope: 0, intercept: 3 });
    expect(fittedLine([0], [-2.5])).toEqual({ slope: 0, intercept: -2.5 });
  });
});

describe('the explained share of the variance', () => {
  test('loses no digits to the size of the numbers', () => {
    const values = drawn('e', 200);
    const fitted = values.map((value, at) => value + 0.1 * Math.sin(at));
    const share = explainedShare(values, fitted);
    expect(share).toBeLessThan(0.999);
    // As float64 has them, sums of squares of these would have lost eight digits of sixteen.
    expectClose([explainedShare(values.map(value => value + 1e4), fitted.map(value => value + 1e4))], [share], { absolute: 1e-9 });
  });

  test('is the squared correlation of x and y for the line of least squares', () => {
    const [x, y] = [drawn('c', 30), drawn('d', 30).map((value, at) => value + at / 5)];
    const line = fittedLine(x, y);
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const covariance = (a: readonly number[], b: readonly number[]) => mean(a.map((value, at) => (value - mean(a)) * ((b[at] ?? NaN) - mean(b))));
    expectClose([explainedShare(y, x.map(value => onLine(line, value)))], [covariance(x, y) ** 2 / covariance(x, x) / covariance(y, y)], { relative: 1e-9 });
  });

  test('is 0 for the mean, and below for what is worse', () => {
    expect(explainedShare([1, 2, 3], [2, 2, 2])).toBe(0);
    expect(explainedShare([1, 2, 3], [3, 2, 1])).toBe(-3);
  });

  test('of what does not vary is all or nothing', () => {
    expect(explainedShare([5, 5, 5], [5, 5, 5])).toBe(1);
    // What float32 leaves of equal numbers is no variance.
    expect(explainedShare([5, 5 + 1e-7, 5 - 1e-7], [5, 5, 5])).toBe(1);
    expect(explainedShare([5, 5, 5], [5, 6, 5])).toBe(0);
    expect(explainedShare([0, 0], [0, 0])).toBe(1);
  });
});
