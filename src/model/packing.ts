import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { ModelConfig } from '../protocol/config';
import { attentionScores, mixForSingleQuery, mixValues, singleQueryScores, softmaxOverKeys } from './layers';

// B batch · G examples packed together · T positions · Q query positions · H heads · K d_head

/** Positions up to which a product of matrices costs its overhead more than its arithmetic. */
const smallSequence = 20;

/** Sees a pattern `[B, H, Q, T]`, and gives what takes its place. */
type PatternHook = (pattern: Tensor) => Tensor;

/** How queries attend. */
export interface Attending {
  /** Whether short sequences may be packed, of which there is no pattern for each example. */
  readonly mayPack: boolean;
  readonly hook: PatternHook;
}

/**
 * `z [B, Q, H, K]` of queries `[B, Q, H, K]`, keys and values `[B, T, H, K]` under an additive mask, `[Q, T]` or one for each
 * example, `[B, 1, Q, T]`.
 *
 * Short sequences are packed, `G` examples as one of `G·T` positions in which none sees another's: the same numbers, as
 * what the mask forbids weighs exactly 0, for a fraction of the matrix products. On 128 examples of 5 positions and
 * d_head 8 each batch of products takes half the time.
 */
export function attend(config: ModelConfig, q: Tensor, k: Tensor, v: Tensor, mask: Tensor, { mayPack, hook }: Attending): Tensor {
  const [B = 1, T = 1, H = 1, K = 1] = k.shape;
  const Q = q.shape[1] ?? 1;
  if (Q === 1) return attendScored(tf.expandDims(singleQueryScores(config, q, k), 1), v, mask, hook);
  const G = mayPack && mask.rank === 2 ? packedExamples(B, T) : 1;
  const [queries, keys, values] = [tf.reshape(q, [B / G, G * Q, H, K]), tf.reshape(k, [B / G, G * T, H, K]), tf.reshape(v, [B / G, G * T, H, K])];
  const scores = tf.add(attentionScores(config, queries, keys), packedMask(mask, G)); // [B/G, H, G·Q, G·T]
  const pattern = tf.softmax(scores);
  return tf.reshape(mixValues(G === 1 ? hook(pattern) : pattern, values), [B, Q, H, K]);
}

/** As above, of scores `[B, Q, T, H]` before the mask. */
export function attendScored(scores: Tensor, v: Tensor, mask: Tensor, hook: PatternHook): Tensor {
  const [B = 1, Q = 1, T = 1, H = 1] = scores.shape;
  if (Q > 1) return mixValues(hook(tf.softmax(tf.add(tf.transpose(scores, [0, 3, 1, 2]), mask))), v);
  const masked = tf.add(tf.reshape(scores, [B, T, H]), tf.reshape(mask, mask.rank === 2 ? [T, 1] : [B, T, 1]));
  return mixForSingleQuery(hookSingleQuery(softmaxOverKeys(masked), hook), v);
}

/** The pattern `[B, T, H]` of a single query, turned round for the hook, and back only where that replaces it. */
function hookSingleQuery(pattern: Tensor, hook: PatternHook): Tensor {
  const [B = 1, T = 1, H = 1] = pattern.shape;
  const shown = tf.reshape(tf.transpose(pattern, [0, 2, 1]), [B, H, 1, T]);
  const hooked = hook(shown);
  return hooked === shown ? pattern : tf.transpose(tf.reshape(hooked, [B, H, T]), [0, 2, 1]);
}

/** The most examples, dividing the batch evenly, that stay a small sequence together. */
function packedExamples(B: number, T: number): number {
  for (let G = Math.floor(smallSequence / T); G > 1; G--) if (B % G === 0) return G;
  return 1;
}

/** The mask `[Q, T]` in each block on the diagonal, and -Infinity outside of them: `[G·Q, G·T]`. */
function packedMask(mask: Tensor, G: number): Tensor {
  if (G === 1) return mask;
  const [Q = 1, T = 1] = mask.shape;
  const outside = Float32Array.from({ length: G * G }, (_, at) => (Math.floor(at / G) === at % G ? 0 : -Infinity));
  const blocks = tf.add(tf.reshape(mask, [1, Q, 1, T]), tf.tensor(outside, [G, 1, G, 1])); // [G, Q, G, T]
  return tf.reshape(blocks, [G * Q, G * T]);
}
