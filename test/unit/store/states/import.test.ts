import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { HostTensor } from '../../../../src/common/tensor';
import { RunnableModel } from '../../../../src/model/runnable';
import type { Weights } from '../../../../src/store/checkpoints';
import { openTensorFile } from '../../../../src/store/files/open';
import { readSafetensors } from '../../../../src/store/safetensors';
import { readImport, recogniseFile } from '../../../../src/store/states/import';
import type { ImportedState, ImportOptions } from '../../../../src/store/states/importedState';
import { expectClose } from '../../../support/close';
import { FixtureTensors } from '../../../support/fixtures';
import { onnx } from '../../../support/runtimes';
import { configOf, randomParameters } from '../../../support/models';
import { MemoryTensors } from './memoryFile';

// Files that PyTorch, TransformerLens and Hugging Face have written, as the README beside them says.

const fixtures = path.join(import.meta.dirname, '../../../fixtures');

async function withImport<T>(file: string, options: ImportOptions, use: (state: ImportedState, recognised: unknown) => Promise<T>): Promise<T> {
  const opened = await openTensorFile(path.join(fixtures, file));
  try {
    return await use(await readImport(opened, options), recogniseFile(opened));
  } finally {
    await opened.close();
  }
}

async function json(file: string): Promise<unknown> {
  return JSON.parse(await readFile(path.join(fixtures, file), 'utf8')) as unknown;
}

async function runOf(name: string): Promise<FixtureTensors> {
  return new FixtureTensors((await readSafetensors(path.join(fixtures, `${name}.run.safetensors`))).tensors);
}

async function logitsOf(state: ImportedState, weights: Weights, tokens: HostTensor<'int32'>): Promise<Float32Array> {
  return (await new RunnableModel(state.config, weights, onnx).runWithCache(tokens, [])).logits.data;
}

/** What told a field. */
function tellerOf({ inferred }: ImportedState, field: string): string | undefined {
  return inferred.find(told => told.field === field)?.from;
}

const ofTransformerLens = readdirSync(path.join(fixtures, 'imported')).filter(name => name.endsWith('.config.json') && name !== 'checkpoints.config.json').map(name => name.replace('.config.json', ''));

describe.each(ofTransformerLens)('%s of TransformerLens', name => {
  test('computes the same once it is imported, with the same parameters', async () => {
    const [config, run] = [await json(`imported/${name}.config.json`), await runOf(`imported/${name}`)];
    await withImport(`imported/${name}.pt`, { config }, async (state, recognised) => {
      expect(state.layout).toBe('transformer-lens');
      expect(recognised).toEqual({ as: `TransformerLens, ${state.config.n_layers} layer${state.config.n_layers === 1 ? '' : 's'}` });
      const weights = await state.weights();
      for (const [key, { shape, data }] of run.group('state')) {
        expect(weights.get(key)?.shape, key).toEqual(shape);
        expectClose(weights.get(key)?.data ?? [], data, { absolute: 0 }, key);
      }
      expectClose(await logitsOf(state, weights, run.int32('tokens')), run.float32('logits').data, { absolute: 1e-4 });
    });
  });

  test('tells its sizes, and which of its fields nothing tells, without a config', async () => {
    const config = await json(`imported/${name}.config.json`);
    const sizes = await withImport(`imported/${name}.pt`, { config }, state => Promise.resolve(state.config));
    await withImport(`imported/${name}.pt`, {}, state => {
      for (const field of ['n_layers', 'n_heads', 'd_model', 'd_head', 'd_mlp', 'd_vocab', 'd_vocab_out', 'n_ctx', 'attn_only', 'rotary_dim', 'rotary_base', 'rotary_adjacent_pairs', 'mask'] as const) {
        expect(state.config[field], field).toEqual(sizes[field]);
      }
      const unsure = state.inferred.filter(({ from }) => from === 'default').map(({ field }) => field);
      expect(unsure).toContain('use_attn_scale');
      if (!state.config.attn_only) expect(unsure).toContain('act_fn');
      return Promise.resolve();
    });
  });
});

test('a mask that is none of the usual ones is read from its buffer', async () => {
  await withImport('imported/custom-mask-1-layer.pt', {}, state => {
    expect(state.config.mask).toEqual(['x......', 'xx.....', 'x.x....', 'xxxx...', '....xx.', 'x....xx', '.x.x.xx']);
    expect(tellerOf(state, 'mask')).toBe('blocks.0.attn.mask [7, 7]');
    return Promise.resolve();
  });
});

test('half precision becomes single, and that is said', async () => {
  for (const name of ['float16', 'bfloat16']) {
    await withImport(`imported/${name}.pt`, {}, state => {
      expect(tellerOf(state, 'dtype')).toBe(`${name} in the file`);
      return Promise.resolve();
    });
  }
});

describe('a list of checkpoints', () => {
  test('of TransformerLens becomes checkpoints at their epochs, each with its own numbers, and losses', async () => {
    const run = await runOf('imported/checkpoints');
    await withImport('imported/checkpoints.pt', {}, async (state, recognised) => {
      expect(recognised).toEqual({ as: 'TransformerLens, 1 layer, 3 checkpoints' });
      expect(state.checkpoints.map(({ step }) => step)).toEqual([0, 100, 200]);
      expect(tellerOf(state, 'checkpoints')).toBe('checkpoint_epochs');
      // The file holds its config, as TransformerLens makes a dictionary of it.
      expect(tellerOf(state, 'use_attn_scale')).toBe("the file's own config");
      for (const { step, weights } of state.checkpoints) {
        expectClose(await logitsOf(state, await weights(), run.int32('tokens')), run.float32(`logits.${step}`).data, { absolute: 1e-4 }, String(step));
      }
      expect(state.metrics).toHaveLength(201);
      expect(state.metrics?.[100]).toEqual({ step: 100, seconds: 0, trainLoss: 0.5 / 101, testLoss: 1 / 101 });
    });
  });
});

