import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { ModelConfig } from '../protocol/config';
import {
  attentionInput, attentionOutput, attentionScores, embedTokens, endOfLayer, linear, mixValues, project, projectHeads, readLogits, rotate, type Hook,
  type Weights,
} from './layers';
import { allowedAttention } from './mask';

// B batch · T positions · Q query positions · H heads · D d_model · K d_head · U d_vocab_out

export interface ForwardOptions {
  /**
   * Sees, and may replace, the value at every hook point. It may take positions away from the front of the stream, and put
   * their keys and values back at `hook_k` and `hook_v`: queries are always the last of the positions that they read.
   */
  readonly hook?: Hook;
  /** Whether `hook_result` is wanted, which the forward pass does not need anyway. */
  readonly wantsResult?: boolean;
  /**
   * Whether every reader of the residual stream gets a copy of its own to hook: `blocks.i.hook_q_input`, `hook_k_input` and
   * `hook_v_input` `[B, T, H, D]` before `ln1`, and `hook_mlp_in` `[B, T, D]` before `ln2` (TransformerLens' `use_split_qkv_input`
   * and `use_hook_mlp_in`). What is done to one reader's copy reaches no other.
   */
  readonly splitInputs?: boolean;
}

/** The decoder transformer of TransformerLens, read top to bottom: `tokens [B, T]` int32 → logits `[B, T, U]`. */
export function forward(config: ModelConfig, weights: Weights, tokens: Tensor, options: ForwardOptions = {}): Tensor {
  const hook = options.hook ?? ((_, value) => value);
  const T = tokens.shape[1] ?? 0;
  const { positional_embedding_type: positions } = config;

  const embedded = hook('hook_embed', embedTokens(config, weights, tokens)); // [B, T, D]
  const hasTable = positions === 'standard' || positions === 'shortformer';
  const position = hasTable ? hook('hook_pos_embed', positionsFor(tokens, weights, T)) : undefined; // [B, T, D]
  let residual = position && positions === 'standard' ? tf.add(embedded, position) : embedded;
  const shortformer = positions === 'shortformer' ? position : undefined;
  const padding = paddingMask(config, tokens);

  for (let layer = 0; layer < config.n_layers; layer++) {
    const at = `blocks.${layer}`;
    residual = hook(`${at}.hook_resid_pre`, residual);
    const attention = hook(`${at}.hook_attn_out`, attend(config, layer, residual, { shortformer, padding }, weights, hook, options));
    residual = endOfLayer(config, layer, tf.add(residual, attention), weights, hook, options.splitInputs);
  }
  return readLogits(config, residual, weights, hook); // [B, T, U]
}

function positionsFor(tokens: Tensor, weights: Weights, T: number): Tensor {
  const table = tf.slice(weights('pos_embed.W_pos'), [0, 0], [T, -1]); // [T, D]
  return tf.tile(tf.expandDims(table, 0), [tokens.shape[0] ?? 1, 1, 1]);
}

/** What every layer's attention is given beside the residual stream. */
interface Everywhere {
  /** `[B, T, D]` */
  readonly shortformer: Tensor | undefined;
  /** `[B, 1, 1, T]` */
  readonly padding: Tensor | undefined;
}

