import { Matrix } from 'ml-matrix';
import { describe, expect, test } from 'vitest';
import type { Circuit } from '../../../../src/analysis/weights/circuit';
import { eigenvalueScore, lowRankFigures, singularDirections, topSingularShare } from '../../../../src/analysis/weights/lowRank';
import type { TableFigure } from '../../../../src/protocol/figure';
import { expectClose } from '../../../support/close';
import { Draw } from '../../../support/draw';

function drawn(rows: number, columns: number, seed = 1): Matrix {
  return Matrix.from1DArray(rows, columns, new Draw(`${rows} ${columns}`, seed).float32([rows, columns]).data);
}

/** A circuit of two factors, or of a single matrix. */
function circuitOf(left: Matrix, right?: Matrix): Circuit {
  const values = right ? left.mmul(right) : left;
  const axis = (kind: 'vocabulary' | 'outputs', count: number) => ({ kind, total: count, names: Array.from({ length: count }, (_, at) => `${kind.charAt(0)}${at}`) });
  return { rows: axis('vocabulary', values.rows), columns: axis('outputs', values.columns), left, right, values };
}

/** The same product, as a single matrix. */
function whole({ values }: Circuit): Circuit {
  return circuitOf(values);
}

const numbersOf = (matrix: Matrix) => matrix.to1DArray();

describe('singular directions', () => {
  test.each([
    ['through a narrow middle', circuitOf(drawn(9, 3), drawn(3, 7))],
    ['through a wide middle', circuitOf(drawn(5, 12), drawn(12, 4))],
    ['of fewer rows than columns', circuitOf(drawn(4, 6), drawn(6, 9))],
    ['of a single matrix', circuitOf(drawn(4, 6))],
    ['of a single row', circuitOf(drawn(1, 3), drawn(3, 5))],
    ['of a middle of one', circuitOf(drawn(6, 1), drawn(1, 5))],
  ])('%s give the product back, and are orthonormal', (_, circuit) => {
    const { values, input, output } = singularDirections(circuit);
    expect(values).toEqual([...values].sort((a, b) => b - a));
    const back = input.mmul(Matrix.diag([...values])).mmul(output.transpose());
    expectClose(numbersOf(back), numbersOf(circuit.values), { absolute: 1e-12 });
    const identity = numbersOf(Matrix.eye(values.length));
    expectClose(numbersOf(input.transpose().mmul(input)), identity, { absolute: 1e-12 });
    expectClose(numbersOf(output.transpose().mmul(output)), identity, { absolute: 1e-12 });
    for (let at = 0; at < values.length; at++) {
      const column = input.getColumn(at);
      expect(Math.max(...column)).toBe(Math.max(...column.map(Math.abs)));
    }
  });

  test('of a product of rank one hold all of it; of zeros, nothing', () => {
    expect(topSingularShare(singularDirections(circuitOf(drawn(6, 1), drawn(1, 5))))).toBeCloseTo(1, 12);
    expect(topSingularShare(singularDirections(circuitOf(Matrix.zeros(6, 2), drawn(2, 5))))).toBe(0);
    expect(topSingularShare(singularDirections(circuitOf(Matrix.diag([2, 1, 1]))))).toBeCloseTo(4 / 6, 12);
  });

  test('are read out in the words furthest to either side, reading beside writing', () => {
    const left = Matrix.columnVector([0, 3, -2, 0, 1]);
    const right = Matrix.rowVector([0, -4, 1]);
    const circuit = circuitOf(left, right);
    const [, table] = lowRankFigures(circuit, singularDirections(circuit), 1) as [unknown, TableFigure];
    const [row = []] = table.rows;
    expect(row.slice(3)).toEqual(['v1  v4', 'o2', 'v2', 'o1']);
    expect(row[1]).toBeCloseTo(Math.sqrt(14 * 17), 10);
  });
});

describe('the eigenvalue score', () => {
  const pairs = (count: number) => new Map(Array.from({ length: count }, (_, at) => [at, at]));

  test('is the same of a narrow product and of the whole one', () => {
    for (const seed of [1, 2, 3]) {
      const circuit = circuitOf(drawn(9, 3, seed), drawn(3, 8, seed));
      expect(eigenvalueScore(circuit, pairs(8))).toBeCloseTo(eigenvalueScore(whole(circuit), pairs(8)) ?? Number.NaN, 6);
    }
  });

  test('is 1 of positive, −1 of negative, and 0 of balanced or imaginary eigenvalues', () => {
    expect(eigenvalueScore(circuitOf(new Matrix([[2, 1], [0, 3]])), pairs(2))).toBeCloseTo(1, 12);
    expect(eigenvalueScore(circuitOf(new Matrix([[-2, 1], [0, -3]])), pairs(2))).toBeCloseTo(-1, 12);
    expect(eigenvalueScore(circuitOf(new Matrix([[1, 5], [0, -1]])), pairs(2))).toBeCloseTo(0, 12);
    expect(eigenvalueScore(circuitOf(new Matrix([[0, 1], [-1, 0]])), pairs(2))).toBeCloseTo(0, 12);
    expect(eigenvalueScore(circuitOf(new Matrix([[1, -1], [1, 1]])), pairs(2))).toBeCloseTo(Math.SQRT1_2, 12);
    expect(eigenvalueScore(circuitOf(Matrix.zeros(2, 2)), pairs(2))).toBe(0);
  });

  test('takes each row with the column that it is paired with', () => {
    const shifted = circuitOf(new Matrix([[0, 0, 1], [1, 0, 0], [0, 1, 0]]));
    expect(eigenvalueScore(shifted, new Map([[0, 2], [1, 0], [2, 1]]))).toBeCloseTo(1, 12);
    expect(eigenvalueScore(shifted, new Map())).toBeUndefined();
  });
});
