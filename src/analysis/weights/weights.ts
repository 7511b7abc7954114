import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { Matrix } from 'ml-matrix';
import { UserError } from '../../common/errors';
import { unknownName } from '../../common/nearest';
import { float32, type HostTensor } from '../../common/tensor';
import { asFloat32, type RunnableModel } from '../../model/runnable';
import type { ModelConfig } from '../../protocol/config';
import { formatFactor, type PathFactor } from '../../protocol/path';
import { headOf, type Head } from '../heads';

// N rows · C columns · D d_model · K d_head

type HeadPart = 'W_Q' | 'W_K' | 'W_V' | 'W_O';

/** One matrix as the model has it, and whether a product takes its transpose. */
export interface Factor {
  readonly weight: HostTensor<'float32'>;
  readonly transposed: boolean;
}

/** One matrix of one head: `W_Q`, `W_K`, `W_V` `[D, K]`, `W_O` `[K, D]`. It shares its numbers with the model. */
export function headWeight(model: RunnableModel, { layer, head }: Head, part: HeadPart): HostTensor<'float32'> {
  const { shape, data } = model.parameter(`blocks.${layer}.attn.${part}`);
  const [, N = 0, C = 0] = shape;
  return float32([N, C], data.subarray(head * N * C, (head + 1) * N * C));
}

/** The embedding of every word of the vocabulary `[words, D]`: W_E as it is, or where a word is a pair its two halves side by side. */
export function wordEmbeddings(model: RunnableModel): HostTensor<'float32'> {
  const table = model.parameter('embed.W_E');
  if (model.config.tokens_per_position === undefined) return table;
  const [V = 0, half = 0] = table.shape;
  const words = float32([V * V, 2 * half]);
  const row = (part: number) => table.data.subarray(part * half, (part + 1) * half);
  for (let word = 0; word < V * V; word++) {
    words.data.set(row(Math.floor(word / V)), word * 2 * half);
    words.data.set(row(word % V), (word * 2 + 1) * half);
  }
  return words;
}

/**
 * The matrices of one factor of a path, first to last: OV is `W_V W_O`, QK is `W_Q W_Kᵀ`, and a transpose turns them around.
 * @throws UserError for a matrix, layer or head that the model does not have.
 */
export function factorsOf(model: RunnableModel, factor: PathFactor): readonly Factor[] {
  const upright = uprightFactorsOf(model, factor);
  return factor.transposed ? upright.map(({ weight, transposed }) => ({ weight, transposed: !transposed })).reverse() : upright;
}

/** @throws UserError for a factor whose matrix, layer or head a model of this shape does not have. */
export function checkFactor(config: ModelConfig, factor: PathFactor): void {
  switch (factor.matrix) {
    case 'W_E':
    case 'W_U': return;
    case 'W_pos':
      if (!hasPositions(config)) throw new UserError(`There is no W_pos: ${withoutPositions(config)}.`);
      return;
    case 'W_in':
    case 'W_out':
      if (config.attn_only) throw new UserError(`There is no ${formatFactor({ ...factor, transposed: false })}: this model has attention only.`);
      if (factor.layer >= config.n_layers) {
        throw unknownName('MLP', `MLP ${factor.layer}`, Array.from({ length: config.n_layers }, (_, layer) => `MLP ${layer}`));
      }
      return;
    default: headOf(config, `${factor.layer}.${factor.head}`);
  }
}

function uprightFactorsOf(model: RunnableModel, factor: PathFactor): readonly Factor[] {
  checkFactor(model.config, factor);
  const whole = (name: string): readonly Factor[] => [{ weight: model.parameter(name), transposed: false }];
  switch (factor.matrix) {
    case 'W_E': return [{ weight: wordEmbeddings(model), transposed: false }];
    case 'W_U': return whole('unembed.W_U');
    case 'W_pos': return whole('pos_embed.W_pos');
    case 'W_in':
    case 'W_out': return whole(`blocks.${factor.layer}.mlp.${factor.matrix}`);
    default: {
      const part = (name: HeadPart, transposed = false): Factor => ({ weight: headWeight(model, factor, name), transposed });
      switch (factor.matrix) {
        case 'OV': return [part('W_V'), part('W_O')];
        case 'QK': return [part('W_Q'), part('W_K', true)];
        default: return [part(factor.matrix)];
      }
    }
  }
}

