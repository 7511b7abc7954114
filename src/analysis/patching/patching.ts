import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { throwIfCancelled, UserError } from '../../common/errors';
import { int32, type HostTensor } from '../../common/tensor';
import type { Hook, Weights } from '../../model/layers';
import { isCausal } from '../../model/mask';
import { asFloat32, type RunnableModel } from '../../model/runnable';
import { forward } from '../../model/transformer';
import type { ModelConfig } from '../../protocol/config';
import type { PromptPair } from '../pairs';
import { maskOf, ordinaryRoom, passesOf } from './patchingPasses';

// R rows (the corrupted run, then one a site) · T positions · Q of them that a pass runs · U d_vocab_out

/** Activations that can be taken from the clean run, as TransformerLens names their hooks. */
export type PatchedActivation = 'resid_pre' | 'attn_out' | 'mlp_out' | HeadActivation;
export const headActivations = ['z', 'q', 'k', 'v', 'pattern'] as const;
export type HeadActivation = (typeof headActivations)[number];

/** One activation of one layer, or of one head, at one position or at all. */
export interface Site {
  readonly activation: PatchedActivation;
  readonly layer: number;
  /** For activations of heads. */
  readonly head?: number;
  /** Absent: every position. Of a pattern it is the destination. */
  readonly position?: number;
}

/** How much of the metric must lie between the clean and the corrupted run to measure by it. */
const smallestDifference = 1e-4;

export interface PatchedRuns {
  /**
   * For each site the metric: 0 as in the corrupted run, 1 as in the clean one. What is measured is averaged over the
   * pairs first (Wang et al. 2022; Hanna et al. 2024): a pair that the model hardly tells apart then counts little.
   */
  readonly recovered: Float64Array;
  /** Mean logit differences of the two runs as they are; or the mean numbers that they predict. */
  readonly clean: number;
  readonly corrupted: number;
}

/** What longer work is told by, and tells. */
export interface Work {
  readonly signal: AbortSignal;
  progress(fraction: number): void;
}

/**
 * Activation patching, clean → corrupted (TransformerLens' `patching`): runs the corrupted prompt with the activation of each
 * site in turn taken from the clean run. All sites go through the model in one batch, a row each, and a row joins the batch
 * only at the layer of its site: below it, it is the corrupted run. There are several passes where the numbers of one layer
 * would not fit in `room`.
 * @throws UserError when clean and corrupted prompts give the same metric; CancelledError.
 */
export function patchSites(
  model: RunnableModel, pairs: readonly PromptPair[], sites: readonly Site[], work: Work, room = ordinaryRoom,
): Promise<PatchedRuns> {
  const { config } = model;
  const [first] = pairs;
  if (!first) throw new Error('there is no pair');
  // What comes after the answer changes nothing where no position sees a later one.
  const causal = isCausal(config, first.clean.length);
  const T = causal ? first.position + 1 : first.clean.length;
  const differs = pairs.map(({ clean, corrupted }) => clean.findIndex((token, at) => token !== corrupted[at]));
  const passes = passesOf(config, sites, { T, causal, firstDifference: Math.min(...differs), room });
  return measurePasses(model, pairs, sites.length, passes.map(({ from, rows }) => ({
    key: `patching ${first.position} ${from} ${rows.map(({ site: { activation, layer, head, position } }) => [activation, layer, head, position].join()).join(' ')}`,
    rows: rows.map(({ index }) => index),
    tokens: T,
    logits: (weights, tokens) => patchedLogits(config, weights, tokens, { from, causal, at: first.position, sites: rows.map(({ site }) => site) }),
  })), work);
}

/** Some rows of what is measured, run together. */
export interface MeasuredPass {
  /** Tells apart what `logits` closes over. */
  readonly key: string;
  /** Which of all the results they are. */
  readonly rows: readonly number[];
  /** How many tokens of the prompts are read. */
  readonly tokens: number;
  /** Of `tokens [2, T]`, clean and corrupted, the logits where the answer is read: `[2 + rows, 1, U]`, clean and corrupted first. */
  logits(weights: Weights, tokens: Tensor): Tensor;
}

