import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { ModelConfig } from '../protocol/config';
import {
  attentionInput, attentionOutput, embedTokens, endOfLayer, project, readLogits, rotate, scoreScale, takePositions, type Hook, type Weights,
} from './layers';
import { attend, attendScored, type Attending } from './packing';
import { sparseLayers, sparseLogits } from './sparse';
import { additiveMask, paddingMask } from './transformer';

// B batch · T positions · A answer positions · P distinct (token, position) pairs, or distinct tokens where positions have no embedding · H heads · D d_model · K d_head

export interface AnswerShape {
  /** Positions whose logits are wanted, ascending. */
  readonly positions: readonly number[];
  /** Position → every token that can stand there. */
  readonly alphabet: readonly (readonly number[])[];
  /** Whether short sequences may be packed, which trades products for zeros; not where avoidable work must not count. */
  readonly mayPack?: boolean;
  /**
   * Sees, and may replace, what each layer computes from its patterns on, under the names of the plain forward pass: in the
   * last layer at the answer positions alone. With it nothing is packed, whatever `mayPack` says.
   */
  readonly hook?: Hook;
}

const noHook: Hook = (_, value) => value;

/**
 * The logits `[B, A, U]` at the answer positions alone: exactly what the plain forward pass computes there, without what
 * they do not need. The last layer computes queries, MLP and unembedding at those positions only; and in layer 0, where
 * every projection depends on the pair of token and position alone, it projects the table of distinct pairs and gathers,
 * whenever that table is less than half of the batch. Models whose mask leaves few sources have a pass of their own.
 */
export function answerLogits(config: ModelConfig, weights: Weights, tokens: Tensor, { positions, alphabet, hook, mayPack = true }: AnswerShape): Tensor {
  const see = hook ?? noHook;
  const T = tokens.shape[1] ?? 1;
  const sparse = hook ? undefined : sparseLayers(config, T, positions);
  if (sparse) return sparseLogits(config, weights, tokens, sparse);
  const everywhere = Array.from({ length: T }, (_, position) => position);
  const positionTable = embedPositions(config, weights, T);
  const isShortformer = config.positional_embedding_type === 'shortformer';
  const padding = paddingMask(config, tokens);
  let residual: Tensor | undefined;
  for (let layer = 0; layer < config.n_layers; layer++) {
    const at = `blocks.${layer}`;
    const queries = layer === config.n_layers - 1 ? positions : everywhere;
    const source = layer === 0
      ? firstLayer(config, weights, tokens, pairTable(alphabet, config.positional_embedding_type !== 'none'), queries)
      : laterLayer(config, weights, layer, residual ?? tokens, isShortformer ? positionTable : undefined, queries);
    const attending: Attending = { mayPack: mayPack && !hook, hook: pattern => see(`${at}.attn.hook_pattern`, pattern) };
    const z = see(`${at}.attn.hook_z`, source.mix(additiveMask(config, T, queries, padding), attending)); // [B, A, H, K]
    residual = tf.add(source.residual, see(`${at}.hook_attn_out`, attentionOutput(config, layer, z, weights))); // [B, A, D]
    residual = endOfLayer(config, layer, residual, weights, see);
  }
  if (!residual) throw new Error('a model has at least one layer');
  return readLogits(config, residual, weights, see);
}

/** What a layer's attention reads: how values are mixed under a mask, `[Q, T]` or `[B, 1, Q, T]`, and the residual stream at the queries. */
interface AttentionSource {
  /** `z [B, Q, H, K]` */
  mix(mask: Tensor, how: Attending): Tensor;
  /** `[B, Q, D]` */
  readonly residual: Tensor;
}

function laterLayer(
  config: ModelConfig, weights: Weights, layer: number, residual: Tensor, shortformer: Tensor | undefined, queries: readonly number[],
): AttentionSource {
  const input = attentionInput(config, layer, residual, weights, noHook); // [B, T, D]
  const located = shortformer ? tf.add(input, shortformer) : input;
  const k = project(config, layer, 'K', located, weights); // [B, T, H, K]
  const v = project(config, layer, 'V', input, weights);
  if (config.positional_embedding_type === 'rotary') {
    const q = takePositions(rotate(config, project(config, layer, 'Q', located, weights)), queries, 1);
    return { mix: (...how) => attend(config, q, rotate(config, k), v, ...how), residual: takePositions(residual, queries, 1) };
  }
  const q = project(config, layer, 'Q', takePositions(located, queries, 1), weights); // [B, Q, H, K]
  return { mix: (...how) => attend(config, q, k, v, ...how), residual: takePositions(residual, queries, 1) };
}

/** The distinct pairs of token and position, or the distinct tokens, and where each stands in their table. */
interface PairTable {
  readonly tokens: Int32Array; // [P]
  readonly positions: Int32Array; // [P]
  /** Position → the rows of what can stand there. */
  readonly rowsAt: readonly (readonly number[])[];
  /** `[T · d]` with d one more than the largest token: row of token t at position p, at `p · d + t`. */
  readonly rowOf: Int32Array;
  readonly stride: number;
}

