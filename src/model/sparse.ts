import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { ModelConfig } from '../protocol/config';
import {
  attentionInput, attentionOutput, endOfLayer, project, readLogits, scoreScale, softmaxOverKeys, takePositions, type Hook, type Weights,
} from './layers';
import { allowedAttention } from './mask';

// B batch · P positions that a layer reads · Q its queries · S those of them with several sources · N the most sources of one
// H heads · D d_model · K d_head · A answer positions · U outputs

/** What the answers need of one layer of a model whose mask leaves every destination few sources. */
export interface SparseLayer {
  /** The positions that the layer reads, ascending: `[P]`. */
  readonly positions: readonly number[];
  /** Where its queries stand among them: `[Q]`. */
  readonly queries: readonly number[];
  /** Where the sources of each query stand among them. */
  readonly sources: readonly (readonly number[])[];
}

/**
 * The layers of a model whose own mask leaves each destination at most half of the positions as sources, and someone in
 * each layer more than one. Nothing for other models: who attends widely attends faster by products of matrices, and
 * where nobody has a choice, nothing depends on queries and keys, of which a gradient is asked all the same.
 */
export function sparseLayers(config: ModelConfig, T: number, answers: readonly number[]): readonly SparseLayer[] | undefined {
  if (!config.mask || config.positional_embedding_type === 'rotary' || config.padding_token !== undefined || config.tokens_per_position !== undefined) return undefined;
  const allowed = allowedAttention(config, T);
  const everywhere = Array.from({ length: T }, (_, position) => position);
  const sourcesOf = (destination: number) => everywhere.filter(source => allowed[destination * T + source] === 1);
  const layers: SparseLayer[] = [];
  for (let needed = answers; layers.length < config.n_layers;) {
    const sources = needed.map(sourcesOf);
    const positions = ascending([...needed, ...sources.flat()]);
    const place = (position: number) => positions.indexOf(position);
    layers.unshift({ positions, queries: needed.map(place), sources: sources.map(some => some.map(place)) });
    needed = positions;
  }
  const isSparse = ({ sources }: SparseLayer) => sources.every(some => 2 * some.length <= T) && sources.some(some => some.length > 1);
  return layers.every(isSparse) ? layers : undefined;
}

/**
 * The logits `[B, A, U]` of such a model: each layer computes the positions that the next one reads, and the scores that
 * the mask allows. The batch lies within the positions, so that what is taken at a position and mixed is a whole block:
 * where d_model is small, the time goes into passes over small tensors and not into products.
 */
export function sparseLogits(config: ModelConfig, weights: Weights, tokens: Tensor, layers: readonly SparseLayer[]): Tensor {
  const kind = config.positional_embedding_type;
  const positionsOf = (layer: number) => layers[layer]?.positions ?? [];
  const table = (layer: number) => tf.expandDims(take(weights('pos_embed.W_pos'), positionsOf(layer)), 1); // [P, 1, D]
  const embedded = tf.gather(weights('embed.W_E'), take(tf.transpose(tokens), positionsOf(0))); // [P, B, D]
  const [, B = 1, D = 1] = embedded.shape;
  const opened = (blocks: Tensor) => tf.reshape(blocks, [-1, B, D]);
  let residual = blocksOf(kind === 'standard' ? tf.add(embedded, table(0)) : embedded); // [P, B·D]
  layers.forEach((reads, layer) => {
    const input = attentionInput(config, layer, opened(residual), weights, noHook);
    const located = kind === 'shortformer' ? tf.add(input, table(layer)) : input;
    const z = mix(config, layer, located, project(config, layer, 'V', input, weights), reads, weights); // [Q, B, H, K]
    residual = tf.add(take(residual, reads.queries), blocksOf(attentionOutput(config, layer, z, weights))); // [Q, B·D]
    residual = blocksOf(endOfLayer(config, layer, opened(residual), weights, noHook));
  });
  const answers = tf.transpose(opened(residual), [1, 0, 2]); // [B, A, D]
  return readLogits(config, answers, weights, noHook);
}

