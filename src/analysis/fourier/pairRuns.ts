import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Hook, Weights } from '../../model/layers';
import { answerLogits } from '../../model/pruned';
import type { ModelConfig } from '../../protocol/config';

// B pairs · T positions · H heads · U d_vocab_out

/**
 * The logits `[B, U]` at `=` of prompts `tokens [B, 3]`, two numbers and `=`, the last word of the vocabulary. A hook sees what
 * each layer computes from its patterns on: in the last layer at `=` alone, as `[B, 1, …]`, patterns as `[B, H, 1, 3]`.
 */
export function pairLogits(config: ModelConfig, weights: Weights, tokens: Tensor, hook: Hook = (_, value) => value): Tensor {
  const equals = config.d_vocab - 1;
  const numbers = Array.from({ length: equals }, (_, number) => number);
  return tf.squeeze(answerLogits(config, weights, tokens, { positions: [2], alphabet: [numbers, numbers, [equals]], hook }), [1]);
}

/** `[B, T, …]` at the last position: `[B, 1, …]`. */
export function lastPosition(value: Tensor): Tensor {
  const [, T = 1, ...rest] = value.shape;
  return tf.slice(value, [0, T - 1, ...rest.map(() => 0)], [-1, 1, ...rest.map(() => -1)]);
}
