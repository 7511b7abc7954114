import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Hook, Weights } from '../../model/layers';
import { forward } from '../../model/transformer';
import type { ModelConfig } from '../../protocol/config';

// B pairs · V d_vocab · T positions · H heads · D d_model · K d_head · U d_vocab_out

/**
 * The logits `[B, U]` at `=` of prompts `tokens [B, 3]`, all of which end with the same token. What the last layer computes of
 * its queries on is computed at `=` alone, and so a hook sees it there as `[B, 1, …]`, patterns as `[B, H, 1, 3]`. In layers
 * before, a hook sees all three positions; but in a model of one layer it is not called before there are patterns, as what
 * they are made of is computed once for each token and not for each pair.
 */
export function pairLogits(config: ModelConfig, weights: Weights, tokens: Tensor, hook: Hook = (_, value) => value): Tensor {
  const logits = config.n_layers === 1 ? oneLayerLogits(config, weights, tokens, hook) : deepLogits(config, weights, tokens, hook);
  return tf.squeeze(logits, [1]);
}

/** With the queries of the last layer at `=` alone: what attention adds there to the other positions is wrong, and cut away. */
function deepLogits(config: ModelConfig, weights: Weights, tokens: Tensor, hook: Hook): Tensor {
  const last = `blocks.${config.n_layers - 1}`;
  const cut = new Set([`${last}.attn.hook_q`, `${last}.${config.attn_only ? 'hook_resid_post' : 'hook_resid_mid'}`]);
  return forward(config, weights, tokens, { hook: (name, value) => hook(name, cut.has(name) ? lastPosition(value) : value) });
}

/**
 * Queries, keys and values of the first layer depend on a token and its position alone. So they are made of one prompt for
 * each token, `[n, n, =]`, and scores and values then gathered for the pairs.
 */
function oneLayerLogits(config: ModelConfig, weights: Weights, tokens: Tensor, hook: Hook): Tensor {
  const V = config.d_vocab;
  const numbers = tf.reshape(tf.range(0, V, 1, 'int32'), [V, 1]);
  const equals = tf.tile(tf.slice(tokens, [0, 2], [1, 1]), [V, 1]);
  const prompts = tf.concat([numbers, numbers, equals], 1); // [V, 3]
  const places = tf.reshape(tf.add(tf.mul(tokens, tf.scalar(3, 'int32')), tf.tensor2d([0, 1, 2], [1, 3], 'int32')), [-1]); // [B·3], in [V·3]
  /** `[V, 3, …]` → `[B, 3, …]` */
  const forPairs = (table: Tensor) => {
    const rest = table.shape.slice(2);
    return tf.reshape(tf.gather(tf.reshape(table, [V * 3, ...rest]), places), [-1, 3, ...rest]);
  };
  let read: Tensor | undefined; // [V, 3, H, D]
  const copies = () => read ?? missing();
  const changes: Readonly<Record<string, (value: Tensor) => Tensor>> = {
    'blocks.0.hook_resid_pre': value => {
      read = tf.tile(tf.expandDims(value, 2), [1, 1, config.n_heads, 1]);
      // Before anything is added to it, the stream at `=` is the same for every pair.
      return tf.slice(value, [0, 2, 0], [1, 1, -1]); // [1, 1, D]
    },
    'blocks.0.hook_q_input': copies,
    'blocks.0.hook_k_input': copies,
    'blocks.0.hook_v_input': copies,
    'blocks.0.attn.hook_q': lastPosition, // [V, 1, H, K]
    'blocks.0.attn.hook_v': forPairs, // [B, 3, H, K]
    'blocks.0.attn.hook_attn_scores': value => { // [V, H, 1, 3] → [B, H, 1, 3]
      const byPosition = tf.transpose(tf.squeeze(value, [2]), [0, 2, 1]); // [V, 3, H]
      return tf.expandDims(tf.transpose(forPairs(byPosition), [0, 2, 1]), 2);
    },
  };
  let hasPatterns = false;
  return forward(config, weights, prompts, {
    splitInputs: true,
    hook: (name, value) => {
      hasPatterns ||= name === 'blocks.0.attn.hook_pattern';
      return hasPatterns ? hook(name, value) : changes[name]?.(value) ?? value;
    },
  });
}

function missing(): never {
  throw new Error('the forward pass did not meet the residual stream before layer 0');
}

/** `[B, T, …]` at the last position: `[B, 1, …]`. */
export function lastPosition(value: Tensor): Tensor {
  const [, T = 1, ...rest] = value.shape;
  return tf.slice(value, [0, T - 1, ...rest.map(() => 0)], [-1, 1, ...rest.map(() => -1)]);
}
