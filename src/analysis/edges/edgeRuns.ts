import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { throwIfCancelled } from '../../common/errors';
import { float32, int32, type HostTensor } from '../../common/tensor';
import type { Weights } from '../../model/layers';
import { asFloat32, type RunnableModel } from '../../model/runnable';
import { forward } from '../../model/transformer';
import type { ModelConfig } from '../../protocol/config';
import { edgeGraph, readerGroups, type ReaderGroup } from './edges';
import type { PromptPair } from '../pairs';
import { logitDifference, normalised, pairInputs, type Work } from '../patching/patching';
import { SentValues } from './sentValues';

// N rows (clean, corrupted, then one a run) · S senders · R readers · C readers of a group · T positions · D d_model

/** What an edge carries to its reader: what its sender wrote in the clean or the corrupted run, or writes in this one. */
export type Carried = 'clean' | 'corrupted' | 'current';

/** A run in which every reader reads the sum of what its edges carry. */
export interface EdgeRun {
  /** What the embedding's current value is of. */
  readonly prompt: 'clean' | 'corrupted';
  /** By the number of the edge in `edgeGraph`. */
  carries(edge: number): Carried;
}

/** The corrupted run with one edge's value taken from the clean run. */
export function patchedEdge(edge: number): EdgeRun {
  return { prompt: 'corrupted', carries: each => (each === edge ? 'clean' : 'current') };
}

/** The clean prompt read by the kept edges alone: every other edge carries what it does in the corrupted run. */
export function circuitOf(isKept: (edge: number) => boolean): EdgeRun {
  return { prompt: 'clean', carries: edge => (isKept(edge) ? 'current' : 'corrupted') };
}

/** Runs of a pass, always as many, so that the pass is compiled once. */
const mostRuns = 30;
/** Numbers that a pass holds at once, at most: about 512 MB. */
const mostNumbers = 128e6;

/**
 * The metric of each run, averaged over the pairs, with 0 as in the corrupted runs and 1 as in the clean ones. A reader's input is
 * that of the corrupted run and, for each edge, how far what it carries is from what it carries there: exact for any model,
 * since the residual stream is the sum of its senders and of biases that no prompt changes. Norms act on that input.
 * @throws UserError when clean and corrupted prompts give the same metric; CancelledError.
 */
export async function runEdges(model: RunnableModel, pairs: readonly PromptPair[], runs: readonly EdgeRun[], { signal, progress }: Work): Promise<Float64Array> {
  const atOnce = runsAtOnce(model.config, pairs[0]?.clean.length ?? 0);
  const changes = new Float64Array(runs.length);
  let [clean, corrupted] = [0, 0];
  for (let first = 0; first < runs.length; first += atOnce) {
    const part = runs.slice(first, first + atOnce);
    const inputs = inputsOfRuns(model.config, part, atOnce);
    for (const [index, pair] of pairs.entries()) {
      throwIfCancelled(signal);
      const { clean: { length: T }, position } = pair;
      const [output] = await model.compute(`edge runs ${position}`, (weights, ...given) => [metricsOfRows(model.config, weights, position, given)], [...pairInputs(model, pair, T), ...inputs]);
      const [cleanMetric = 0, corruptedMetric = 0, ...metrics] = asFloat32(output).data;
      part.forEach((_, run) => (changes[first + run] = (changes[first + run] ?? 0) + ((metrics[run] ?? 0) - corruptedMetric) / pairs.length));
      if (first === 0) [clean, corrupted] = [clean + cleanMetric / pairs.length, corrupted + corruptedMetric / pairs.length];
      progress((first + part.length * (index + 1) / pairs.length) / runs.length);
    }
  }
  return normalised(changes, clean, corrupted);
}

/**
 * For each row which of the two prompts it reads `[N]`, and for each sender and reader whether their edge carries the current
 * value, and whether the clean one: 1 or 0, `[N, S, R]`.
 */
function inputsOfRuns(config: ModelConfig, runs: readonly EdgeRun[], atOnce: number): readonly HostTensor[] {
  const { senders: { length: S }, readers: { length: R }, edges } = edgeGraph(config);
  const N = 2 + atOnce;
  const [current, clean] = [float32([N, S, R]), float32([N, S, R])];
  // The first two rows are the clean and the corrupted run as they are.
  current.data.fill(1, 0, 2 * S * R);
  runs.forEach((run, row) => edges.forEach(({ sender, reader }, edge) => {
    const carries = run.carries(edge);
    const at = ((2 + row) * S + sender) * R + reader;
    if (carries === 'current') current.data[at] = 1;
    if (carries === 'clean') clean.data[at] = 1;
  }));
  const prompts = Int32Array.from({ length: N }, (_, row) => Number(row > 0 && runs[row - 2]?.prompt !== 'clean'));
  return [int32([N], prompts), current, clean];
}

/** The metrics `[N]` of the rows, the clean and the corrupted run first. */
function metricsOfRows(config: ModelConfig, weights: Weights, position: number, [tokens, outputs, prompts, current, clean]: readonly Tensor[]): Tensor {
  if (!tokens || !outputs || !prompts || !current || !clean) throw new Error('edges are run with tokens, two outputs, prompts and what they carry');
  const groups = readerGroups(config, edgeGraph(config));
  const byHook = new Map(groups.map(group => [group.hook, group]));
  const sent = new SentValues();
  const logits = forward(config, weights, tf.gather(tokens, prompts), {
    hook: (name, value) => {
      const group = byHook.get(name);
      const read = group ? inputsOf(group, value, sent.all(), current, clean) : value;
      sent.see(name, value);
      return group === groups.at(-1) ? tf.slice(read, [0, position, 0], [-1, 1, -1]) : read;
    },
    wantsResult: true, splitInputs: true,
  }); // [N, 1, U]
  return logitDifference(logits, outputs);
}

/** The inputs of a group of readers, in the shape of `value`, whose row 1 is theirs in the corrupted run. */
function inputsOf({ first, count: C, isOfHeads }: ReaderGroup, value: Tensor, sent: Tensor, current: Tensor, clean: Tensor): Tensor {
  const [N = 0, S = 0, T = 0, D = 0] = sent.shape;
  const changes = tf.reshape(tf.sub(sent, tf.slice(sent, [1, 0, 0, 0], [1, S, T, D])), [N, S, T * D]);
  const edgesOf = (carried: Tensor) => tf.slice(carried, [0, 0, first], [N, S, C]);
  const ofCurrent = tf.matMul(edgesOf(current), changes, true); // [N, C, T·D]
  const ofClean = tf.matMul(
    tf.reshape(tf.transpose(edgesOf(clean), [0, 2, 1]), [N * C, S]),
    tf.reshape(tf.slice(changes, [0, 0, 0], [1, S, T * D]), [S, T * D]),
  ); // [N·C, T·D]
  const carried = tf.reshape(tf.add(ofCurrent, tf.reshape(ofClean, [N, C, T * D])), [N, C, T, D]);
  const corrupted = tf.slice(value, [1, ...value.shape.slice(1).map(() => 0)], [1, ...value.shape.slice(1)]);
  return tf.add(isOfHeads ? tf.transpose(carried, [0, 2, 1, 3]) : tf.reshape(carried, [N, T, D]), corrupted);
}

function runsAtOnce(config: ModelConfig, T: number): number {
  const { senders } = edgeGraph(config);
  return Math.min(mostRuns, Math.max(1, Math.floor(mostNumbers / (T * config.d_model * (3 * senders.length + 6 * config.n_heads)))));
}
