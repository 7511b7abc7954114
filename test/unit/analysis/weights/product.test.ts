import fc from 'fast-check';
import { Matrix } from 'ml-matrix';
import { expect, test } from 'vitest';
import { product } from '../../../../src/analysis/weights/product';
import { Random } from '../../../../src/common/random';

function matrix(rows: number, columns: number, random: Random): Matrix {
  return new Matrix(rows, columns).apply(function (row, column) { this.set(row, column, random.normal()); });
}

test('multiplies matrices of any shape as the definition has it', () => {
  const size = fc.integer({ min: 1, max: 11 });
  fc.assert(fc.property(size, size, size, fc.nat(1000), (m, n, k, seed) => {
    const random = new Random(seed, 'product');
    const [left, right] = [matrix(m, n, random), matrix(n, k, random)];
    const result = product(left, right);
    for (let row = 0; row < m; row++) {
      for (let column = 0; column < k; column++) {
        const sum = left.getRow(row).reduce((total, value, at) => total + value * right.get(at, column), 0);
        expect(result.get(row, column)).toBeCloseTo(sum, 12);
      }
    }
    expect([result.rows, result.columns]).toEqual([m, k]);
  }));
});

test('refuses matrices that do not fit', () => {
  expect(() => product(Matrix.ones(2, 3), Matrix.ones(4, 2))).toThrow('a matrix of 3 columns does not fit one of 4 rows');
});
