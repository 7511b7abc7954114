import type { Matrix } from 'ml-matrix';
import { sumByFrequency, type FourierBasis } from './basis';

// p modulus · F frequencies, ⌊p/2⌋ of them · N columns

/** How much of a weight each vector of the Fourier basis holds, and each frequency. */
export interface Spectrum {
  readonly basis: FourierBasis;
  /** `[p]`: the norm of the weight's projection on each vector of the basis. */
  readonly norms: Float64Array;
  /** `[F]`: the squared norm at each frequency from 1, cosine and sine together; the constant is in none. */
  readonly power: Float64Array;
}

/** @param inBasis `[p, N]`: a weight in the basis, a vector of the basis in each row */
export function spectrumOf(basis: FourierBasis, inBasis: Matrix): Spectrum {
  const squares = Float64Array.from({ length: inBasis.rows }, (_, row) => inBasis.getRow(row).reduce((sum, value) => sum + value * value, 0));
  return { basis, norms: squares.map(Math.sqrt), power: sumByFrequency(basis, squares) };
}

/** The fraction of the squared norm beyond the constant that some frequencies hold; 0 where there is none. */
export function shareOf(power: Float64Array, frequencies: readonly number[]): number {
  const total = power.reduce((sum, value) => sum + value, 0);
  return total > 0 ? frequencies.reduce((sum, frequency) => sum + (power[frequency - 1] ?? 0), 0) / total : 0;
}

/** The frequency of the largest power. */
export function strongest(power: Float64Array): number {
  return power.indexOf(power.reduce((most, value) => Math.max(most, value), -Infinity)) + 1;
}

/** The frequencies in the order of their power, largest first. */
export function byPower(power: Float64Array): readonly number[] {
  return [...power.keys()].sort((a, b) => (power[b] ?? 0) - (power[a] ?? 0)).map(index => index + 1);
}