function attend(
  config: ModelConfig, layer: number, residual: Tensor, { shortformer, padding }: Everywhere, weights: Weights, hook: Hook,
  { wantsResult = false, splitInputs = false }: ForwardOptions,
): Tensor {
  const at = `blocks.${layer}.attn`;
  const read = splitInputs ? splitReads(config, layer, residual, shortformer, weights, hook) : wholeReads(config, layer, residual, shortformer, weights, hook);
  let q = hook(`${at}.hook_q`, read('Q')); // [B, T, H, K]
  let k = hook(`${at}.hook_k`, read('K'));
  const v = hook(`${at}.hook_v`, read('V'));
  const [Q = 0, T = 0] = [q.shape[1], k.shape[1]];
  if (config.positional_embedding_type === 'rotary') {
    q = hook(`${at}.hook_rot_q`, rotate(config, q, T - Q));
    k = hook(`${at}.hook_rot_k`, rotate(config, k));
  }
  const destinations = Array.from({ length: Q }, (_, query) => T - Q + query);
  const masked = tf.add(attentionScores(config, q, k), additiveMask(config, T, destinations, padding)); // [B, H, Q, T]
  const pattern = hook(`${at}.hook_pattern`, tf.softmax(hook(`${at}.hook_attn_scores`, masked)));
  const z = hook(`${at}.hook_z`, mixValues(pattern, v)); // [B, T, H, K]
  if (!wantsResult) return attentionOutput(config, layer, z, weights);
  const result = hook(`${at}.hook_result`, headResults(config, layer, z, weights)); // [B, T, H, D]
  const sum = tf.sum(result, 2);
  return config.biases ? tf.add(sum, weights(`${at}.b_O`)) : sum;
}

/** Queries, keys or values `[B, T, H, K]` of the residual stream. */
type Reads = (part: 'Q' | 'K' | 'V') => Tensor;

function wholeReads(config: ModelConfig, layer: number, residual: Tensor, shortformer: Tensor | undefined, weights: Weights, hook: Hook): Reads {
  const input = attentionInput(config, layer, residual, weights, hook); // [B, T, D]
  const located = shortformer ? tf.add(input, shortformer) : input;
  return part => project(config, layer, part, part === 'V' ? input : located, weights);
}

/** As above, of a copy of the residual stream for each head and part. The norm of the copies is not hooked: its name would be met three times. */
function splitReads(config: ModelConfig, layer: number, residual: Tensor, shortformer: Tensor | undefined, weights: Weights, hook: Hook): Reads {
  const copies = tf.tile(tf.expandDims(residual, 2), [1, 1, config.n_heads, 1]); // [B, T, H, D]
  const located = shortformer && tf.expandDims(shortformer, 2);
  return part => {
    const copy = hook(`blocks.${layer}.hook_${part.toLowerCase()}_input`, copies);
    const input = attentionInput(config, layer, copy, weights, (_, value) => value);
    return projectHeads(config, layer, part, located && part !== 'V' ? tf.add(input, located) : input, weights);
  };
}

/** What each head writes to the residual stream: `[B, T, H, D]`. */
function headResults({ n_heads: H, d_model: D, d_head: K }: ModelConfig, layer: number, z: Tensor, weights: Weights): Tensor {
  const w = tf.split(weights(`blocks.${layer}.attn.W_O`), H, 0); // H × [1, K, D]
  const heads = tf.split(z, H, 2).map((part, head) => {
    const matrix = w[head];
    if (!matrix) throw new Error(`W_O has no head ${head}`);
    return linear(part, tf.reshape(matrix, [K, D])); // [B, T, 1, D]
  });
  return tf.concat(heads, 2);
}

/** 0 at the positions of `tokens [B, T]` that hold something and -Infinity at padding: `[B, 1, 1, T]`; undefined where nothing is padding. */
export function paddingMask({ padding_token }: ModelConfig, tokens: Tensor): Tensor | undefined {
  if (padding_token === undefined) return undefined;
  const [B = 1, T = 1] = tokens.shape;
  const holds = tf.cast(tf.notEqual(tokens, tf.scalar(padding_token, 'int32')), 'float32');
  return tf.reshape(tf.log(holds), [B, 1, 1, T]);
}

/**
 * 0 where attention over `T` positions is allowed and -Infinity where it is not, for some destinations: `[Q, T]`, or with the
 * padding of examples `[B, 1, Q, T]`.
 */
export function additiveMask(config: ModelConfig, T: number, destinations: readonly number[], padding?: Tensor): Tensor {
  const allowed = allowedAttention(config, T);
  const values = destinations.flatMap(row => Array.from(allowed.subarray(row * T, (row + 1) * T), value => (value === 1 ? 0 : -Infinity)));
  const mask = tf.tensor(values, [destinations.length, T], 'float32');
  return padding ? tf.add(mask, padding) : mask;
}
