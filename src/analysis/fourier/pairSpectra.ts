import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { HostTensor } from '../../common/tensor';
import { asFloat32 } from '../../model/runnable';
import type { FourierBasis } from './basis';

// p modulus · F frequencies, ⌊p/2⌋ of them · N functions of a and b

/** Functions of the pairs (a, b) in the 2D Fourier basis, within a compiled function. */
export interface PairSpectra {
  /**
   * F·X·Fᵀ of each, with its mean removed, so that the constant term is zero: `[p², N]`. In row i·p + j is the coefficient of
   * the basis' vector i in a times its vector j in b.
   */
  readonly coefficients: Tensor;
  /**
   * What {@link explainedVariance} reads: the means over all pairs `[N]`, the sums of squares beyond them `[N]`, and what of
   * these sums each frequency explains `[F, N]`.
   */
  readonly measures: readonly Tensor[];
}

/** The spectra of `values [p², N]`, pair (a, b) in row a·p + b. What of them no output needs is not computed. */
export function pairSpectra(basis: FourierBasis, values: Tensor): PairSpectra {
  const p = basis.modulus;
  const cube = tf.reshape(values, [p, p, -1]); // [p, p, N]
  // In two steps: float32 loses less in two sums of p numbers than in one of p².
  const means = tf.mean(tf.mean(cube, 0), 0); // [N]
  const centred = tf.sub(cube, means);
  const vectors = tf.tensor2d(Float32Array.from(basis.vectors.to1DArray()), [p, p]);
  const overA = tf.reshape(tf.matMul(vectors, tf.reshape(centred, [p, -1])), [p, p, -1]); // vectors in a × b × N
  const coefficients = tf.reshape(tf.matMul(tf.expandDims(vectors, 0), overA), [p * p, -1]); // [p², N]
  const products = oneFrequencyProducts(basis);
  const explained = tf.square(tf.gather(coefficients, tf.tensor1d(products.map(({ row }) => row), 'int32')));
  const sums = Float32Array.from({ length: Math.floor(p / 2) * products.length }, (_, at) => {
    return Number(products[at % products.length]?.frequency === Math.floor(at / products.length) + 1);
  });
  const byFrequency = tf.matMul(tf.tensor2d(sums, [Math.floor(p / 2), products.length]), explained); // [F, N]
  return { coefficients, measures: [means, tf.sum(tf.sum(tf.square(centred), 0), 0), byFrequency] };
}

/**
 * The products of two vectors that belong to one frequency k: {1, cos k, sin k} in a times the same in b, less the constant
 * product. They are 8, or 3 for k = p/2 (Nanda et al. 2023, neuron clusters).
 */
function oneFrequencyProducts({ modulus: p, frequencies }: FourierBasis): readonly { readonly frequency: number; readonly row: number }[] {
  return frequencies.flatMap((ofA, i) => frequencies.flatMap((ofB, j) => {
    const frequency = Math.max(ofA, ofB);
    const isOfOne = frequency > 0 && [ofA, ofB].every(each => each === 0 || each === frequency);
    return isOfOne ? [{ frequency, row: i * p + j }] : [];
  }));
}

/** How far each frequency explains functions of pairs. */
export interface ExplainedVariance {
  /** `[F, N]`: the fraction of each function's variance, frequencies from 1; 0 where it has none. */
  readonly fractions: Float64Array;
  /** Each function in turn. */
  readonly functions: readonly ExplainedFunction[];
}

export interface ExplainedFunction {
  /** Over all pairs. */
  readonly mean: number;
  /** The frequency that explains most of its variance. */
  readonly frequency: number;
  /** The fraction that this explains; 0 where there is no variance. */
  readonly explained: number;
  /** Whether it varies with a and b at all. */
  readonly varies: boolean;
}

/**
 * A standard deviation below these counts as none: beside the function's own mean float32 tells nothing smaller from rounding,
 * and beside the largest of all a millionth has no effect.
 */
const leastOfMean = 1e-5;
const leastOfLargest = 1e-6;

/** How far each frequency explains functions of one kind, as the neurons of a layer, from the `measures` of their spectra. */
export function explainedVariance({ modulus }: FourierBasis, measures: readonly HostTensor[]): ExplainedVariance {
  const [means, totals, byFrequency] = [asFloat32(measures[0]).data, asFloat32(measures[1]).data, asFloat32(measures[2]).data];
  const [N, F] = [totals.length, Math.floor(modulus / 2)];
  const deviations = Array.from(totals, total => Math.sqrt(total) / modulus);
  const largest = deviations.reduce((most, deviation) => Math.max(most, deviation), 0);
  const varies = deviations.map((deviation, n) => deviation > Math.max(leastOfMean * Math.abs(means[n] ?? 0), leastOfLargest * largest));
  const fractions = Float64Array.from({ length: F * N }, (_, at) => (varies[at % N] ? (byFrequency[at] ?? 0) / (totals[at % N] ?? 0) : 0));
  const functions = varies.map((itVaries, n): ExplainedFunction => {
    const best = Array.from({ length: F }, (_, k) => k).reduce((most, k) => ((fractions[k * N + n] ?? 0) > (fractions[most * N + n] ?? 0) ? k : most), 0);
    return { mean: means[n] ?? 0, frequency: best + 1, explained: fractions[best * N + n] ?? 0, varies: itVaries };
  });
  return { fractions, functions };
}

/** A function of all pairs, with all its numbers. */
export interface PairFunction extends ExplainedFunction {
  /** `[p²]` */
  readonly values: Float32Array;
  /** `[p²]`, in the 2D Fourier basis with the mean removed; zeros where it does not vary. */
  readonly coefficients: Float32Array;
}

/** The functions with their numbers, of `values [n, p²]` and `coefficients [n, p²]`. */
export function withNumbers<T extends ExplainedFunction>(functions: readonly T[], values: HostTensor | undefined, coefficients: HostTensor | undefined): readonly (T & PairFunction)[] {
  const { shape: [, size = 0], data } = asFloat32(values);
  const spectra = asFloat32(coefficients).data;
  return functions.map((each, n) => ({
    ...each,
    values: data.subarray(n * size, (n + 1) * size),
    coefficients: each.varies ? spectra.subarray(n * size, (n + 1) * size) : new Float32Array(size),
  }));
}