/** `[rows, columns]` of a factor as it stands in the product. */
export function shapeOf({ weight: { shape }, transposed }: Factor): readonly [number, number] {
  const [N = 0, C = 0] = shape;
  return transposed ? [C, N] : [N, C];
}

/** The first rows and columns of a factor, as it stands in the product, in float64. */
export function matrixOf({ weight: { shape, data }, transposed }: Factor, mostRows = Infinity, mostColumns = Infinity): Matrix {
  const [, C = 0] = shape;
  const [rows, columns] = shapeOf({ weight: { shape, data, dtype: 'float32' }, transposed });
  const [rowStep, columnStep] = transposed ? [1, C] : [C, 1];
  const matrix = new Matrix(Math.min(rows, mostRows), Math.min(columns, mostColumns));
  for (let row = 0; row < matrix.rows; row++) {
    for (let column = 0; column < matrix.columns; column++) matrix.set(row, column, data[row * rowStep + column * columnStep] ?? 0);
  }
  return matrix;
}

/** The chosen rows `[n, C]` of a weight. */
export function chosenRows({ shape, data }: HostTensor<'float32'>, rows: readonly number[]): HostTensor<'float32'> {
  const [, C = 0] = shape;
  const kept = float32([rows.length, C]);
  rows.forEach((row, at) => kept.data.set(data.subarray(row * C, (row + 1) * C), at * C));
  return kept;
}

/** The chosen columns `[N, n]` of a weight. */
export function columnsOf({ shape, data }: HostTensor<'float32'>, columns: readonly number[]): HostTensor<'float32'> {
  const [N = 0, C = 0] = shape;
  const n = columns.length;
  return float32([N, n], Float32Array.from({ length: N * n }, (_, at) => data[Math.floor(at / n) * C + (columns[at % n] ?? 0)] ?? 0));
}

type Pair = readonly [HostTensor<'float32'>, HostTensor<'float32'>];

/**
 * `(a · b) · (c · d)` in float32 by the model's runtime: for what is computed of every head, where float64 in JavaScript would
 * take a hundred times as long.
 */
export async function quickProduct(model: RunnableModel, first: Pair, second: Pair): Promise<HostTensor<'float32'>> {
  const [product] = await model.compute('product of two products', (_, ...given) => {
    const [a, b, c, d] = four(given);
    return [tf.matMul(tf.matMul(a, b), tf.matMul(c, d))];
  }, [...first, ...second]);
  return asFloat32(product);
}

/**
 * The Frobenius norm of `(a · b) · (c · d)ᵀ`, in float32 by the model's runtime. With `L = a · b` and `R = c · d`, its square is
 * the sum of the entries of `LᵀL ∘ RᵀR`, so that the product itself is never made.
 */
export async function quickNorm(model: RunnableModel, first: Pair, second: Pair): Promise<number> {
  const [square] = await model.compute('norm of a product of two products', (_, ...given) => {
    const [a, b, c, d] = four(given);
    const gram = (x: Tensor) => tf.matMul(x, x, true, false);
    return [tf.sum(tf.mul(gram(tf.matMul(a, b)), gram(tf.matMul(c, d))))];
  }, [...first, ...second]);
  return Math.sqrt(Math.max(0, asFloat32(square).data[0] ?? 0));
}

function four([a, b, c, d]: readonly Tensor[]): readonly [Tensor, Tensor, Tensor, Tensor] {
  if (!a || !b || !c || !d) throw new Error('two products have four factors');
  return [a, b, c, d];
}

/** Whether positions have an embedding that is learnt. */
export function hasPositions({ positional_embedding_type: positions }: ModelConfig): boolean {
  return positions === 'standard' || positions === 'shortformer';
}

/** Why there is no W_pos. */
export function withoutPositions({ positional_embedding_type: positions }: ModelConfig): string {
  return `the positional embedding of this model is "${positions}", which has no weights`;
}

/** What products of this model's weights leave out, as a sentence for a caption; empty where they leave out nothing. */
export function leftOut({ normalization_type, biases }: ModelConfig): string {
  const parts = [...(normalization_type === null ? [] : ['Norms']), ...(biases ? ['biases'] : [])].join(' and ');
  return parts === '' ? '' : ` ${parts.charAt(0).toUpperCase()}${parts.slice(1)} are left out.`;
}
