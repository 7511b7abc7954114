import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { Matrix } from 'ml-matrix';
import { UserError } from '../../common/errors';
import { float32, int32, type HostTensor } from '../../common/tensor';
import type { Weights } from '../../model/layers';
import { asFloat32, type RunnableModel } from '../../model/runnable';
import type { ModelConfig } from '../../protocol/config';
import type { ModelDetails } from '../../protocol/model';
import type { Task } from '../../tasks/task';
import { crossEntropy } from '../../training/crossEntropy';
import { crossEntropyOf } from '../attribution/answerScores';
import { product } from '../weights/product';
import { fourierBasis, type FourierBasis } from './basis';
import { modularTaskOf } from './modular';
import { ofNumbers, pairLogits } from './pairRuns';

// p modulus · s right answer · c output · D d_model · n training pairs · m test pairs · K key frequencies

/**
 * All p² pairs of a modular task, ordered by their right answer s: those that are answered s fill the rows s·p … s·p + p − 1.
 * cos(w(a ± b)) and sin(w(a ± b)) are functions of s alone, so that projecting on them is projecting means over those rows.
 */
export interface PairSet {
  readonly basis: FourierBasis;
  /** `[p², 3]` */
  readonly tokens: HostTensor<'int32'>;
  /** Whether it is known which of them the model was trained on; otherwise all of them are in both sets. */
  readonly isSplit: boolean;
  /** Rows that the model was trained on `[n]`. */
  readonly train: HostTensor<'int32'>;
  /** The other rows `[m]`. */
  readonly test: HostTensor<'int32'>;
  /** How many test pairs have each right answer: `[p]`. */
  readonly testAnswers: Float64Array;
}

/** Pairs that run at once: what is computed of so few stays in the processor's caches. */
const pairsAtOnce = 2048;

/** Above this all pairs, with their logits, take gigabytes. */
const mostPairs = 2 ** 17;

/** @throws UserError for a modulus that has too many pairs to keep the logits of all of them. */
export function pairSetOf(details: ModelDetails, task: Task): PairSet {
  const { modulus: p, sign } = modularTaskOf(details);
  if (p * p > mostPairs) throw new UserError(`Modulo ${p} there are ${p * p} pairs, too many to keep the logits of all of them; the modulus can be ${Math.floor(Math.sqrt(mostPairs))} at most.`);
  const split = task.split?.(details.experiment.seed);
  const tokens = int32([p * p, 3]);
  for (let row = 0; row < p * p; row++) {
    const [s, a] = [Math.floor(row / p), row % p];
    tokens.data.set([a, (sign * (s - a) + p) % p, p], 3 * row);
  }
  const rowsOf = ({ shape: [count = 0], data }: HostTensor<'int32'>) => int32([count], Int32Array.from({ length: count }, (_, at) => {
    const [a = 0, b = 0] = data.subarray(3 * at, 3 * at + 2);
    return ((a + sign * b + p) % p) * p + a;
  }));
  const [train, test] = split ? [rowsOf(split.train.tokens), rowsOf(split.test.tokens)] : [rowsOf(tokens), rowsOf(tokens)];
  const testAnswers = new Float64Array(p);
  for (const row of test.data) testAnswers[Math.floor(row / p)] = (testAnswers[Math.floor(row / p)] ?? 0) + 1;
  return { basis: fourierBasis(p), isSplit: split !== undefined, tokens, train, test, testAnswers };
}

/**
 * What one pass over all pairs leaves: enough for the similarity of the logits with every cosine, and for the loss when
 * frequencies are kept or removed, in p² numbers where the definitions have p³ for every frequency.
 */
export interface PairMeasures {
  readonly trainLoss: number;
  readonly testLoss: number;
  readonly trainAccuracy: number;
  readonly testAccuracy: number;
  /** The training loss without each of the sets of frequencies that were to be removed. */
  readonly excludedLosses: readonly number[];
  /** Mean logits of the pairs with each right answer: `[p, p]`, answer by output. */
  readonly logitMeans: Matrix;
  /** Squared norm of the logits less those means. */
  readonly spread: number;
  /** That of which frequencies are kept or removed, as means in logits `[p, p]`: see {@link readsNeurons}. */
  readonly readOut: Matrix;
}

/**
 * Whether frequencies are kept and removed in the activations of the last layer's neurons, as the study does, or else in the
 * logits themselves, as the paper defines it (Nanda et al. 2023, section 5.1). The two differ by what reaches the logits past
 * the neurons. Neurons are read where they are and where what they write reaches the logits by a product: with a norm on the
 * way it has no share of the logits of its own.
 */
export function readsNeurons({ attn_only, normalization_type }: ModelConfig): boolean {
  return !attn_only && normalization_type === null;
}

/**
 * Runs all pairs once.
 * @param removed sets of frequencies, for each of which to measure the training loss without them
 */
