import { expect } from 'vitest';
import type { AnalysisContext } from '../../src/analysis/define';
import { float32 } from '../../src/common/tensor';
import { contextOf } from './analyses';
import { Draw } from './draw';
import { prepared } from './experiments';
import { randomParameters } from './models';

/** A random model whose weights are large enough for its logits to depend much on both numbers. */
export function randomModel(operation: 'add' | 'subtract', modulus: number, model: object = {}): AnalysisContext {
  const context = contextOf(prepared({ task: { operation, modulus }, model }));
  const large = [...randomParameters(context.details.config)].map(([name, { shape, data }]) => [name, float32(shape, data.map(value => 1.6 * value))] as const);
  return { ...context, model: context.model.withWeights(new Map(large)) };
}

/**
 * A model that answers by looking every pair up, with a neuron for each, and a little noise in all its weights: its loss is
 * about (p − 1)·exp(−lead), where it has no norms.
 */
export function lookupModel(operation: 'add' | 'subtract', p: number, lead: number, model: object = {}): AnalysisContext {
  // The residual stream: a at 0 …, b at p …, the token at 2p …, the answer at 3p …, then "it is =" and the two places.
  const [equals, first, second, D] = [4 * p, 4 * p + 1, 4 * p + 2, 4 * p + 3];
  const context = contextOf(prepared({ task: { operation, modulus: p }, model: { n_heads: 2, d_model: D, d_head: p + 1, d_mlp: p * p, ...model } }));
  const draw = new Draw('lookup');
  const parameters = new Map(context.details.parameters.map(({ name, shape }) => {
    const noise = draw.float32(shape);
    return [name, float32(shape, noise.data.map(value => value * 1e-3))] as const;
  }));
  const set = (name: string, at: readonly number[], value: number) => {
    const { shape, data } = parameters.get(name) ?? expect.fail(name);
    data[at.reduce((index, place, axis) => index * (shape[axis] ?? 1) + place, 0)] = value;
  };
  for (let n = 0; n < p; n++) {
    set('embed.W_E', [n, 2 * p + n], 1);
    for (const head of [0, 1]) {
      set('blocks.0.attn.W_V', [head, 2 * p + n, n], 1);
      set('blocks.0.attn.W_O', [head, n, head * p + n], 1);
    }
    set('unembed.W_U', [3 * p + n, n], lead);
  }
  set('embed.W_E', [p, equals], 1);
  set('pos_embed.W_pos', [0, first], 1);
  set('pos_embed.W_pos', [1, second], 1);
  for (const [head, place] of [first, second].entries()) {
    set('blocks.0.attn.W_Q', [head, equals, p], 30);
    set('blocks.0.attn.W_K', [head, place, p], 30);
  }
  for (let pair = 0; pair < p * p; pair++) {
    const [a, b] = [Math.floor(pair / p), pair % p];
    const answer = (operation === 'add' ? a + b : a - b + p) % p;
    set('blocks.0.mlp.W_in', [a, pair], 1);
    set('blocks.0.mlp.W_in', [p + b, pair], 1);
    set('blocks.0.mlp.W_in', [equals, pair], -1.5);
    set('blocks.0.mlp.W_out', [pair, 3 * p + answer], 2);
  }
  return { ...context, model: context.model.withWeights(parameters) };
}
