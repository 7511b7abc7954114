import { Matrix } from 'ml-matrix';
import { describe, expect, test } from 'vitest';
import { cosinesOf } from '../../../src/analysis/cosines';
import { expectClose } from '../../support/close';

describe('cosines of rows', () => {
  test('are those of the angles between them, whatever their lengths', () => {
    const angles = [0, 30, 90, 180, 300];
    const rows = angles.map((angle, at) => [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)].map(value => value * 10 ** (at - 2)));
    expectClose(cosinesOf(new Matrix(rows)).to1DArray(), angles.flatMap(one => angles.map(other => Math.cos(((one - other) * Math.PI) / 180))), { absolute: 1e-12 });
  });

  test('are 1 of two rows of zeros, which are the same, and 0 of zeros and others', () => {
    expect(cosinesOf(new Matrix([[0, 0], [3, 4], [0, 0]])).to2DArray()).toEqual([[1, 0, 1], [0, expect.closeTo(1, 12), 0], [1, 0, 1]]);
  });
});