export async function measurePairs(model: RunnableModel, pairs: PairSet, removed: readonly (readonly number[])[] = []): Promise<PairMeasures> {
  const { basis, tokens, train, test } = pairs;
  const { modulus: p } = basis;
  const projections = removed.map(frequencies => {
    const waves = wavesOf(basis, frequencies);
    return float32([p, p], Float32Array.from(product(waves.transpose(), waves).to1DArray()));
  });
  const outputs = await model.compute('all pairs', (weights, ...given) => {
    const [tokens, train, test, ...projections] = given as [Tensor, Tensor, Tensor, ...Tensor[]];
    const answersAtOnce = Math.max(1, Math.floor(pairsAtOnce / p));
    const stretches = Array.from({ length: Math.ceil(p / answersAtOnce) }, (_, index) => index * answersAtOnce * p).map(first =>
      answerMeans(model.config, p, weights, tf.slice(tokens, [first, 0], [Math.min(answersAtOnce * p, p * p - first), 3])));
    const whole = (part: keyof AnswerMeans) => tf.concat(stretches.map(stretch => stretch[part]), 0);
    const [logits, readOut] = [whole('logits'), whole('readOut')];
    const answers = tf.tensor1d(Int32Array.from({ length: p * p }, (_, row) => Math.floor(row / p)), 'int32');
    const right = tf.cast(tf.equal(tf.argMax(logits, 1), answers), 'float32'); // [p²]
    const [trainLogits, trainAnswers] = [tf.gather(logits, train), tf.gather(answers, train)];
    const excluded = projections.map(projection => {
      const share = tf.matMul(projection, readOut); // [p, p], by answer
      return crossEntropy(tf.sub(trainLogits, tf.gather(share, trainAnswers)), trainAnswers);
    });
    return [
      whole('logitMeans'), readOut, whole('spread'),
      tf.stack([
        crossEntropy(trainLogits, trainAnswers), crossEntropy(tf.gather(logits, test), tf.gather(answers, test)),
        tf.mean(tf.gather(right, train)), tf.mean(tf.gather(right, test)), ...excluded,
      ]),
    ];
  }, [tokens, train, test, ...projections]);
  const [logitMeans, readOut, spread, measured] = outputs.map(output => asFloat32(output).data);
  const [trainLoss = NaN, testLoss = NaN, trainAccuracy = NaN, testAccuracy = NaN, ...excludedLosses] = measured ?? [];
  const matrix = (data: Float32Array | undefined) => Matrix.from1DArray(p, p, Array.from(data ?? []));
  return {
    trainLoss, testLoss, trainAccuracy, testAccuracy, excludedLosses,
    logitMeans: matrix(logitMeans),
    spread: (spread ?? new Float32Array()).reduce((sum, value) => sum + value, 0),
    readOut: matrix(readOut),
  };
}

/** What is measured of the pairs of A answers, all p of each. */
interface AnswerMeans {
  readonly logits: Tensor; // [A·p, p]
  readonly logitMeans: Tensor; // [A, p]
  readonly readOut: Tensor; // [A, p]
  readonly spread: Tensor; // [A]
}

/** @param tokens `[A·p, 3]`, those of one answer after those of the other */
function answerMeans(config: ModelConfig, p: number, weights: Weights, tokens: Tensor): AnswerMeans {
  let written: Tensor | undefined; // [A·p, 1, D]
  const lastWrites = `blocks.${config.n_layers - 1}.hook_mlp_out`;
  const logits = pairLogits(config, p, weights, tokens, (name, value) => {
    if (name === lastWrites) written = value;
    return value;
  });
  const byAnswer = (rows: Tensor) => tf.reshape(rows, [-1, p, rows.shape.at(-1) ?? 1]);
  const logitMeans = tf.mean(byAnswer(logits), 1);
  // The mean over the pairs of an answer may be taken behind the neurons' last product: there it is of fewer numbers.
  const readOut = written && readsNeurons(config) ? tf.matMul(tf.mean(byAnswer(written), 1), ofNumbers(config, p, weights('unembed.W_U'))) : logitMeans;
  return { logits, logitMeans, readOut, spread: tf.sum(tf.square(tf.sub(byAnswer(logits), tf.expandDims(logitMeans, 1))), [1, 2]) };
}

/**
 * The loss on the test pairs when some frequencies alone are kept, with the mean of the logits over all pairs in place of the
 * rest: "restricted loss".
 */
export function restrictedLoss({ logitMeans, readOut }: PairMeasures, { basis, testAnswers }: PairSet, frequencies: readonly number[]): number {
  const waves = wavesOf(basis, frequencies);
  // The waves have the mean 0 over all pairs, so that nothing else needs to be taken off.
  const logits = product(waves.transpose(), product(waves, readOut)).addRowVector(logitMeans.mean('column')); // [p, p]
  const count = testAnswers.reduce((sum, value) => sum + value, 0);
  return testAnswers.reduce((sum, pairs, s) => sum + pairs * crossEntropyOf(logits.getRow(s), s), 0) / count;
}

/** The smallest normal float32. */
const leastLoss = 1.2e-38;

/** Restricted over test loss, which counts as the smallest normal float32 where it has rounded to 0. */
export function restrictedRatio(restricted: number, test: number): number {
  return restricted / Math.max(test, leastLoss);
}

/** The vectors of some frequencies: `[2K, p]`, or one fewer with frequency p/2. */
function wavesOf({ vectors, frequencies }: FourierBasis, wanted: readonly number[]): Matrix {
  const rows = frequencies.flatMap((frequency, row) => (wanted.includes(frequency) ? [row] : []));
  return vectors.selection(rows, Array.from({ length: vectors.columns }, (_, column) => column));
}
