import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Weights } from '../../model/layers';
import type { ModelConfig } from '../../protocol/config';
import { beforeNorm } from './logitContrast';

// B batch · A answers an example · T positions, or 1 · D d_model

/** How something measured reads a vector of the residual stream: its product with the direction, times the share of its position. */
export interface Reading {
  /** `[B, A, D]` */
  readonly direction: Tensor;
  /** `[B, A, T]` of several positions, or `[B, A, 1]` of the one where the answer is read. */
  readonly share: Tensor;
}

/** How one thing measured of a layer's input, or of the end of the model, reads all that was written before. */
export interface StreamReadings {
  readonly embedding: Reading;
  /** What attention and MLP of each layer write. */
  readonly layers: readonly { readonly attention: Reading; readonly mlp: Reading }[];
  /** What each norm between them puts out, where norms come after what they norm. */
  readonly norms: readonly { readonly at: string; readonly reading: Reading }[];
}

/**
 * Follows what is read of the stream behind `layers` layers back to what wrote it. A stream that is a plain sum is read alike
 * everywhere; where norms stand in it, each turns the direction, and its scale, held as it was, divides the share.
 * @param scaleOf a norm's scale where the stream is read, `[B, 1, T]` or `[B, A, 1]`
 */
export function readingsOfStream(config: ModelConfig, layers: number, read: Reading, weights: Weights, scaleOf: (at: string) => Tensor): StreamReadings {
  const { attn_only, normalization_position } = config;
  const norms: StreamReadings['norms'][number][] = [];
  const found: StreamReadings['layers'][number][] = [];
  let reading = read;
  const passNorm = (at: string) => {
    if (normalization_position !== 'after') return;
    norms.unshift({ at, reading });
    reading = throughNorm(config, at, reading, weights, scaleOf);
  };
  for (let layer = layers - 1; layer >= 0; layer--) {
    const at = `blocks.${layer}`;
    passNorm(`${at}.${attn_only ? 'ln1' : 'ln2'}`);
    const mlp = reading;
    if (!attn_only) passNorm(`${at}.ln1`);
    found.unshift({ attention: reading, mlp });
  }
  return { embedding: reading, layers: found, norms };
}

/** A reading behind a norm as one before it, without its bias. */
export function throughNorm(config: ModelConfig, at: string, { direction, share }: Reading, weights: Weights, scaleOf: (at: string) => Tensor): Reading {
  if (config.normalization_type === null) return { direction, share };
  return { direction: beforeNorm(config, at, direction, weights), share: tf.div(share, scaleOf(at)) };
}
