import { expect } from 'vitest';
import type { AnalysisContext } from '../../src/analysis/define';
import { float32 } from '../../src/common/tensor';
import { contextOf } from './analyses';
import { prepared } from './experiments';
import { randomParameters } from './models';

/** A task of three numbers below eight, or what is asked for instead. */
const fewNumbers = { count: 3, numbers: 8, smallShare: 0.2, smallBelow: 4, trainExamples: 60, testExamples: 100, modulus: undefined, trainFraction: undefined };

/** A model of a task whose inputs are numbers, its weights drawn at random and large enough for its attention to differ. */
export function numberContext(task: { readonly name: string } & Readonly<Record<string, unknown>>, model: object = {}): AnalysisContext {
  const order = ['max', 'median', 'sort'].includes(task.name) ? fewNumbers : { modulus: undefined, trainFraction: undefined };
  const context = contextOf(prepared({ task: { ...order, ...task }, model, training: { batch: 8 } }));
  const large = [...randomParameters(context.details.config)].map(([name, { shape, data }]) => [name, float32(shape, data.map(value => 2 * value))] as const);
  return { ...context, model: context.model.withWeights(new Map(large)) };
}

/**
 * A model that has the largest of some numbers from attention alone: from `=`, head h scores the input x with
 * `slopes[h] · (x − centre)`, and copies it. `model` changes its configuration.
 */
export function maxModel(slopes: readonly number[], centre: number, task: object = {}, model: object = {}): AnalysisContext {
  const V = Number({ ...fewNumbers, ...task }.numbers);
  // The residual stream: the value at 0, the token from 1, "it is =" behind it, and the answer.
  const [equals, answer, D, K] = [V + 1, V + 2, 2 * V + 2, V];
  const context = contextOf(prepared({
    task: { ...fewNumbers, ...task, name: 'max' }, training: { batch: 8 },
    model: { n_heads: slopes.length, d_model: D, d_head: K, d_mlp: undefined, attn_only: true, ...model },
  }));
  const parameters = new Map(context.details.parameters.map(({ name, shape }) => [name, float32(shape)]));
  const set = (name: string, at: readonly number[], value: number) => {
    const { shape, data } = parameters.get(name) ?? expect.fail(name);
    data[at.reduce((index, place, axis) => index * (shape[axis] ?? 1) + place, 0)] = value;
  };
  for (let number = 0; number < V; number++) {
    set('embed.W_E', [number, 0], number);
    set('embed.W_E', [number, 1 + number], 1);
    set('unembed.W_U', [answer + number, number], 1);
    for (const head of slopes.keys()) {
      set('blocks.0.attn.W_V', [head, 1 + number, number], 1);
      set('blocks.0.attn.W_O', [head, number, answer + number], 1);
    }
  }
  set('embed.W_E', [V, equals], 1);
  for (const [head, slope] of slopes.entries()) {
    // The first dimension of a key is the value, the second is 1.
    set('blocks.0.attn.W_K', [head, 0, 0], 1);
    set('blocks.0.attn.b_K', [head, 1], 1);
    set('blocks.0.attn.W_Q', [head, equals, 0], slope * Math.sqrt(K));
    set('blocks.0.attn.W_Q', [head, equals, 1], -slope * centre * Math.sqrt(K));
  }
  return { ...context, model: context.model.withWeights(parameters) };
}
