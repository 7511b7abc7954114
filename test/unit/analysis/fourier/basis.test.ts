import { describe, expect, test } from 'vitest';
import { allFrequencies, fourierBasis, sumByFrequency } from '../../../../src/analysis/fourier/basis';

describe('the Fourier basis', () => {
  test.each([2, 3, 4, 13, 14, 113])('is orthonormal modulo %i, with each frequency once', p => {
    const { vectors, names, frequencies } = fourierBasis(p);
    const products = vectors.mmul(vectors.transpose());
    for (let row = 0; row < p; row++) {
      for (let column = 0; column < p; column++) expect(Math.abs(products.get(row, column) - Number(row === column))).toBeLessThan(1e-12);
    }
    expect(new Set(names).size).toBe(p);
    expect([...new Set(frequencies)]).toEqual([0, ...allFrequencies(p)]);
  });

  test('of an even number ends with the alternating signs, which have no sine', () => {
    const { vectors, names, frequencies } = fourierBasis(6);
    expect(names).toEqual(['constant', 'cos 1', 'sin 1', 'cos 2', 'sin 2', 'cos 3']);
    expect(frequencies).toEqual([0, 1, 1, 2, 2, 3]);
    expect(vectors.getRow(5).map(value => Math.round(value * Math.sqrt(6) * 1e9) / 1e9)).toEqual([1, -1, 1, -1, 1, -1]);
  });

  test('holds the waves by their definition', () => {
    const { vectors } = fourierBasis(13);
    for (let n = 0; n < 13; n++) {
      expect(vectors.get(7, n)).toBeCloseTo(Math.cos((2 * Math.PI * 4 * n) / 13) * Math.sqrt(2 / 13), 12);
      expect(vectors.get(8, n)).toBeCloseTo(Math.sin((2 * Math.PI * 4 * n) / 13) * Math.sqrt(2 / 13), 12);
    }
  });

  test('sums by frequency leave the constant out', () => {
    expect([...sumByFrequency(fourierBasis(6), [100, 1, 2, 3, 4, 5])]).toEqual([3, 7, 5]);
  });
});
