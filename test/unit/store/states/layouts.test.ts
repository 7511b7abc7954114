import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allFinite, type HostTensor } from '../../../../src/common/tensor';
import { transposed } from '../../../../src/store/states/layout';
import { readImport } from '../../../../src/store/states/import';
import type { ModelConfig } from '../../../../src/protocol/config';
import { configOf, randomParameters } from '../../../support/models';
import { MemoryTensors } from './memoryFile';
import { gpt2State, grokkingState } from './states';

// Random models, their state dict in a layout, and back: the same config and the same bits of every parameter.

const size = fc.integer({ min: 1, max: 5 });
const sizes = fc.record({ n_layers: fc.integer({ min: 1, max: 3 }), n_heads: size, d_model: fc.integer({ min: 2, max: 6 }), d_head: size, d_mlp: size, d_vocab: size, d_vocab_out: size, n_ctx: size });
const runs = { numRuns: 60 };

function sameBits(found: ReadonlyMap<string, HostTensor<'float32'>>, expected: ReadonlyMap<string, HostTensor<'float32'>>): void {
  expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [name, { shape, data }] of expected) {
    expect(found.get(name)?.shape, name).toEqual(shape);
    expect(found.get(name)?.data, name).toEqual(data);
  }
}

/** Without what only says how a model starts. */
function computed({ initializer_range: _, ...config }: ModelConfig): unknown {
  return config;
}

describe('a state dict of TransformerLens', () => {
  const rest = fc.record({
    attn_only: fc.boolean(),
    act_fn: fc.constantFrom('relu', 'gelu', 'gelu_new', 'silu'),
    normalization_type: fc.constantFrom(null, 'LN', 'LNPre', 'RMS', 'RMSPre'),
    positional_embedding_type: fc.constantFrom('standard', 'shortformer', 'none'),
    attention_dir: fc.constantFrom('causal', 'bidirectional'),
    use_attn_scale: fc.boolean(),
    biases: fc.boolean(),
  } as const);

  test('gives the model that it is of, with its config beside it', async () => {
    await fc.assert(fc.asyncProperty(sizes, rest, async (shape, kind) => {
      const { d_mlp, ...others } = shape;
      const config = configOf({ ...others, ...kind, ...(kind.attn_only ? { act_fn: 'relu' } : { d_mlp }) });
      const weights = randomParameters(config);
      const memory = new MemoryTensors();
      // What a model without biases has for them are zeros, which a file may leave out.
      const saved = config.biases ? weights : new Map([...weights].filter(([name]) => !/\.b_/.test(name)));
      for (const [name, { data }] of weights) if (!config.biases && /\.b_/.test(name)) data.fill(0);
      const state = await readImport(memory.file(memory.state(saved)), { config: JSON.parse(JSON.stringify({ ...config, d_mlp: config.d_mlp ?? null })) });
      expect(computed(state.config)).toEqual(computed(config));
      sameBits(await state.weights(), weights);
    }), runs);
  });

  test('tells by itself what its shapes can tell', async () => {
    await fc.assert(fc.asyncProperty(sizes, fc.constantFrom(null, 'LN', 'RMS'), fc.boolean(), async (shape, normalization_type, attn_only) => {
      const { d_mlp, ...others } = shape;
      const config = configOf({ ...others, normalization_type, attn_only, ...(attn_only ? {} : { d_mlp }) });
      const memory = new MemoryTensors();
      const state = await readImport(memory.file(memory.state(randomParameters(config))));
      expect(computed(state.config)).toEqual(computed(config));
    }), runs);
  });
});

test('a state dict of the old grokking code gives the model that it is of, square matrices or not', async () => {
  await fc.assert(fc.asyncProperty(sizes, fc.boolean(), async (shape, isSquare) => {
    const config = configOf(isSquare ? { ...shape, d_model: 4, d_head: 4, d_mlp: 4, d_vocab: 4, d_vocab_out: 4, n_ctx: 4 } : shape);
    const weights = randomParameters(config);
    for (const [name, { data }] of weights) if (/\.b_[QKVOU]$/.test(name)) data.fill(0);
    const memory = new MemoryTensors();
    const state = await readImport(memory.file(memory.state(grokkingState(weights))));
    expect(state.layout).toBe('grokking');
    expect(computed(state.config)).toEqual(computed(config));
    sameBits(await state.weights(), weights);
  }), runs);
});

test.each([['as Hugging Face saves it', false], ["with PyTorch's Linear", true]])('a state dict of GPT-2 %s gives the model that it is of', async (_, linear) => {
  await fc.assert(fc.asyncProperty(sizes, async shape => {
    const config = configOf({ ...shape, d_head: shape.d_model, d_model: shape.n_heads * shape.d_model, normalization_type: 'LN', act_fn: linear ? 'gelu' : 'gelu_new' });
    const weights = randomParameters(config);
    weights.get('unembed.b_U')?.data.fill(0);
    const memory = new MemoryTensors();
    const state = await readImport(memory.file(memory.state(gpt2State(config, weights, linear))), { given: { n_heads: config.n_heads } });
    expect(state.layout).toBe('gpt2');
    expect(computed(state.config)).toEqual(computed(config));
    sameBits(await state.weights(), weights);
  }), runs);
});

test('matrices larger than the squares in which they are transposed come out whole', () => {
  const [rows, columns] = [70, 45];
  const values = Float32Array.from({ length: 2 * rows * columns }, (_, at) => at);
  const out = transposed(values, rows, columns);
  expect(allFinite(out)).toBe(true);
  expect(out[rows * columns + 44 * rows + 69]).toBe(rows * columns + 69 * columns + 44);
  expect(transposed(out, columns, rows)).toEqual(values);
});
