import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { throwIfCancelled } from '../../common/errors';
import type { HostTensor } from '../../common/tensor';
import type { Weights } from '../../model/layers';
import { asFloat32, type RunnableModel } from '../../model/runnable';
import { forward } from '../../model/transformer';
import type { ModelConfig } from '../../protocol/config';
import type { PromptPair } from '../pairs';
import { logitDifference, normalised, pairInputs, type PatchedRuns, type Site, type Work } from './patching';

// T positions · H heads · U d_vocab_out

/**
 * Attribution patching, clean → corrupted: for each site the gradient of the metric with respect to its activation, in the
 * corrupted run, times the clean activation less the corrupted one. This is activation patching to first order.
 * @throws UserError when clean and corrupted prompts give the same metric; CancelledError.
 */
export async function attributeSites(
  model: RunnableModel, pairs: readonly PromptPair[], sites: readonly Site[], { signal, progress }: Work,
): Promise<PatchedRuns> {
  const hooks = [...new Set(sites.map(hookOf))];
  const changes = new Float64Array(sites.length);
  let [clean, corrupted] = [0, 0];
  for (const [index, pair] of pairs.entries()) {
    throwIfCancelled(signal);
    const [metrics, ...scores] = await model.compute(`attribution ${pair.position} ${hooks.join()}`, (weights, tokens, outputs) => {
      if (!tokens || !outputs) throw new Error('attribution takes tokens and two outputs');
      return attributions(model.config, weights, tokens, outputs, pair.position, hooks);
    }, pairInputs(model, pair, pair.clean.length));
    const [cleanMetric = 0, corruptedMetric = 0] = asFloat32(metrics).data;
    const byHook = new Map(hooks.map((hook, at) => [hook, asFloat32(scores[at])]));
    sites.forEach((site, at) => (changes[at] = (changes[at] ?? 0) + scoreAt(byHook.get(hookOf(site)), site) / pairs.length));
    [clean, corrupted] = [clean + cleanMetric / pairs.length, corrupted + corruptedMetric / pairs.length];
    progress((index + 1) / pairs.length);
  }
  return { recovered: normalised(changes, clean, corrupted), clean, corrupted };
}

/** The metrics `[2]` of `tokens [2, T]`, clean and corrupted, then for each hook its scores `[1, T]`, `[1, T, H]` or `[1, H, T]`. */
function attributions(config: ModelConfig, weights: Weights, tokens: Tensor, outputs: Tensor, at: number, hooks: readonly string[]): Tensor[] {
  const seen = new Map<string, Tensor>();
  const metricOf = (tokens: Tensor, hook: (name: string, value: Tensor) => Tensor) => {
    const last = `blocks.${config.n_layers - 1}.hook_resid_post`;
    const logits = forward(config, weights, tokens, {
      hook: (name, value) => (name === last ? tf.slice(value, [0, at, 0], [-1, 1, -1]) : hook(name, value)),
    });
    return logitDifference(logits, outputs);
  };
  const metrics = metricOf(tokens, (name, value) => {
    seen.set(name, value);
    return value;
  });
  const [clean, corrupted] = [0, 1].map(row => hooks.map(hook => {
    const value = seen.get(hook);
    if (!value) throw new Error(`the forward pass did not meet ${hook}`);
    return tf.slice(value, [row, ...value.shape.slice(1).map(() => 0)], [1, ...value.shape.slice(1)]);
  })) as [Tensor[], Tensor[]];
  // An activation plus a zero is the activation, and the gradient of the one is that of the other.
  const places = new Map(hooks.map((hook, index) => [hook, index]));
  const gradients = tf.grads((...zeros) => tf.sum(metricOf(tf.slice(tokens, [1, 0], [1, -1]), (name, value) => {
    const zero = zeros[places.get(name) ?? -1];
    return zero ? tf.add(value, zero) : value;
  })))(clean.map(value => tf.zeros(value.shape)));
  return [metrics, ...hooks.map((_, index) => {
    const [gradient, from, to] = [gradients[index], corrupted[index], clean[index]];
    if (!gradient || !from || !to) throw new Error('every hook has a gradient');
    return tf.sum(tf.mul(gradient, tf.sub(to, from)), -1);
  })];
}

function hookOf({ activation, layer }: Site): string {
  const isOfLayer = activation === 'resid_pre' || activation === 'attn_out' || activation === 'mlp_out';
  return `blocks.${layer}.${isOfLayer ? '' : 'attn.'}hook_${activation}`;
}

/** The score of one site: the sum over the heads and positions that it takes. */
function scoreAt(scores: HostTensor<'float32'> | undefined, { activation, head, position }: Site): number {
  if (!scores) throw new Error('every site has a hook');
  const [, first = 0, second = 1] = scores.shape;
  let sum = 0;
  scores.data.forEach((score, at) => {
    const [outer, inner] = [Math.floor(at / second) % first, at % second];
    const [place, index] = activation === 'pattern' ? [inner, outer] : [outer, inner];
    if ((position ?? place) === place && (head ?? index) === index) sum += score;
  });
  return sum;
}
