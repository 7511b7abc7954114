import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../../common/errors';
import type { RunnableModel } from '../../model/runnable';
import type { Weights } from '../../model/layers';
import type { ModelConfig } from '../../protocol/config';
import type { ModelDetails } from '../../protocol/model';
import type { Parameters } from '../../protocol/parameter';
import { fourierBasis } from './basis';
import { allPairs, isModular, modularNeeds, type ModularTask } from './modular';
import { lastPosition, pairLogits } from './pairRuns';
import { explainedVariance, pairSpectra, type ExplainedVariance } from './pairSpectra';

// p modulus · M d_mlp

/** Before or after the activation function. */
export type NeuronPoint = 'pre' | 'post';

/** The neurons of a layer, seen at one side of the activation function. */
export interface NeuronLayer {
  readonly layer: number;
  readonly point: NeuronPoint;
}

export const layerParameter = {
  layer: { kind: 'integer', title: 'Layer', description: 'The layer whose MLP is looked at, counted from 0; −1 for the last one.', default: -1, minimum: -1, maximum: 1000 },
} as const satisfies Parameters;

/** What to say of a model that has no neurons to look at over all pairs. */
export const neuronNeeds = `${modularNeeds}, and an MLP`;

/** Whether the model's task is modular and it has neurons. */
export function hasModularNeurons(model: ModelDetails): boolean {
  return isModular(model) && !model.config.attn_only;
}

/** The layer that was asked for. @throws UserError for one that the model does not have. */
export function chosenLayer({ n_layers }: ModelConfig, layer: number): number {
  if (layer < n_layers) return layer < 0 ? n_layers - 1 : layer;
  throw new UserError(`There is no layer ${layer}; the model has ${n_layers}, counted from 0.`);
}

/** Activations of a layer's neurons at `=`, within a compiled function: `[p², M]`, of `tokens [p², 3]`. */
export function neuronActivations(config: ModelConfig, p: number, weights: Weights, tokens: Tensor, { layer, point }: NeuronLayer): Tensor {
  let seen: Tensor | undefined;
  pairLogits(config, p, weights, tokens, (name, value) => {
    if (name === `blocks.${layer}.mlp.hook_${point}`) seen = tf.squeeze(lastPosition(value), [1]);
    return value;
  });
  if (!seen) throw new Error(`the forward pass met no neurons in layer ${layer}`);
  return seen;
}

/** How far each frequency explains the activation of each of a layer's neurons at `=`. */
export async function explainedNeurons(model: RunnableModel, task: ModularTask, of: NeuronLayer): Promise<ExplainedVariance> {
  const basis = fourierBasis(task.modulus);
  const measures = await model.compute(`explained neurons ${of.layer} ${of.point}`, (weights, tokens) => {
    if (!tokens) throw new Error('the neurons take the pairs');
    return [...pairSpectra(basis, neuronActivations(model.config, task.modulus, weights, tokens, of)).measures];
  }, [allPairs(task)]);
  return explainedVariance(basis, measures);
}
