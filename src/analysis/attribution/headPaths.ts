import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { int32, type HostTensor } from '../../common/tensor';
import { linear, type Weights } from '../../model/layers';
import { asFloat32, type RunnableModel } from '../../model/runnable';
import type { ModelConfig } from '../../protocol/config';
import type { Task } from '../../tasks/task';
import { at, checkedAttribution, embeddingsOf, measuredForward, oneTerm, throughOutput, type Attribution, type MeasuredForward, type Term } from './attribution';
import { componentName, type Head } from '../heads';
import { atAnswers, weighted, type ContrastInputs } from './logitContrast';
import { readingsOfStream, throughNorm, type Reading } from './streamReadings';

// B batch · T positions · A answers an example · H heads · D d_model · K d_head

/**
 * One head's term of `attributeComponents`, divided by what its values read: the embedding (and positions), which are the
 * direct terms; what each earlier head wrote, a virtual attention head with the pattern A^later · A^earlier and the circuit
 * W_OV^earlier · W_OV^later (Elhage et al. 2021, "Virtual attention heads"); each earlier MLP; and biases (b_O of earlier
 * layers, the head's b_V, and those of the norms passed), one term. The head's pattern and the scales of norms are held as
 * they were.
 */
export async function attributePaths(
  model: RunnableModel, task: Task, tokens: HostTensor<'int32'>, contrast: ContrastInputs, { layer, head }: Head,
): Promise<Attribution> {
  const { config } = model;
  // The head is an input, so that choosing another one of the layer compiles nothing.
  const [values, total] = await model.compute(`attribution to paths into layer ${layer}`, (weights, ...inputs) => {
    const chosen = inputs.at(-1);
    if (!chosen) throw new Error('paths end in a head');
    return pathTerms(config, task, layer, chosen, measuredForward(config, task, weights, inputs), weights);
  }, [tokens, ...contrast, int32([1], Int32Array.of(head))]);
  return checkedAttribution(termsOf(config, layer), asFloat32(values), asFloat32(total));
}

function termsOf(config: ModelConfig, layer: number): readonly Term[] {
  const { n_heads, attn_only, biases, normalization_type } = config;
  return [
    ...embeddingsOf(config),
    ...Array.from({ length: layer }, (_, earlier) => [
      ...Array.from({ length: n_heads }, (__, head) => ({ name: componentName({ layer: earlier, head }), subject: { layer: earlier, head } })),
      ...(attn_only ? [] : [{ name: componentName({ layer: earlier, head: undefined }), subject: { layer: earlier } }]),
    ]).flat(),
    ...(biases || normalization_type === 'LN' ? [{ name: 'biases' }] : []),
  ];
}

/** The terms `[N, B, A]` and the whole term of the head `[B, A]`. */
function pathTerms(config: ModelConfig, task: Task, layer: number, head: Tensor, { seen, readings }: MeasuredForward, weights: Weights): Tensor[] {
  const { d_head: K, d_model: D, attn_only, biases, normalization_type, normalization_position } = config;
  const block = `blocks.${layer}`;
  const ofHead = (name: string, shape: number[]) => tf.reshape(tf.gather(weights(`${block}.attn.${name}`), head), shape);
  const written = readings.layers[layer];
  if (!written) throw new Error(`the model has no layer ${layer}`);
  const forValues = linear(at(written.attention), tf.transpose(ofHead('W_O', [K, D]))); // [B, A, K]
  const pattern = atAnswers(task, tf.squeeze(tf.gather(seen(`${block}.attn.hook_pattern`), head, 1), [1])); // [B, A, T]
  const input: Reading = { direction: linear(forValues, tf.transpose(ofHead('W_V', [D, K]))), share: pattern };

  // How the head reads the residual stream at each source, and all that was written to it there.
  const scaleOf = (norm: string) => tf.transpose(seen(`${norm}.hook_scale`), [0, 2, 1]); // [B, 1, T]
  const isPostNorm = normalization_position === 'after';
  const stream = isPostNorm ? input : throughNorm(config, `${block}.ln1`, input, weights, scaleOf);
  const { embedding, layers, norms } = readingsOfStream(config, layer, stream, weights, scaleOf);
  const passed = isPostNorm ? norms : [{ at: `${block}.ln1`, reading: input }];
  const read = ({ direction, share }: Reading, value: Tensor) => oneTerm(weighted(share, tf.matMul(direction, value, false, true))); // [B, T, D] → [1, B, A]
  const readBias = ({ direction, share }: Reading, bias: Tensor) => tf.mul(tf.sum(share, 2), weighted(direction, bias)); // [B, A]

  const biasTerms = [
    ...(biases ? [tf.mul(tf.sum(pattern, 2), weighted(forValues, ofHead('b_V', [K])))] : []),
    ...(biases ? layers.map(({ attention }, index) => readBias(attention, weights(`blocks.${index}.attn.b_O`))) : []),
    ...(normalization_type === 'LN' ? passed.map(norm => readBias(norm.reading, weights(`${norm.at}.b`))) : []),
  ];
  const terms = [
    ...embeddingsOf(config).map(({ hook }) => read(embedding, seen(hook))),
    ...layers.flatMap(({ attention, mlp }, index) => [
      virtualTerms(throughOutput(config, index, attention.direction, weights), seen(`blocks.${index}.attn.hook_z`), attention.share),
      ...(attn_only ? [] : [read(mlp, seen(`blocks.${index}.hook_mlp_out`))]),
    ]),
    ...(biasTerms.length > 0 ? [oneTerm(biasTerms.reduce((sum, term) => tf.add(sum, term)))] : []),
  ];
  const z = tf.squeeze(tf.gather(atAnswers(task, seen(`${block}.attn.hook_z`)), head, 2), [2]); // [B, A, K]
  return [tf.concat(terms, 0), weighted(forValues, z)];
}

/** `[H, B, A]` of directions `[B, A, H, K]` for the `z [B, T, H, K]` of earlier heads, and how much of each source is read. */
function virtualTerms(directions: Tensor, z: Tensor, reading: Tensor): Tensor {
  const written = tf.matMul(tf.transpose(directions, [0, 2, 1, 3]), tf.transpose(z, [0, 2, 3, 1])); // [B, H, A, T]
  return tf.transpose(weighted(tf.expandDims(reading, 1), written), [1, 0, 2]);
}
