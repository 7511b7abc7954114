import { describe, expect, test } from 'vitest';
import { int32 } from '../../../src/common/tensor';
import { RunnableModel } from '../../../src/model/runnable';
import { modelTensors } from '../../../src/model/tensors';
import type { ModelConfig } from '../../../src/protocol/config';
import { configOf, randomParameters } from '../../support/models';
import { onnx } from '../../support/runtimes';

const architectures: readonly (readonly [string, Partial<ModelConfig>])[] = [
  ['with MLPs and norms', { normalization_type: 'LN' }],
  ['of attention only', { attn_only: true }],
  ['with rotary positions', { positional_embedding_type: 'rotary', normalization_type: 'RMS' }],
  ['normalized after its sublayers', { normalization_type: 'LN', normalization_position: 'after' }],
];

describe('the tensors of a model', () => {
  test.each(architectures)('%s have the shapes that they have when it runs', async (_, given) => {
    const config = configOf(given);
    const model = new RunnableModel(config, randomParameters(config), onnx);
    const { tensors } = modelTensors(config);
    const [B, T] = [2, config.n_ctx];
    const hooks = tensors.filter(({ kind, drawn }) => kind === 'hook' && drawn);
    const { cache } = await model.runWithCache(int32([B, T], new Int32Array(B * T)), hooks.map(({ name }) => name));
    for (const { name, axes } of hooks) expect(axes.map(({ size }) => size ?? B), name).toEqual(cache.get(name)?.shape);
    for (const { name, axes } of tensors.filter(({ kind }) => kind === 'parameter')) {
      expect(axes.map(({ size }) => size), name).toEqual(model.parameter(name).shape);
    }
  });

  test.each(architectures)('%s are none of those that it misses, and each has a name for every axis', (_, given) => {
    const { tensors, missing } = modelTensors(configOf(given));
    const names = new Set(tensors.map(({ name }) => name));
    expect(missing.filter(({ name }) => names.has(name))).toEqual([]);
    expect(tensors.filter(({ axes }) => axes.some(({ name }) => name === 'd'))).toEqual([]);
  });

  test('says why a model of attention only has no MLP', () => {
    const { missing } = modelTensors(configOf({ attn_only: true }));
    expect(missing.find(({ name }) => name === 'blocks.1.mlp.hook_post')).toEqual({ name: 'blocks.1.mlp.hook_post', reason: 'it has no MLPs' });
    expect(missing.find(({ name }) => name === 'blocks.0.ln1.hook_scale')?.reason).toBe('it does not normalize');
  });
});
