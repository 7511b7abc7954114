import type { Tensor } from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import * as v from 'valibot';
import { ModelConfigSchema, type ModelConfig } from '../../src/protocol/config';
import { parameterSpecs } from '../../src/model/parameters';
import type { HostTensor } from '../../src/common/tensor';
import { Draw } from './draw';

/**
 * A small model's configuration: what is given, and otherwise the schema's defaults and sizes that differ from each
 * other.
 */
export function configOf(given: Partial<ModelConfig> = {}): ModelConfig {
  const { attn_only = false } = given;
  return v.parse(ModelConfigSchema, {
    n_layers: 2,
    n_heads: 3,
    d_model: 8,
    d_head: 4,
    ...(attn_only ? {} : { d_mlp: 10 }),
    d_vocab: 7,
    d_vocab_out: 6,
    n_ctx: 5,
    initializer_range: 0.3,
    ...given,
  });
}

/** Parameters of a model, all drawn at random, biases and scales of norms too. */
export function randomParameters(config: ModelConfig, seed = 1): Map<string, HostTensor<'float32'>> {
  return new Map(
    parameterSpecs(config).map(({ name, shape }) => {
      const tensor = new Draw(name, seed).float32(shape);
      tensor.data.forEach((value, at) => (tensor.data[at] = 0.3 * value + (name.endsWith('.w') ? 1 : 0)));
      return [name, tensor];
    }),
  );
}

/** Looks parameters up among tensors that stand in the order of their names. */
export function weightsOf(names: readonly string[], tensors: readonly Tensor[]): (name: string) => Tensor {
  const byName = new Map(names.map((name, index) => [name, tensors[index]]));
  return name => byName.get(name) ?? expect.fail(`there is no parameter ${name}`);
}
