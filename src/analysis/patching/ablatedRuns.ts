import * as tf from '@tensorflow/tfjs-core';
import { throwIfCancelled, UserError } from '../../common/errors';
import type { Random } from '../../common/random';
import { float32, joinedRows, rowsOf, sizeOf, stretchesOf, type HostTensor } from '../../common/tensor';
import { asFloat32, type ModelFunction } from '../../model/runnable';
import { forward } from '../../model/transformer';
import { activationsOf } from '../activations';
import type { AnalysisContext } from '../define';
import type { Component } from '../heads';
import { atAnswers } from '../attribution/logitContrast';
import { ordinaryRoom, rowsAtOnce } from './patchingPasses';

// B batch · T positions · A answers an example · H heads · D d_model · K d_head · U d_vocab_out

export const ablationMethods = ['zero', 'mean', 'resample', 'mean pattern'] as const;
export type AblationMethod = (typeof ablationMethods)[number];

/** A model on some examples, whole and without some of its components. */
export interface AblatedRuns {
  /** Logits `[B, A, U]` of the whole model. */
  readonly whole: HostTensor<'float32'>;
  /** The same without these components, all at once. */
  without(components: readonly Component[]): Promise<HostTensor<'float32'>>;
}

/**
 * Runs examples `tokens [B, T]` once to learn what takes the components' places: nothing (`zero`), the mean over the examples
 * at each position (`mean`; Wang et al. 2022), or what they write for another of the examples (`resample`; Chan et al. 2022).
 * Of a head `z` is replaced, or with `mean pattern` the pattern; of an MLP its output. Biases b_O, which no head owns, stay.
 * @param room numbers of one layer that are held at once
 * @throws CancelledError between the runs that memory allows at once, here and in what is returned.
 */
export async function ablatedRuns(
  { model, task, random, signal }: Pick<AnalysisContext, 'model' | 'task' | 'random' | 'signal'>, tokens: HostTensor<'int32'>, method: AblationMethod,
  room = ordinaryRoom,
): Promise<AblatedRuns> {
  const { config } = model;
  const ofHeads = method === 'mean pattern' ? 'hook_pattern' : 'hook_z';
  const layers = Array.from({ length: config.n_layers }, (_, layer) => layer);
  const sites = layers.flatMap(layer => [
    { layer, isMlp: false, hook: `blocks.${layer}.attn.${ofHeads}` },
    ...(config.attn_only || method === 'mean pattern' ? [] : [{ layer, isMlp: true, hook: `blocks.${layer}.hook_mlp_out` }]),
  ]);
  const [B = 0, T = 0] = tokens.shape;
  const stretches = stretchesOf(B, rowsAtOnce(config, T, T, room));
  const learned: (readonly HostTensor<'float32'>[])[] = [];
  for (const { from, to } of stretches) {
    throwIfCancelled(signal);
    learned.push(await activationsOf(model, rowsOf(tokens, from, to), sites.map(({ hook }) => hook)));
  }
  const others = otherExamples(B, random);
  const replacements = sites.map((_, site) => replacementOf(joinedRows(learned.flatMap(part => part[site] ?? [])), method, others));

  /** One pass with everything in `components` replaced: what is and what is not is an input, so that one graph serves all. */
  const without = async (components: readonly Component[]) => {
    const masks = sites.map(({ layer, isMlp }) => {
      if (isMlp) return float32([1, 1, 1], Float32Array.of(Number(components.some(({ layer: at, head }) => at === layer && head === undefined))));
      const heads = Float32Array.from({ length: config.n_heads }, (_, index) => Number(components.some(({ layer: at, head }) => at === layer && head === index)));
      return float32(method === 'mean pattern' ? [1, config.n_heads, 1, 1] : [1, 1, config.n_heads, 1], heads);
    });
    const last = `blocks.${config.n_layers - 1}.hook_resid_post`;
    const ablated: ModelFunction = (weights, tokens, ...given) => {
      if (!tokens) throw new Error('ablation takes tokens');
      return [forward(config, weights, tokens, {
        hook: (name, value) => {
          if (name === last) return atAnswers(task, value);
          const site = sites.findIndex(({ hook }) => hook === name);
          const [replacement, mask] = [given[site], given[sites.length + site]];
          // Exact both where the mask is 0 and where it is 1.
          return replacement && mask ? tf.add(tf.mul(value, tf.sub(1, mask)), tf.mul(replacement, mask)) : value;
        },
      })];
    };
    const parts: HostTensor<'float32'>[] = [];
    for (const { from, to } of stretches) {
      throwIfCancelled(signal);
      const taken = replacements.map(replacement => (replacement.shape[0] === B ? rowsOf(replacement, from, to) : replacement));
      parts.push(asFloat32((await model.compute(`ablation ${ofHeads}`, ablated, [rowsOf(tokens, from, to), ...taken, ...masks]))[0]));
    }
    return joinedRows(parts);
  };
  return { whole: await without([]), without };
}

function replacementOf({ shape, data }: HostTensor<'float32'>, method: AblationMethod, others: Int32Array): HostTensor<'float32'> {
  const [B = 0, ...rest] = shape;
  const size = sizeOf(rest);
  const one = [1, ...rest];
  switch (method) {
    case 'zero': return float32(one);
    case 'resample': {
      const taken = float32(shape);
      others.forEach((other, row) => taken.data.set(data.subarray(other * size, (other + 1) * size), row * size));
      return taken;
    }
    case 'mean':
    case 'mean pattern': {
      const sum = new Float64Array(size);
      for (let at = 0; at < data.length; at++) sum[at % size] = (sum[at % size] ?? 0) + (data[at] ?? 0);
      return float32(one, Float32Array.from(sum, value => value / B));
    }
    default: return method satisfies never;
  }
}

/** For each of `count` examples another one: one cycle through all of them in random order. */
export function otherExamples(count: number, random: Random): Int32Array {
  const order = random.permutation(count);
  const others = new Int32Array(count);
  order.forEach((example, at) => (others[example] = order[(at + 1) % count] ?? 0));
  return others;
}

/** @throws UserError where the method cannot take the components out, or would leave them as they are. */
export function checkAblation(method: AblationMethod, components: readonly Component[], examples: number): void {
  if (method !== 'zero' && examples < 2) {
    throw new UserError(`With one example "${method}" puts back what was taken out; use at least 2 examples, or "zero".`);
  }
  const mlp = components.find(({ head }) => head === undefined);
  if (method === 'mean pattern' && mlp) throw new UserError(`MLP ${mlp.layer} has no attention pattern; leave it out, or replace it by zero, mean or resample.`);
}
