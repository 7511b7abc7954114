import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { HostTensor } from '../../common/tensor';
import { linear, type Weights } from '../../model/layers';
import { asFloat32, type RunnableModel } from '../../model/runnable';
import { forward } from '../../model/transformer';
import type { ModelConfig } from '../../protocol/config';
import type { Subject } from '../../protocol/figure';
import type { Task } from '../../tasks/task';
import { unmet } from '../activations';
import { componentName } from '../heads';
import { atAnswers, contrastOver, weighted, type ContrastInputs } from './logitContrast';
import { readingsOfStream, throughNorm, type Reading, type StreamReadings } from './streamReadings';

// B batch · T positions · A answers an example · N terms · H heads · D d_model · K d_head · U d_vocab_out

/** Terms that sum to something measured of the logits. */
export interface Attribution {
  readonly terms: readonly Term[];
  /** `[N, B, A]` */
  readonly values: Float32Array;
  /** `[B, A]` */
  readonly total: Float32Array;
  /** The largest difference of the sum of the terms from the total. */
  readonly error: number;
}

export interface Term {
  readonly name: string;
  readonly subject?: Subject;
}

/** The terms may miss their total by this much of the sum of their sizes (or of 1): float32 does by some 1e-6 of it. */
const largestError = 1e-4;

/**
 * What each component writes to the residual stream, multiplied with the direction in it that raises what is measured of the
 * logits, behind the final norm with its scale held as it was (Elhage et al. 2021, "A Mathematical Framework for Transformer
 * Circuits"; TransformerLens: `logit_attrs` of `decompose_resid` and `stack_head_results`); and so behind every norm that stands
 * in the stream itself. The terms sum to what is measured less its part of `b_U`.
 *
 * The biases b_V are in the term of their head and b_out in that of their MLP; b_O, which no head owns, is a term for each
 * layer, and so is the bias of each norm in the stream. Positions are a term where they enter the residual stream.
 */
export async function attributeComponents(model: RunnableModel, task: Task, tokens: HostTensor<'int32'>, contrast: ContrastInputs): Promise<Attribution> {
  const { config } = model;
  const { biases, attn_only, normalization_type, n_layers } = config;
  const [values, total] = await model.compute('attribution to components', (weights, ...inputs) => {
    const { seen, logits, contrast, readings } = measuredForward(config, task, weights, inputs);
    const written = (reading: Reading, value: Tensor) => oneTerm(weighted(at(reading), value));
    const layers = readings.layers.map(({ attention, mlp }, layer) => [
      headTerms(throughOutput(config, layer, at(attention), weights), atAnswers(task, seen(`blocks.${layer}.attn.hook_z`))),
      ...(biases ? [written(attention, weights(`blocks.${layer}.attn.b_O`))] : []),
      ...(attn_only ? [] : [written(mlp, atAnswers(task, seen(`blocks.${layer}.hook_mlp_out`)))]),
    ]);
    const terms = [
      ...embeddingsOf(config).map(({ hook }) => written(readings.embedding, atAnswers(task, seen(hook)))),
      ...layers.flat(),
      ...(normalization_type === 'LN' ? readings.norms.map(norm => written(norm.reading, weights(`${norm.at}.b`))) : []),
    ];
    return [tf.concat(terms, 0), weighted(contrast, biases ? tf.sub(logits, weights('unembed.b_U')) : logits)];
  }, [tokens, ...contrast]);
  const terms: readonly Term[] = [
    ...embeddingsOf(config),
    ...Array.from({ length: n_layers }, (_, layer) => [
      ...Array.from({ length: config.n_heads }, (__, head) => ({ name: componentName({ layer, head }), subject: { layer, head } })),
      ...(biases ? [{ name: `b_O ${layer}`, subject: { layer } }] : []),
      ...(attn_only ? [] : [{ name: componentName({ layer, head: undefined }), subject: { layer } }]),
    ]).flat(),
    ...(normalization_type === 'LN' ? normsOf(config).map(normBias) : []),
  ];
  return checkedAttribution(terms, asFloat32(values), asFloat32(total));
}

/** The norms that stand in the residual stream, in the order of the forward pass. */
function normsOf({ n_layers, attn_only, normalization_position }: ModelConfig): readonly string[] {
  if (normalization_position !== 'after') return ['ln_final'];
  return Array.from({ length: n_layers }, (_, layer) => (attn_only ? ['ln1'] : ['ln1', 'ln2']).map(norm => `blocks.${layer}.${norm}`)).flat();
}

/** `ln_final b`, or `ln1 b 0` of a layer. */
function normBias(at: string): Term {
  const [, layer, norm] = /^blocks\.(\d+)\.(\w+)$/.exec(at) ?? [];
  return layer === undefined ? { name: `${at} b` } : { name: `${norm} b ${layer}`, subject: { layer: Number(layer) } };
}

