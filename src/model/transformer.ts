import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { ModelConfig } from '../protocol/config';
import {
  attentionOutput, attentionScores, linear, mixValues, mlp, normalize, project, rotate, unembed, type Hook, type Weights,
} from './layers';
import { allowedAttention } from './mask';

// B batch · T positions · Q query positions · H heads · D d_model · K d_head · U d_vocab_out

export interface ForwardOptions {
  /** Sees, and may replace, the value at every hook point. */
  readonly hook?: Hook;
  /** Whether `hook_result` is wanted: it is the only activation that the forward pass does not need anyway. */
  readonly wantsResult?: boolean;
}

/** The decoder transformer of TransformerLens, read top to bottom: `tokens [B, T]` int32 → logits `[B, T, U]`. */
export function forward(config: ModelConfig, weights: Weights, tokens: Tensor, options: ForwardOptions = {}): Tensor {
  const hook = options.hook ?? ((_, value) => value);
  const T = tokens.shape[1] ?? 0;
  const { positional_embedding_type: positions } = config;

  const embedded = hook('hook_embed', tf.gather(weights('embed.W_E'), tokens)); // [B, T, D]
  const hasTable = positions === 'standard' || positions === 'shortformer';
  const position = hasTable ? hook('hook_pos_embed', positionsFor(tokens, weights, T)) : undefined; // [B, T, D]
  let residual = position && positions === 'standard' ? tf.add(embedded, position) : embedded;
  const shortformer = positions === 'shortformer' ? position : undefined;

  for (let layer = 0; layer < config.n_layers; layer++) {
    const at = `blocks.${layer}`;
    residual = hook(`${at}.hook_resid_pre`, residual);
    const attention = hook(`${at}.hook_attn_out`, attend(config, layer, residual, shortformer, weights, hook, options.wantsResult ?? false));
    residual = tf.add(residual, attention);
    if (!config.attn_only) {
      residual = hook(`${at}.hook_resid_mid`, residual);
      const input = normalize(config, `${at}.ln2`, residual, weights, hook);
      residual = tf.add(residual, hook(`${at}.hook_mlp_out`, mlp(config, layer, input, weights, hook)));
    }
    residual = hook(`${at}.hook_resid_post`, residual);
  }
  return unembed(config, normalize(config, 'ln_final', residual, weights, hook), weights); // [B, T, U]
}

function positionsFor(tokens: Tensor, weights: Weights, T: number): Tensor {
  const table = tf.slice(weights('pos_embed.W_pos'), [0, 0], [T, -1]); // [T, D]
  return tf.tile(tf.expandDims(table, 0), [tokens.shape[0] ?? 1, 1, 1]);
}

function attend(
  config: ModelConfig, layer: number, residual: Tensor, shortformer: Tensor | undefined, weights: Weights, hook: Hook, wantsResult: boolean,
): Tensor {
  const at = `blocks.${layer}.attn`;
  const T = residual.shape[1] ?? 0;
  const input = normalize(config, `blocks.${layer}.ln1`, residual, weights, hook); // [B, T, D]
  const located = shortformer ? tf.add(input, shortformer) : input;
  let q = hook(`${at}.hook_q`, project(config, layer, 'Q', located, weights)); // [B, T, H, K]
  let k = hook(`${at}.hook_k`, project(config, layer, 'K', located, weights));
  const v = hook(`${at}.hook_v`, project(config, layer, 'V', input, weights));
  if (config.positional_embedding_type === 'rotary') {
    q = hook(`${at}.hook_rot_q`, rotate(config, q));
    k = hook(`${at}.hook_rot_k`, rotate(config, k));
  }
  const masked = tf.add(attentionScores(config, q, k), additiveMask(config, T)); // [B, H, Q, T]
  const pattern = hook(`${at}.hook_pattern`, tf.softmax(hook(`${at}.hook_attn_scores`, masked)));
  const z = hook(`${at}.hook_z`, mixValues(pattern, v)); // [B, T, H, K]
  if (!wantsResult) return attentionOutput(config, layer, z, weights);
  const result = hook(`${at}.hook_result`, headResults(config, layer, z, weights)); // [B, T, H, D]
  const sum = tf.sum(result, 2);
  return config.biases ? tf.add(sum, weights(`${at}.b_O`)) : sum;
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

/** 0 where attention is allowed and -Infinity where it is not: `[T, T]`, or its rows at some destinations. */
export function additiveMask(config: ModelConfig, T: number, destinations?: readonly number[]): Tensor {
  const allowed = allowedAttention(config, T);
  const rows = destinations ?? Array.from({ length: T }, (_, position) => position);
  const values = rows.flatMap(row => Array.from(allowed.subarray(row * T, (row + 1) * T), value => (value === 1 ? 0 : -Infinity)));
  return tf.tensor(values, [rows.length, T], 'float32');
}
