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
import { atAnswers, beforeNorm, contrastOver, weighted, type ContrastInputs } from './logitContrast';

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
 * Circuits"; TransformerLens: `logit_attrs` of `decompose_resid` and `stack_head_results`). The terms sum to what is measured
 * less its part of `b_U`.
 *
 * The biases b_V are in the term of their head and b_out in that of their MLP; b_O, which no head owns, is a term for each
 * layer, and so is the bias of the final norm. Positions are a term where they enter the residual stream.
 */
export async function attributeComponents(model: RunnableModel, task: Task, tokens: HostTensor<'int32'>, contrast: ContrastInputs): Promise<Attribution> {
  const { config } = model;
  const { biases, attn_only, normalization_type, n_layers } = config;
  const [values, total] = await model.compute('attribution to components', (weights, ...inputs) => {
    const { seen, logits, contrast, direction, behindNorm } = measuredForward(config, task, weights, inputs);
    const written = (name: string) => oneTerm(weighted(direction, atAnswers(task, seen(name))));
    const layers = Array.from({ length: n_layers }, (_, layer) => [
      headTerms(throughOutput(config, layer, direction, weights), atAnswers(task, seen(`blocks.${layer}.attn.hook_z`))),
      ...(biases ? [oneTerm(weighted(direction, weights(`blocks.${layer}.attn.b_O`)))] : []),
      ...(attn_only ? [] : [written(`blocks.${layer}.hook_mlp_out`)]),
    ]);
    const terms = [
      ...embeddingsOf(config).map(({ hook }) => written(hook)),
      ...layers.flat(),
      ...(normalization_type === 'LN' ? [oneTerm(weighted(behindNorm, weights('ln_final.b')))] : []),
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
    ...(normalization_type === 'LN' ? [{ name: 'ln_final b' }] : []),
  ];
  return checkedAttribution(terms, asFloat32(values), asFloat32(total));
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
  /** `[B, A, D]`: its product with a vector of the residual stream is that vector's part of what is measured. */
  readonly direction: Tensor;
  /** `[B, A, D]`: as `direction`, for vectors behind the final norm. */
  readonly behindNorm: Tensor;
}

/** A forward pass of `inputs` (tokens, and {@link ContrastInputs}) with its activations and the direction of what is measured. */
export function measuredForward(config: ModelConfig, task: Task, weights: Weights, [tokens, answers, word, shares]: readonly Tensor[]): MeasuredForward {
  if (!tokens || !answers || !word || !shares) throw new Error('attribution takes tokens and what is measured');
  const values = new Map<string, Tensor>();
  const seen = (hook: string) => values.get(hook) ?? unmet(hook);
  // Behind the last layer only the answers are read.
  const last = `blocks.${config.n_layers - 1}.hook_resid_post`;
  const logits = forward(config, weights, tokens, {
    hook: (name, value) => {
      values.set(name, value);
      return name === last ? atAnswers(task, value) : value;
    },
  });
  const contrast = contrastOver(logits, answers, word, shares);
  const behindNorm = linear(contrast, tf.transpose(weights('unembed.W_U')));
  const unscaled = beforeNorm(config, 'ln_final', behindNorm, weights);
  const direction = config.normalization_type === null ? unscaled : tf.div(unscaled, seen('ln_final.hook_scale'));
  return { seen, logits, contrast, direction, behindNorm };
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
