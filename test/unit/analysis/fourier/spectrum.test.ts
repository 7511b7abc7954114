import { Matrix } from 'ml-matrix';
import { expect, test } from 'vitest';
import { fourierBasis } from '../../../../src/analysis/fourier/basis';
import { byPower, shareOf, spectrumOf } from '../../../../src/analysis/fourier/spectrum';

// Modulo 6: constant, cos 1, sin 1, cos 2, sin 2, cos 3.
const spectrum = spectrumOf(fourierBasis(6), new Matrix([[10, 10], [3, 4], [0, 0], [0, 1], [2, 2], [0, -6]]));

test('a spectrum has the norm of each component, and the squared norm of each frequency beyond the constant', () => {
  expect([...spectrum.norms]).toEqual([Math.sqrt(200), 5, 0, 1, Math.sqrt(8), 6]);
  [25, 9, 36].forEach((power, at) => expect(spectrum.power[at]).toBeCloseTo(power, 12));
  expect(byPower(spectrum.power)).toEqual([3, 1, 2]);
});

test('shares are of the squared norm beyond the constant, and of nothing 0', () => {
  expect(shareOf(spectrum.power, [1, 3])).toBeCloseTo(61 / 70, 12);
  expect(shareOf(spectrum.power, [])).toBe(0);
  expect(shareOf(new Float64Array(3), [1])).toBe(0);
});