/** Runs all passes for every pair, and puts each row's mean logit difference between the corrupted run's (0) and the clean one's (1). */
export async function measurePasses(
  model: RunnableModel, pairs: readonly PromptPair[], count: number, passes: readonly MeasuredPass[], { signal, progress }: Work,
): Promise<PatchedRuns> {
  const changes = new Float64Array(count);
  let [clean, corrupted] = [0, 0];
  for (const [at, { key, rows, tokens, logits }] of passes.entries()) {
    for (const [index, pair] of pairs.entries()) {
      throwIfCancelled(signal);
      const inputs = pairInputs(model, pair, tokens);
      const [metrics] = await model.compute(key, (weights, tokens, outputs) => {
        if (!tokens || !outputs) throw new Error('patching takes tokens and two outputs');
        return [logitDifference(logits(weights, tokens), outputs)];
      }, inputs);
      const [cleanMetric = 0, corruptedMetric = 0, ...patched] = asFloat32(metrics).data;
      rows.forEach((result, row) => (changes[result] = (changes[result] ?? 0) + ((patched[row] ?? 0) - corruptedMetric) / pairs.length));
      if (at === 0) [clean, corrupted] = [clean + cleanMetric / pairs.length, corrupted + corruptedMetric / pairs.length];
      progress((at + (index + 1) / pairs.length) / passes.length);
    }
    checkDifference(clean, corrupted); // before other passes are run in vain
  }
  return { recovered: normalised(changes, clean, corrupted), clean, corrupted };
}

/** The first tokens of a pair `[2, T]`, clean and corrupted, and the outputs `[2]` that the metric compares, or the one `[1]` that it is. */
export function pairInputs(model: RunnableModel, { clean, corrupted, correct, wrong }: PromptPair, T: number): readonly HostTensor[] {
  const tokens = int32([2, T], Int32Array.from([...clean.slice(0, T), ...corrupted.slice(0, T)]));
  model.checkTokens(tokens);
  const outputs = wrong === undefined ? [correct] : [correct, wrong];
  return [tokens, int32([outputs.length], Int32Array.from(outputs))];
}

/** Logit of the clean answer less that of the corrupted one: `logits [R, 1, U]`, `outputs [2]` → `[R]`; or a single output `[1]` as it is. */
export function logitDifference(logits: Tensor, outputs: Tensor): Tensor {
  const compared = tf.gather(logits, outputs, 2);
  const [correct, wrong] = tf.split(compared, outputs.shape[0] ?? 1, 2); // [R, 1, 1]
  return tf.reshape(correct && wrong ? tf.sub(correct, wrong) : compared, [-1]);
}

/** Mean changes of the corrupted metric as shares of what lies between the mean metrics of the two runs. @throws UserError where that is nothing. */
export function normalised(changes: Float64Array, clean: number, corrupted: number): Float64Array {
  checkDifference(clean, corrupted);
  return changes.map(change => (change === 0 ? 0 : change / (clean - corrupted))); // no −0
}

function checkDifference(clean: number, corrupted: number): void {
  if (Math.abs(clean - corrupted) >= smallestDifference) return;
  throw new UserError(`The model answers clean and corrupted prompts alike: what is measured is ${clean.toPrecision(4)} and ${corrupted.toPrecision(4)}. Choose prompts, or a corruption, that it tells apart.`);
}

interface PatchedBatch {
  /** The position from which on rows are run; below it they are as the corrupted run. */
  readonly from: number;
  readonly causal: boolean;
  /** Where the answer is read: the last position where no position sees a later one. */
  readonly at: number;
  /** Ascending in layers. */
  readonly sites: readonly Site[];
}

/** Logits `[2 + sites, 1, U]` at the answer, of `tokens [2, T]`: of the clean run, of the corrupted one, and of it patched. */
function patchedLogits(config: ModelConfig, weights: Weights, tokens: Tensor, batch: PatchedBatch): Tensor {
  const T = tokens.shape[1] ?? 0;
  const runs = new Map<string, Tensor>(); // hook name → [2, T, …]
  const clean = forward(config, weights, tokens, {
    hook: (name, value) => {
      runs.set(name, value);
      return name === `blocks.${config.n_layers - 1}.hook_resid_post` ? tf.slice(value, [0, batch.at, 0], [1, 1, -1]) : value;
    },
  });
  const rows = forward(config, weights, tf.slice(tokens, [1, 0], [1, -1]), { hook: patchingHook(config, batch, T, runs) });
  return tf.concat([clean, rows], 0);
}