test('the code of the first studies of grokking, whose weights lie on their sides, computes the same once it is imported', async () => {
  const run = await runOf('imported/grokking');
  await withImport('imported/grokking.pt', {}, async (state, recognised) => {
    expect(recognised).toEqual({ as: 'the grokking code from before TransformerLens, 2 layers' });
    expect(state.config).toMatchObject({ n_heads: 3, d_model: 16, d_head: 4, d_mlp: 24, d_vocab: 13, n_ctx: 5, act_fn: 'relu', normalization_type: null });
    const weights = await state.weights();
    for (const [key, { data }] of run.group('state')) expect(weights.get(key)?.data, key).toEqual(data);
    expectClose(await logitsOf(state, weights, run.int32('tokens')), run.float32('logits').data, { absolute: 1e-4 });
  });
});

describe('GPT-2 as Hugging Face saves it', () => {
  test('computes the same once it is imported', async () => {
    const [config, run] = [await json('imported/gpt2/config.json'), await runOf('imported/gpt2')];
    await withImport('imported/gpt2/model.safetensors', { config }, async (state, recognised) => {
      expect(recognised).toEqual({ as: 'Hugging Face\'s GPT-2' });
      expect(state.config).toMatchObject({ n_layers: 2, n_heads: 2, d_head: 8, d_mlp: 24, n_ctx: 7, act_fn: 'gelu_new', normalization_type: 'LN' });
      const weights = await state.weights();
      for (const [key, { data }] of run.group('state')) expect(weights.get(key)?.data, key).toEqual(data);
      expectClose(await logitsOf(state, weights, run.int32('tokens')), run.float32('logits').data, { absolute: 1e-4 });
    });
  });

  test('has to be told its heads where no config is there and its width says nothing', async () => {
    await expect(withImport('imported/gpt2/model.safetensors', {}, () => Promise.resolve())).rejects.toThrow(
      /^Nothing in the file tells n_heads: transformer\.h\.0\.attn\.c_attn\.weight \[16, 48\] makes 16 dimensions of all heads together\. Give n_heads, in a config\.json too\.$/,
    );
  });

  describe('without a config', () => {
    const ofWidth = (D: number) => {
      const memory = new MemoryTensors();
      const shapes: Record<string, readonly number[]> = {
        'wte.weight': [3, D], 'wpe.weight': [2, D], 'h.0.ln_1.weight': [D], 'h.0.ln_1.bias': [D], 'h.0.attn.c_attn.weight': [D, 3 * D], 'h.0.attn.c_attn.bias': [3 * D],
        'h.0.attn.c_proj.weight': [D, D], 'h.0.attn.c_proj.bias': [D], 'h.0.ln_2.weight': [D], 'h.0.ln_2.bias': [D], 'h.0.mlp.c_fc.weight': [D, 8], 'h.0.mlp.c_fc.bias': [8],
        'h.0.mlp.c_proj.weight': [8, D], 'h.0.mlp.c_proj.bias': [D], 'ln_f.weight': [D], 'ln_f.bias': [D], 'h.0.attn.bias': [1, 1, 2, 2], 'h.0.attn.masked_bias': [],
      };
      return readImport(memory.file(new Map(Object.entries(shapes).map(([name, shape]) => [name, memory.tensor(shape)]))));
    };

    test('has as many heads as the published model of its width', async () => {
      const state = await ofWidth(768);
      expect(state.config).toMatchObject({ n_heads: 12, d_head: 64, d_vocab_out: 3 });
      expect(tellerOf(state, 'n_heads')).toBe('default');
    });

    test('and of another width has to be told its heads, though 64 divides it', async () => {
      await expect(ofWidth(128)).rejects.toMatchObject({ field: 'n_heads' });
    });
  });
});

describe('the numbers', () => {
  const config = configOf();

  test.each([
    [[NaN], 'embed.W_E [7, 8] holds a number that is not finite: NaN at [1, 3].'],
    [[Infinity, NaN], 'embed.W_E [7, 8] holds 2 numbers that are not finite: Infinity at [1, 3].'],
  ])('are refused where they are %s, once they are read', async (values, sentence) => {
    const weights = randomParameters(config);
    weights.get('embed.W_E')?.data.set(values, 11);
    const memory = new MemoryTensors();
    const state = await readImport(memory.file(memory.state(weights)));
    await expect(state.weights()).rejects.toThrow(`${sentence} It can still be looked at: open the file itself.`);
  });

  test('of double precision that single precision does not reach are refused', async () => {
    const memory = new MemoryTensors();
    const file = memory.file(memory.state(randomParameters(config)).set('unembed.b_U', memory.tensor([6], [0, 1e300, 0, 0, 0, 0], 'float64')));
    await expect((await readImport(file)).weights()).rejects.toThrow('unembed.b_U [6] holds a number that is not finite: Infinity at [1], once it is a float32.');
  });

  test('of biases are zeros where a config says that there are none', async () => {
    const memory = new MemoryTensors();
    const file = memory.file(memory.state(randomParameters(config)));
    const state = await readImport(file, { config: { biases: false }, configName: 'config.json' });
    await expect(state.weights()).rejects.toThrow('blocks.0.attn.b_Q holds other numbers than 0, and config.json says that the model has no biases.');
  });
});
