import { Matrix } from 'ml-matrix';

// p modulus · F frequencies, ⌊p/2⌋ of them

/**
 * The real Fourier basis of functions on the numbers modulo p, in float64: orthonormal for every p, odd or even. Its first
 * vector is constant; then come cos(2πkn/p) and sin(2πkn/p) for k = 1, 2, …; for an even p the last is cos(πn) = (−1)ⁿ alone,
 * as the sine of frequency p/2 is zero (Nanda et al. 2023, section 3).
 */
export interface FourierBasis {
  readonly modulus: number;
  /** `[p, p]`: a vector in each row. */
  readonly vectors: Matrix;
  /** What each vector is called: `constant`, `cos 1`, `sin 1`, … */
  readonly names: readonly string[];
  /** The frequency of each vector; 0 for the constant one. */
  readonly frequencies: readonly number[];
}

export function fourierBasis(p: number): FourierBasis {
  const waves = Array.from({ length: p }, (_, row) => ({ frequency: Math.ceil(row / 2), isSine: row > 0 && row % 2 === 0 }));
  const vectors = new Matrix(p, p);
  waves.forEach(({ frequency, isSine }, row) => {
    // The constant and (−1)ⁿ have the square 1 everywhere, the others one half on average.
    const norm = frequency === 0 || 2 * frequency === p ? Math.sqrt(p) : Math.sqrt(p / 2);
    for (let n = 0; n < p; n++) vectors.set(row, n, wave(frequency * n, p, isSine) / norm);
  });
  return {
    modulus: p,
    vectors,
    names: waves.map(({ frequency, isSine }) => (frequency === 0 ? 'constant' : `${isSine ? 'sin' : 'cos'} ${frequency}`)),
    frequencies: waves.map(({ frequency }) => frequency),
  };
}

/** Every frequency that there is modulo p, from 1: those above p/2 are the same as those below. */
export function allFrequencies(p: number): readonly number[] {
  return Array.from({ length: Math.floor(p / 2) }, (_, index) => index + 1);
}

/** Sums what belongs to each vector of the basis over the vectors of a frequency: `[F]`, without the constant. */
export function sumByFrequency({ modulus, frequencies }: FourierBasis, values: ArrayLike<number>): Float64Array {
  const sums = new Float64Array(Math.floor(modulus / 2));
  frequencies.forEach((frequency, row) => {
    if (frequency > 0) sums[frequency - 1] = (sums[frequency - 1] ?? 0) + (values[row] ?? 0);
  });
  return sums;
}

/** cos or sin of 2πm/p, as exact for a large m as for a small one. */
function wave(m: number, p: number, isSine: boolean): number {
  const angle = (2 * Math.PI * (m % p)) / p;
  return isSine ? Math.sin(angle) : Math.cos(angle);
}
