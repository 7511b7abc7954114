import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { throwIfCancelled, UserError } from '../common/errors';
import { int32, type HostTensor } from '../common/tensor';
import type { Hook } from '../model/layers';
import { asFloat32, type RunnableModel } from '../model/runnable';
import { forward } from '../model/transformer';
import type { ModelConfig } from '../protocol/config';
import type { PromptPair } from './pairs';

// R rows (clean, corrupted, then one a site) · T positions · Q query positions · H heads · D d_model · K d_head · U d_vocab_out

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

/** Numbers that a pass holds at once, at most: about 256 MB of each kind of activation. */
const mostNumbers = 64e6;

/** How much of a logit difference must lie between the clean and the corrupted run to measure by it. */
const smallestDifference = 1e-4;

export interface PatchedRuns {
  /** For each site the metric: 0 as in the corrupted run, 1 as in the clean one; the mean over the pairs. */
  readonly recovered: Float64Array;
  /** Mean logit differences of the two runs as they are. */
  readonly clean: number;
  readonly corrupted: number;
}

/**
 * Activation patching, clean → corrupted (TransformerLens' `patching`): runs the corrupted prompt with the activation of each
 * site in turn taken from the clean run. All sites go through the model in one batch, a row each, and a row joins the batch
 * only at the layer of its site: below it, it is the corrupted run. Sites are cut into several passes where memory asks.
 * @throws UserError when clean and corrupted prompts give the same metric; CancelledError.
 */
export async function patchSites(
  model: RunnableModel, pairs: readonly PromptPair[], sites: readonly Site[],
  { signal, progress }: { readonly signal: AbortSignal; progress(fraction: number): void },
): Promise<PatchedRuns> {
  const order = sites.map((_, index) => index).sort((a, b) => (sites[a]?.layer ?? 0) - (sites[b]?.layer ?? 0));
  const parts = chunks(order, rowsAtOnce(model.config, pairs[0]?.clean.length ?? 0));
  const recovered = new Float64Array(sites.length);
  let [clean, corrupted] = [0, 0];
  for (const [at, part] of parts.entries()) {
    const rows = part.flatMap(index => sites[index] ?? []);
    for (const [index, pair] of pairs.entries()) {
      throwIfCancelled(signal);
      const [cleanMetric = 0, corruptedMetric = 0, ...metrics] = await patchedMetrics(model, pair, rows);
      const difference = differenceBetween(cleanMetric, corruptedMetric);
      part.forEach((site, row) => (recovered[site] = (recovered[site] ?? 0) + ((metrics[row] ?? 0) - corruptedMetric) / difference / pairs.length));
      if (at === 0) [clean, corrupted] = [clean + cleanMetric / pairs.length, corrupted + corruptedMetric / pairs.length];
      progress((at + (index + 1) / pairs.length) / parts.length);
    }
  }
  return { recovered, clean, corrupted };
}

/** The logit differences of the clean run, of the corrupted run, and of the corrupted run patched at each site. */
async function patchedMetrics(model: RunnableModel, { clean, corrupted, position, correct, wrong }: PromptPair, sites: readonly Site[]): Promise<Float32Array> {
  const tokens = int32([2, clean.length], Int32Array.from([...clean, ...corrupted]));
  model.checkTokens(tokens);
  const read: readonly HostTensor[] = [tokens, int32([1], Int32Array.of(position)), int32([2], Int32Array.of(correct, wrong))];
  const key = `patching ${sites.map(({ activation, layer, head, position }) => [activation, layer, head, position].join()).join(' ')}`;
  const [metrics] = await model.compute(key, (weights, tokens, at, outputs) => {
    if (!tokens || !at || !outputs) throw new Error('patching takes tokens, a position and two outputs');
    const hook = patchingHook(model.config, sites, clean.length, at);
    const logits = forward(model.config, weights, tokens, { hook }); // [R, 1, U]
    return [logitDifferences(logits, outputs)];
  }, read);
  return asFloat32(metrics).data;
}

/** The metric `[R]` of logits `[R, 1, U]`: that of the first of two outputs less that of the second. */
export function logitDifferences(logits: Tensor, outputs: Tensor): Tensor {
  const [correct, wrong] = tf.split(tf.gather(logits, outputs, 2), 2, 2) as [Tensor, Tensor]; // [R, 1, 1]
  return tf.reshape(tf.sub(correct, wrong), [-1]);
}

/** What lies between the metrics of the clean and of the corrupted run. @throws UserError when that is too little to measure by. */
export function differenceBetween(clean: number, corrupted: number): number {
  if (Math.abs(clean - corrupted) >= smallestDifference) return clean - corrupted;
  throw new UserError(`The model answers both prompts alike: their logit differences are ${clean.toPrecision(4)} and ${corrupted.toPrecision(4)}. Choose prompts that it tells apart.`);
}