/** What enters the residual stream below the first layer. A shortformer adds its positions to queries and keys alone. */
export function embeddingsOf({ positional_embedding_type }: ModelConfig): readonly (Term & { readonly hook: string })[] {
  const positions = positional_embedding_type === 'standard' ? [{ name: 'positions', hook: 'hook_pos_embed' }] : [];
  return [{ name: 'embedding', hook: 'hook_embed' }, ...positions];
}

export interface MeasuredForward {
  /** The activation at a hook point, at all positions. */
  seen(hook: string): Tensor;
  /** `[B, A, U]` */
  readonly logits: Tensor;
  /** `[B, A, U]`, see `contrastOver`. */
  readonly contrast: Tensor;
  /** How what is measured reads the residual stream where answers are read. */
  readonly readings: StreamReadings;
}

/** What a reading at one position comes to: its product with a vector there is that vector's part of what is measured. */
export function at({ direction, share }: Reading): Tensor {
  return tf.mul(direction, share);
}

/** A forward pass of `inputs` (tokens, and {@link ContrastInputs}) with its activations and how what is measured reads them. */
export function measuredForward(config: ModelConfig, task: Task, weights: Weights, [tokens, answers, word, shares]: readonly Tensor[]): MeasuredForward {
  if (!tokens || !answers || !word || !shares) throw new Error('attribution takes tokens and what is measured');
  const { n_layers, attn_only, normalization_position } = config;
  const values = new Map<string, Tensor>();
  const seen = (hook: string) => values.get(hook) ?? unmet(hook);
  // Behind the last layer only the answers are read.
  const last = `blocks.${n_layers - 1}.hook_resid_post`;
  const logits = forward(config, weights, tokens, {
    hook: (name, value) => {
      values.set(name, value);
      return name === last ? atAnswers(task, value) : value;
    },
  });
  const contrast = contrastOver(logits, answers, word, shares);
  const direction = linear(contrast, tf.transpose(weights('unembed.W_U'))); // [B, A, D]
  const end: Reading = { direction, share: tf.ones([...direction.shape.slice(0, -1), 1]) };
  const lastNorm = normalization_position === 'after' ? `blocks.${n_layers - 1}.${attn_only ? 'ln1' : 'ln2'}` : 'ln_final';
  const scaleOf = (at: string) => {
    const scale = seen(`${at}.hook_scale`);
    return at === lastNorm ? scale : atAnswers(task, scale);
  };
  if (normalization_position === 'after') return { seen, logits, contrast, readings: readingsOfStream(config, n_layers, end, weights, scaleOf) };
  const beforeEnd = throughNorm(config, lastNorm, end, weights, scaleOf);
  const readings = readingsOfStream(config, n_layers, beforeEnd, weights, scaleOf);
  return { seen, logits, contrast, readings: { ...readings, norms: [{ at: lastNorm, reading: end }] } };
}

/** A direction `[B, A, D]` in the residual stream as one for each head's `z`: `[B, A, H, K]`. */
export function throughOutput({ n_heads: H, d_head: K, d_model: D }: ModelConfig, layer: number, direction: Tensor, weights: Weights): Tensor {
  const w = tf.reshape(weights(`blocks.${layer}.attn.W_O`), [H * K, D]);
  return tf.reshape(linear(direction, tf.transpose(w)), [...direction.shape.slice(0, -1), H, K]);
}

/** `[H, B, A]` of directions and `z`, both `[B, A, H, K]`. */
function headTerms(directions: Tensor, z: Tensor): Tensor {
  return tf.transpose(weighted(directions, z), [2, 0, 1]);
}

/** `[B, A] → [1, B, A]` */
export function oneTerm(value: Tensor): Tensor {
  return tf.expandDims(value, 0);
}

/** @throws when the terms do not sum to the total: a mistake in their making. */
export function checkedAttribution(terms: readonly Term[], { data: values, shape }: HostTensor<'float32'>, { data: total }: HostTensor<'float32'>): Attribution {
  if (shape[0] !== terms.length) throw new Error(`${shape[0] ?? 0} terms were computed, not the ${terms.length} that were named`);
  let error = 0;
  total.forEach((expected, at) => {
    const parts = terms.map((_, term) => values[term * total.length + at] ?? Number.NaN);
    const [sum, size] = [parts.reduce((sum, part) => sum + part, 0), parts.reduce((sum, part) => sum + Math.abs(part), 0)];
    const off = Math.abs(sum - expected);
    if (!(off <= largestError * Math.max(1, size))) throw new Error(`the terms sum to ${sum}, not ${expected}`);
    error = Math.max(error, off);
  });
  return { terms, values, total, error };
}
