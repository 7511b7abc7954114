import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Hook, Weights } from '../../model/layers';
import { answerLogits } from '../../model/pruned';
import type { ModelConfig } from '../../protocol/config';

// B pairs · T positions · H heads · U d_vocab_out · p modulus

/**
 * The logits `[B, p]` of the numbers at `=` of prompts `tokens [B, 3]`, two numbers and `=`, the token p. A hook sees what each
 * layer computes from its patterns on: in the last layer at `=` alone, as `[B, 1, …]`, patterns as `[B, H, 1, 3]`.
 */
export function pairLogits(config: ModelConfig, p: number, weights: Weights, tokens: Tensor, hook: Hook = (_, value) => value): Tensor {
  const numbers = Array.from({ length: p }, (_, number) => number);
  const logits = tf.squeeze(answerLogits(config, weights, tokens, { positions: [2], alphabet: [numbers, numbers, [p]], hook }), [1]); // [B, U]
  return ofNumbers(config, p, logits);
}

/** `[…, U]` of the outputs that are numbers, `[…, p]`: a model that was imported can have others, such as `=`. */
export function ofNumbers({ d_vocab_out }: ModelConfig, p: number, value: Tensor): Tensor {
  return d_vocab_out === p ? value : tf.slice(value, value.shape.map(() => 0), [...value.shape.slice(0, -1).map(() => -1), p]);
}

/** `[B, T, …]` at the last position: `[B, 1, …]`. */
export function lastPosition(value: Tensor): Tensor {
  const [, T = 1, ...rest] = value.shape;
  return tf.slice(value, [0, T - 1, ...rest.map(() => 0)], [-1, 1, ...rest.map(() => -1)]);
}
