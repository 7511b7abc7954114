import { crossEntropyOf } from '../attribution/answerScores';
import type { FourierBasis } from './basis';
import type { PairMeasures } from './pairMeasures';

// p modulus · F frequencies, ⌊p/2⌋ of them · s right answer · c output · d = s − c modulo p

type Logits = Pick<PairMeasures, 'logitMeans' | 'spread'>;

/** How much of the logits is cos(w(s − c)), for each w = 2πk/p: what a model would say that adds up rotations (Nanda et al. 2023, section 3). */
export interface LogitCosines {
  /** `[F]`: the inner product of the logits of all pairs with the cosine of each frequency from 1, as a cube `[a, b, c]` of norm 1. */
  readonly coefficients: Float64Array;
  /** `[F]`: the same over the norm of the logits; 0 where they are all 0. */
  readonly similarities: Float64Array;
  /** `[p]`: the mean of the logits at each d. */
  readonly byDifference: Float64Array;
  /** The norm of the logits of all pairs. They are taken as they are, with what they have in common over the outputs. */
  readonly norm: number;
}

export function logitCosines(logits: Logits, basis: FourierBasis): LogitCosines {
  const { modulus: p, vectors } = basis;
  const { logitMeans, spread } = logits;
  const sums = new Float64Array(p); // by d: a cosine is of d alone
  for (let s = 0; s < p; s++) {
    for (let c = 0; c < p; c++) sums[(s - c + p) % p] = (sums[(s - c + p) % p] ?? 0) + logitMeans.get(s, c);
  }
  // Each of the p values of d stands p² times in the cube, so that its norm is p times that of the basis' vector; and each
  // mean stands for p pairs.
  const coefficients = Float64Array.from(cosineRows(basis), row => sums.reduce((sum, value, d) => sum + value * vectors.get(row, d), 0));
  const norm = Math.sqrt(spread + p * logitMeans.norm('frobenius') ** 2);
  return { coefficients, byDifference: sums.map(sum => sum / p), norm, similarities: coefficients.map(coefficient => (norm > 0 ? coefficient / norm : 0)) };
}

/** The logits that the cosines of some frequencies add up to, by d: `[p]`. */
export function approximateLogits({ coefficients }: LogitCosines, basis: FourierBasis, frequencies: readonly number[]): Float64Array {
  const { modulus: p, vectors } = basis;
  const rows = cosineRows(basis);
  return Float64Array.from({ length: p }, (_, d) =>
    frequencies.reduce((sum, k) => sum + ((coefficients[k - 1] ?? 0) * vectors.get(rows[k - 1] ?? 0, d)) / p, 0));
}

/** The fraction of the logits' norm that the cosines of some frequencies leave; 1 where the logits are all 0. */
export function residualFraction({ logitMeans, spread }: Logits, cosines: LogitCosines, basis: FourierBasis, frequencies: readonly number[]): number {
  const { modulus: p } = basis;
  const approximation = approximateLogits(cosines, basis, frequencies);
  // What is left is added up, not taken off the whole, so that a small rest keeps its digits.
  let rest = 0;
  for (let s = 0; s < p; s++) {
    for (let c = 0; c < p; c++) rest += (logitMeans.get(s, c) - (approximation[(s - c + p) % p] ?? 0)) ** 2;
  }
  return cosines.norm > 0 ? Math.sqrt(spread + p * rest) / cosines.norm : 1;
}

/** Loss and accuracy, the same for every pair, of logits `[p]` that depend on d alone: 0 is the right answer. A tie is not right. */
export function approximationScores(logits: Float64Array): { readonly loss: number; readonly accuracy: number } {
  const [right = 0, ...others] = logits;
  return { loss: crossEntropyOf(logits, 0), accuracy: Number(others.every(logit => logit < right)) };
}

/** The rows of the basis that hold the cosines, from frequency 1: `[F]`. A cosine stands before its sine. */
function cosineRows({ frequencies }: FourierBasis): readonly number[] {
  return frequencies.flatMap((frequency, row) => (frequency > 0 && frequencies.indexOf(frequency) === row ? [row] : []));
}