/**
 * Lets rows join the batch at their layer and takes their sites' activations from the clean run. Row 0 is the corrupted run.
 * Rows are run from one position on, with keys and values of the positions before it from the corrupted run; the last layer
 * asks for the answer alone, where that is the last position.
 */
function patchingHook(config: ModelConfig, { from, causal, at, sites }: PatchedBatch, T: number, runs: ReadonlyMap<string, Tensor>): Hook {
  const byLayer = Array.from({ length: config.n_layers }, (_, layer) => sites.filter(site => site.layer === layer));
  const atAnswer = (value: Tensor) => tf.slice(value, [0, at - T + (value.shape[1] ?? 0), ...rest(value).map(() => 0)], [-1, 1, ...rest(value).map(() => -1)]);
  return (name, value) => {
    if (name === 'hook_embed' || name === 'hook_pos_embed') return tf.slice(value, [0, from, 0], [-1, -1, -1]);
    const [, layerText, hook] = /^blocks\.(\d+)\.(?:attn\.)?hook_(\w+)$/.exec(name) ?? [];
    const run = runs.get(name);
    if (layerText === undefined || !run) return value;
    const layer = Number(layerText);
    const joining = byLayer[layer] ?? [];
    const isLast = layer === config.n_layers - 1;
    const before = 1 + byLayer.slice(0, layer).reduce((sum, { length }) => sum + length, 0);
    const masks = joining.map(site => (site.activation === hook ? site : undefined));
    switch (hook) {
      case 'resid_pre': return takeFromClean(joining.length > 0 ? tf.concat([value, repeatRow(value, 0, joining.length)], 0) : value, run, before, masks, T);
      case 'q': return takeFromClean(isLast && causal ? atAnswer(value) : value, run, before, masks, T);
      case 'k':
      case 'v': {
        const patched = takeFromClean(value, run, before, masks, T); // [R, Q, H, K]
        return from === 0 ? patched : tf.concat([repeatRow(tf.slice(run, [0, 0, 0, 0], [-1, from, -1, -1]), 1, value.shape[0] ?? 0), patched], 1);
      }
      // The attention at the answer was added to the stream at every position.
      case 'resid_mid': return isLast && causal ? atAnswer(value) : value;
      case 'resid_post': return isLast ? atAnswer(value) : value;
      default: return takeFromClean(value, run, before, masks, T);
    }
  };
}

/**
 * `value [R, …]` with what the sites of the rows from `first` on choose taken from `run [2, …]`, whose row 0 is clean. Where the
 * value stands for fewer than `T` positions, they are the last ones.
 */
function takeFromClean(value: Tensor, run: Tensor, first: number, sites: readonly (Site | undefined)[], T: number): Tensor {
  const from = sites.findIndex(site => site !== undefined);
  const activation = sites[from]?.activation;
  if (!activation) return value;
  const chosen = sites.slice(from, sites.findLastIndex(site => site !== undefined) + 1);
  const inner = rest(value);
  const axis = activation === 'pattern' ? 2 : 1;
  const start = run.shape.map((_, index) => (index === axis ? T - (value.shape[axis] ?? 0) : 0));
  const clean = tf.slice(run, start, [1, ...inner.slice(0, axis - 1), -1, ...inner.slice(axis)]);
  const taken = maskOf(activation, chosen, value.shape, T);
  const zeros = inner.map(() => 0);
  const rows = (start: number, count: number) => tf.slice(value, [start, ...zeros], [count, ...inner]);
  // A product with 0 or 1 leaves finite numbers as they are, and none of these activations is anything else.
  const patched = tf.add(tf.mul(rows(first + from, chosen.length), tf.sub(1, taken)), tf.mul(clean, taken));
  const end = first + from + chosen.length;
  const after = (value.shape[0] ?? 0) - end;
  return tf.concat([rows(0, first + from), patched, ...(after > 0 ? [rows(end, after)] : [])], 0);
}

function rest(value: Tensor): readonly number[] {
  return value.shape.slice(1);
}

function repeatRow(value: Tensor, row: number, count: number): Tensor {
  return tf.tile(tf.slice(value, [row, ...rest(value).map(() => 0)], [1, ...rest(value)]), [count, ...rest(value).map(() => 1)]);
}