function pairTable(alphabet: readonly (readonly number[])[], byPosition: boolean): PairTable {
  const stride = Math.max(...alphabet.flat()) + 1;
  const rowOf = new Int32Array(alphabet.length * stride);
  const rows = new Map<number, number>();
  const [tokens, positions]: [number[], number[]] = [[], []];
  const rowsAt = alphabet.map((some, position) => some.map(token => {
    const key = byPosition ? position * stride + token : token;
    const row = rows.get(key) ?? rows.size;
    if (row === rows.size) {
      rows.set(key, row);
      tokens.push(token);
      positions.push(position);
    }
    rowOf[position * stride + token] = row;
    return row;
  }));
  return { tokens: Int32Array.from(tokens), positions: Int32Array.from(positions), rowsAt, rowOf, stride };
}

function firstLayer(config: ModelConfig, weights: Weights, tokens: Tensor, table: PairTable, queries: readonly number[]): AttentionSource {
  const [B = 1, T = 1] = tokens.shape;
  const shortformer = config.positional_embedding_type === 'shortformer';
  const size = table.tokens.length;
  // Gathering, and adding the gradients up again, costs about as much as projecting half of a batch.
  if (2 * size > B * T || config.positional_embedding_type === 'rotary') {
    const positions = embedPositions(config, weights, T);
    const embedded = embedTokens(config, weights, tokens); // [B, T, D]
    const residual = positions && !shortformer ? tf.add(embedded, positions) : embedded;
    return laterLayer(config, weights, 0, residual, shortformer ? positions : undefined, queries);
  }

  const embedded = embedTokens(config, weights, tf.tensor1d(table.tokens, 'int32')); // [P, D]
  const position = config.positional_embedding_type === 'none'
    ? undefined
    : tf.gather(weights('pos_embed.W_pos'), tf.tensor1d(table.positions, 'int32')); // [P, D]
  const residual = position && !shortformer ? tf.add(embedded, position) : embedded; // [P, D]
  const input = attentionInput(config, 0, residual, weights, noHook);
  const queryInput = position && shortformer ? tf.add(input, position) : input;

  const offsets = Int32Array.from({ length: T }, (_, position) => position * table.stride);
  const rows = tf.gather(tf.tensor1d(table.rowOf, 'int32'), tf.add(tokens, tf.tensor2d(offsets, [1, T], 'int32'))); // [B, T]
  const queryRows = takePositions(rows, queries, 1); // [B, Q]
  const k = project(config, 0, 'K', queryInput, weights); // [P, H, K]
  const v = project(config, 0, 'V', input, weights); // [P, H, K]
  const values = tf.gather(v, rows); // [B, T, H, K]
  const q = queryTable(config, weights, queryInput, queryRows, table, queries);
  const scores = tableScores(config, q, k, rows, table);
  return {
    mix: (mask, how) => (scores
      ? attendScored(scores, values, mask, how.hook)
      : attend(config, tf.gather(q.rows, q.places), tf.gather(k, rows), values, mask, how)),
    residual: tf.gather(residual, queryRows),
  };
}

/** The queries of the table's rows that queries can be at, and where each query of the batch stands among them. */
interface QueryTable {
  readonly rows: Tensor; // [R, H, K]
  readonly places: Tensor; // [B, Q]
}

function queryTable(
  config: ModelConfig, weights: Weights, queryInput: Tensor, queryRows: Tensor, table: PairTable, queries: readonly number[],
): QueryTable {
  const kept = [...new Set(queries.flatMap(position => table.rowsAt[position] ?? []))];
  const placeOf = new Int32Array(table.tokens.length);
  kept.forEach((row, place) => (placeOf[row] = place));
  return {
    rows: project(config, 0, 'Q', tf.gather(queryInput, tf.tensor1d(kept, 'int32')), weights),
    places: tf.gather(tf.tensor1d(placeOf, 'int32'), queryRows),
  };
}

/**
 * Scores `[B, Q, T, H]` of layer 0 depend on two pairs alone, the query's and the key's: where the table of all of them is
 * smaller than what the batch would compute, score the table and gather.
 */
function tableScores(config: ModelConfig, q: QueryTable, k: Tensor, rows: Tensor, table: PairTable): Tensor | undefined {
  const { n_heads: H } = config;
  const [[B = 1, T = 1], [R = 1], Q = 1, P] = [rows.shape, q.rows.shape, q.places.shape[1], table.tokens.length];
  if (R * P > B * Q * T) return undefined;
  const scores = tf.matMul(tf.transpose(q.rows, [1, 0, 2]), tf.transpose(k, [1, 0, 2]), false, true); // [H, R, P]
  const flat = tf.transpose(tf.reshape(tf.mul(scores, scoreScale(config)), [H, R * P]), [1, 0]); // [R·P, H]
  const at = tf.add(tf.mul(tf.reshape(q.places, [B, Q, 1]), tf.scalar(P, 'int32')), tf.reshape(rows, [B, 1, T])); // [B, Q, T]
  return tf.gather(flat, at);
}

/** The positional embedding `[T, D]` of models that have one. */
function embedPositions(config: ModelConfig, weights: Weights, T: number): Tensor | undefined {
  const { positional_embedding_type: kind } = config;
  return kind === 'standard' || kind === 'shortformer' ? tf.slice(weights('pos_embed.W_pos'), [0, 0], [T, -1]) : undefined;
}
