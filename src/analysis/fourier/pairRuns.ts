import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Hook, Weights } from '../../model/layers';
import { forward } from '../../model/transformer';
import type { ModelConfig } from '../../protocol/config';

// B pairs · D d_model · U d_vocab_out

/**
 * The logits `[B, U]` at `=` of prompts `tokens [B, 3]`. What comes after the last layer's attention is computed at `=` alone,
 * and so a hook sees it there as `[B, 1, …]`; what comes before has all three positions.
 */
export function pairLogits(config: ModelConfig, weights: Weights, tokens: Tensor, hook: Hook = (_, value) => value): Tensor {
  const afterAttention = `blocks.${config.n_layers - 1}.${config.attn_only ? 'hook_resid_post' : 'hook_resid_mid'}`;
  const logits = forward(config, weights, tokens, {
    hook: (name, value) => hook(name, name === afterAttention ? lastPosition(value) : value),
  });
  return tf.squeeze(logits, [1]);
}

/** `[B, T, D]` at the last position: `[B, 1, D]`. */
export function lastPosition(value: Tensor): Tensor {
  const [B = 1, T = 1, D = 1] = value.shape;
  return tf.slice(value, [0, T - 1, 0], [B, 1, D]);
}