/** `z [Q, B, H, K]` of values `[P, B, H, K]`. A single source is taken as it is: its pattern is 1. */
function mix(config: ModelConfig, layer: number, located: Tensor, v: Tensor, { queries, sources }: SparseLayer, weights: Weights): Tensor {
  const [P = 1, B = 1, H = 1, K = 1] = v.shape;
  const values = tf.reshape(v, [P, B * H * K]);
  const several = sources.flatMap((some, query) => (some.length > 1 ? [query] : []));
  const asked = several.map(query => queries[query] ?? 0);
  const weighted = weigh(config, layer, located, asked, several.map(query => sources[query] ?? []), values, weights); // [S·N, B·H·K]
  const N = (weighted.shape[0] ?? 0) / several.length;
  const parts = tf.concat([values, weighted]); // [P + S·N, B·H·K]
  const isOf = (query: number, part: number) => (part < P
    ? sources[query]?.length === 1 && sources[query]?.[0] === part
    : several[Math.floor((part - P) / N)] === query);
  const chosen = matrix(sources.length, P + several.length * N, (query, part) => Number(isOf(query, part)));
  return tf.reshape(tf.matMul(chosen, parts), [-1, B, H, K]);
}

/** `[S·N, B·H·K]`: the values of each source of the asking positions, times its pattern. Who has fewer than N gets zeros. */
function weigh(
  config: ModelConfig, layer: number, located: Tensor, asked: readonly number[], sources: readonly (readonly number[])[], values: Tensor, weights: Weights,
): Tensor {
  const { n_heads: H, d_head: K } = config;
  const [S, B = 1] = [sources.length, located.shape[1]];
  const N = Math.max(...sources.map(some => some.length));
  const slots = sources.flatMap(some => Array.from({ length: N }, (_, slot) => some[slot])); // [S·N]
  const read = slots.map(source => source ?? 0);
  const keyed = ascending(read);
  const q = project(config, layer, 'Q', take(located, asked), weights); // [S, B, H, K]
  const k = project(config, layer, 'K', take(located, keyed), weights);
  const keys = take(k, read.map(source => keyed.indexOf(source))); // [S·N, B, H, K]
  const products = tf.mul(tf.reshape(q, [S, 1, B * H * K]), tf.reshape(keys, [S, N, B * H * K])); // [S, N, B·H·K]
  // Rows so short are added up, and repeated, faster by a product with constants.
  const ofHead = (scale: number) => matrix(H * K, H, (dimension, head) => (Math.floor(dimension / K) === head ? scale : 0));
  const scores = tf.matMul(tf.reshape(products, [S * N * B, H * K]), ofHead(scoreScale(config))); // [S·N·B, H]
  const mask = tf.tensor(slots.map(source => (source === undefined ? -Infinity : 0)), [S, N, 1], 'float32');
  const pattern = softmaxOverKeys(tf.add(tf.reshape(scores, [S, N, B * H]), mask));
  const repeated = tf.matMul(tf.reshape(pattern, [S * N * B, H]), ofHead(1), false, true); // [S·N·B, H·K]
  return tf.mul(tf.reshape(repeated, [S * N, B * H * K]), take(values, read));
}

/** The blocks of `x [P, …]` at some places. */
function take(x: Tensor, places: readonly number[]): Tensor {
  return tf.reshape(takePositions(blocksOf(x), places, 0), [places.length, ...x.shape.slice(1)]);
}

/** `x [P, …]` as a matrix of one row a position. Sums of such rows need no further shape. */
function blocksOf(x: Tensor): Tensor {
  return tf.reshape(x, [x.shape[0] ?? 1, -1]);
}

function matrix(rows: number, columns: number, element: (row: number, column: number) => number): Tensor {
  return tf.tensor(Float32Array.from({ length: rows * columns }, (_, at) => element(Math.floor(at / columns), at % columns)), [rows, columns]);
}

function ascending(numbers: readonly number[]): readonly number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

const noHook: Hook = (_, value) => value;