/**
 * Lets rows join the batch at their layer and takes their sites' activations from row 0, the clean run. Row 1 is the corrupted
 * run. Behind the last layer only the position `at [1]` goes on.
 */
function patchingHook(config: ModelConfig, sites: readonly Site[], T: number, at: Tensor): Hook {
  const sorted = Array.from({ length: config.n_layers }, (_, layer) => sites.filter(site => site.layer === layer));
  const last = `blocks.${config.n_layers - 1}.hook_resid_post`;
  return (name, value) => {
    // One row, which broadcasts to however many there are by then.
    if (name === 'hook_pos_embed') return tf.slice(value, [0, 0, 0], [1, -1, -1]);
    if (name === last) return tf.gather(value, at, 1);
    const [, layer, hook] = /^blocks\.(\d+)\.(?:attn\.)?hook_(\w+)$/.exec(name) ?? [];
    const joining = layer === undefined ? undefined : sorted[Number(layer)];
    if (!joining) return value;
    const grown = hook === 'resid_pre' && joining.length > 0 ? tf.concat([value, repeatRow(value, 1, joining.length)], 0) : value;
    const before = 2 + sorted.slice(0, Number(layer)).reduce((sum, { length }) => sum + length, 0);
    const masks = joining.map(site => (site.activation === hook ? maskOf(site, config.n_heads, T) : undefined));
    return takeFromClean(grown, before, masks);
  };
}

/** `value [R, …]` with what the masks of the rows from `first` on choose taken from row 0. */
function takeFromClean(value: Tensor, first: number, masks: readonly (Mask | undefined)[]): Tensor {
  const from = masks.findIndex(mask => mask !== undefined);
  const shape = masks[from]?.shape;
  if (!shape) return value;
  const to = masks.findLastIndex(mask => mask !== undefined) + 1;
  const chosen = masks.slice(from, to);
  const rest = value.shape.slice(1);
  const length = shape.reduce((product, size) => product * size, 1);
  const ones = new Float32Array(chosen.length * length);
  chosen.forEach((mask, row) => mask && ones.set(mask.values, row * length));
  const taken = tf.tensor(ones, [chosen.length, ...shape]);
  const zeros = rest.map(() => 0);
  const rows = (start: number, count: number) => tf.slice(value, [start, ...zeros], [count, ...rest]);
  // A product with 0 or 1 leaves finite numbers as they are, and none of these activations is anything else.
  const patched = tf.add(tf.mul(rows(first + from, chosen.length), tf.sub(1, taken)), tf.mul(rows(0, 1), taken));
  const after = (value.shape[0] ?? 0) - first - to;
  return tf.concat([rows(0, first + from), patched, ...(after > 0 ? [rows(first + to, after)] : [])], 0);
}

/** 1 where a site's activation is taken: of `shape`, which broadcasts to one row of the activation. */
interface Mask {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

function maskOf({ activation, head, position }: Site, H: number, T: number): Mask {
  const atPosition = (at: number) => position === undefined || at === position;
  const ofHead = (index: number) => head === undefined || index === head;
  switch (activation) {
    case 'resid_pre':
    case 'attn_out':
    case 'mlp_out':
      return { shape: [T, 1], values: Float32Array.from({ length: T }, (_, at) => Number(atPosition(at))) };
    case 'pattern':
      return { shape: [H, T, 1], values: Float32Array.from({ length: H * T }, (_, at) => Number(ofHead(Math.floor(at / T)) && atPosition(at % T))) };
    default:
      return { shape: [T, H, 1], values: Float32Array.from({ length: T * H }, (_, at) => Number(atPosition(Math.floor(at / H)) && ofHead(at % H))) };
  }
}

function repeatRow(value: Tensor, row: number, count: number): Tensor {
  const rest = value.shape.slice(1);
  return tf.tile(tf.slice(value, [row, ...rest.map(() => 0)], [1, ...rest]), [count, ...rest.map(() => 1)]);
}

function rowsAtOnce({ n_heads: H, d_model: D, d_head: K, d_mlp: M = 0 }: ModelConfig, T: number): number {
  return Math.max(1, Math.floor(mostNumbers / (T * (M + 2 * D + 3 * H * K + H * T))));
}

/** Parts of about equal size. */
function chunks(items: readonly number[], most: number): readonly (readonly number[])[] {
  const count = Math.max(1, Math.ceil(items.length / most));
  const size = Math.ceil(items.length / count);
  return Array.from({ length: count }, (_, part) => items.slice(part * size, (part + 1) * size));
}
