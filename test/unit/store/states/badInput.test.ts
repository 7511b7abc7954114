import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FieldError, UserError } from '../../../../src/common/errors';
import type { ElementType } from '../../../../src/protocol/checkpointFile';
import type { ModelConfig } from '../../../../src/protocol/config';
import type { FileValue } from '../../../../src/store/files/tensorFile';
import { readImport, recogniseFile } from '../../../../src/store/states/import';
import type { ImportOptions } from '../../../../src/store/states/importedState';
import { configOf, randomParameters } from '../../../support/models';
import { MemoryTensors } from './memoryFile';

// L 2 layers, H 3 heads, D 8, K 4, M 10, V 7, U 6, C 5
const end = 'It can still be looked at: open the file itself.';

interface Change {
  readonly model?: Partial<ModelConfig>;
  readonly without?: readonly string[];
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  readonly types?: Readonly<Record<string, ElementType>>;
}

function changed({ model = {}, without = [], shapes = {}, types = {} }: Change) {
  const memory = new MemoryTensors();
  const state = memory.state(randomParameters(configOf(model)));
  for (const name of without) state.delete(name);
  for (const [name, shape] of Object.entries(shapes)) state.set(name, memory.tensor(shape));
  for (const [name, dtype] of Object.entries(types)) state.set(name, memory.tensor(state.get(name)?.shape ?? [], undefined, dtype));
  return memory.file(state);
}

function problemOf(change: Change, options: ImportOptions = {}): Promise<unknown> {
  return readImport(changed(change), options).then(() => expect.fail('it was imported'), (error: unknown) => error);
}

async function messageOf(change: Change, options: ImportOptions = {}): Promise<string> {
  const error = await problemOf(change, options);
  return error instanceof Error ? error.message : String(error);
}

describe('a state dict', () => {
  test.each<readonly [string, Change, string]>([
    ['that lacks the embedding', { without: ['embed.W_E'], shapes: { 'embed.weight': [7, 8] } }, `The state dict lacks embed.W_E, which was expected as [d_vocab, d_model]; the nearest name that it has besides is "embed.weight". ${end}`],
    ['that lacks a matrix', { without: ['blocks.1.attn.W_V'], shapes: { 'blocks.1.attn.W_v': [3, 8, 4], 'blocks.1.attn.x': [1] } }, `The state dict lacks blocks.1.attn.W_V, which was expected as [3, 8, 4]; the nearest name that it has besides is "blocks.1.attn.W_v". ${end}`],
    ['that lacks a norm', { model: { normalization_type: 'LN' }, without: ['ln_final.w'] }, `The state dict lacks ln_final.w, which was expected as [8]. ${end}`],
    ['that lacks a layer between others', { model: { n_layers: 3 }, without: [...randomParameters(configOf({ n_layers: 3 })).keys()].filter(name => name.startsWith('blocks.1.')) }, `The state dict lacks layers: it has blocks.2.attn.W_Q, and nothing of layer 1. ${end}`],
    ['with a name besides', { shapes: { 'blocks.0.mlp.W_gate': [8, 10] } }, `The state dict has "blocks.0.mlp.W_gate" [8, 10], which a model of this config does not; the nearest name that it has is blocks.0.mlp.W_out. ${end}`],
    ['with shapes that contradict each other', { shapes: { 'blocks.0.attn.W_K': [3, 16, 4] } }, `blocks.0.attn.W_K is [3, 16, 4], where [3, 8, 4] was expected: d_model is 8 in embed.W_E [7, 8]. ${end}`],
    ['with a matrix on its side', { shapes: { 'unembed.W_U': [6, 8] } }, `unembed.W_U is [6, 8], where [8, 8] was expected: d_model is 8 in embed.W_E [7, 8]. ${end}`],
    ['with too few axes', { shapes: { 'blocks.0.attn.W_Q': [8, 12] } }, `blocks.0.attn.W_Q [8, 12] has 2 axes, where 3 were expected: [n_heads, d_model, d_head]. ${end}`],
    ['of whole numbers', { types: { 'blocks.0.mlp.W_in': 'int64' } }, `blocks.0.mlp.W_in [8, 10] is of int64, where weights are expected as float32, float16, bfloat16 or float64. ${end}`],
  ])('%s is refused', async (_, change, sentence) => {
    expect(await messageOf(change)).toBe(sentence);
    expect(recogniseFile(changed(change))).toEqual({ problem: sentence });
  });

  test('that lacks the first layer lacks the layer', async () => {
    const without = [...randomParameters(configOf()).keys()].filter(name => name.startsWith('blocks.0.'));
    expect(await messageOf({ without })).toBe(`The state dict lacks layers: it has blocks.1.attn.W_Q, and nothing of layer 0. ${end}`);
  });

  test('that lacks some biases has zeros for them, and says so', async () => {
    const state = await readImport(changed({ without: ['blocks.0.attn.b_Q', 'unembed.b_U'] }));
    expect(state.config.biases).toBe(true);
    expect((await state.weights()).get('unembed.b_U')?.data).toEqual(new Float32Array(6));
    expect(state.inferred).toContainEqual({ field: 'zeros', value: 2, from: 'blocks.0.attn.b_Q, unembed.b_U: the file lacks them' });
  });

  test('that may lie either way is read as the layout that is given', async () => {
    expect(await messageOf({}, { given: { layout: 'grokking' } })).toBe(`pos_embed.W_pos is [5, 8], where [5, 7] was expected: d_model is 7 in embed.W_E [7, 8]. ${end}`);
    expect(await messageOf({}, { given: { layout: 'pytorch' } })).toBe('layout is one of transformer-lens, grokking, gpt2, not "pytorch".');
  });

  // Comparing every name with every other would take longer than a test may.
  test('of many long names is refused', async () => {
    const memory = new MemoryTensors();
    const names = Array.from({ length: 20_000 }, (_, index) => `blocks.0.attn.${'W_Q'.repeat(500)}${index}`);
    const state = new Map([...memory.state(randomParameters(configOf())), ...names.map(name => [name, memory.tensor([1], [1])] as const)]);
    await expect(readImport(memory.file(state))).rejects.toThrow(/^The state dict has "blocks\.0\.attn\.(W_Q)+…" \[1\], which a model of this config does not\./);
    state.delete('embed.W_E');
    await expect(readImport(memory.file(state))).rejects.toThrow(/^The state dict lacks embed\.W_E/);
  });
});

describe('a config', () => {
  test.each<readonly [string, ImportOptions, string]>([
    ['that contradicts a shape', { config: { n_heads: 4 } }, 'config.json has n_heads as 4, and it is 3 by blocks.0.attn.W_Q [3, 8, 4].'],
    ['that contradicts what is there', { config: { attn_only: true }, configName: 'mine.json' }, 'mine.json has attn_only as true, and it is false by blocks.0.mlp.W_in [8, 10].'],
    ['that people gave, and contradicts a shape', { given: { d_vocab: 10 } }, 'You gave d_vocab as 10, and it is 7 by embed.W_E [7, 8].'],
    ['with a norm that the state has no weights of', { config: { normalization_type: 'LN' } }, `The state dict lacks blocks.0.ln1.w, which was expected as [8]. ${end}`],
    ['with positions that have no table, beside one', { config: { positional_embedding_type: 'rotary' } }, 'config.json has positional_embedding_type as "rotary", and there is pos_embed.W_pos [5, 8], which only "standard" and "shortformer" models have.'],
    ['with another activation', { config: { act_fn: 'solu_ln' } }, `config.json has act_fn as "solu_ln", which no model here has: Invalid type: Expected ("relu" | "gelu" | "gelu_new" | "silu" | "saturate") but received "solu_ln". ${end}`],
    ['with a place of norms that are not there', { config: { normalization_position: 'after' } }, 'normalization_position has a meaning only with a normalization_type.'],
    ['with a scale that leaves no finite scores', { config: { attn_scale: 1e-300 } }, 'config.json has attn_scale as 1e-300, which no model here has'],
    ['with an eps beside which nothing counts', { config: { eps: 1e300, normalization_type: 'LNPre' } }, 'config.json has eps as 1e+300, which no model here has'],
    ['with an activation whose name steers a terminal', { config: { act_fn: 'relu\u001b[2J\u202e' } }, 'config.json has act_fn as "relu\\u001b[2J\\u202e", which no model here has: Invalid type: Expected ("relu" | "gelu" | "gelu_new" | "silu" | "saturate") but received "relu\\u001b[2J\\u202e".'],
    ['with a field whose name does', { config: { 'n_heads\u202e': 3 } }, 'config.json has a field "n_heads\\u202e" that no model here has'],
    ['with gated MLPs', { config: { gated_mlp: true } }, `config.json has gated_mlp as true, which no model here does. ${end}`],
    ['with grouped queries', { config: { n_heads: 3, n_key_value_heads: 1 } }, `config.json has n_key_value_heads as 1, which no model here does. ${end}`],
    ['with soft caps', { config: { attn_scores_soft_cap: 50 } }, `config.json has attn_scores_soft_cap as 50, which no model here does. ${end}`],
    ['with a field that no config has', { config: { act_func: 'relu' } }, 'config.json has a field "act_func" that no model here has; the nearest is act_fn.'],
    ['with a field of people that no config has', { given: { nheads: 3 } }, 'You gave a field "nheads" that no model here has; the nearest are n_heads and d_head.'],
    ['with a field that every object has', { config: { hasOwnProperty: 1 } }, 'config.json has a field "hasOwnProperty" that no model here has'],
    ['of GPT-2 with cross-attention', { config: { model_type: 'gpt2', toString: null, add_cross_attention: true } }, `config.json has add_cross_attention as true, which no model here does. ${end}`],
    ['of another architecture', { config: { model_type: 'llama' } }, 'config.json is of a model of type "llama"; of Hugging Face\'s models only "gpt2" can be read. Load others in TransformerLens, and save its state dict and config.'],
    ['that is a list', { config: [1] }, 'config.json is not a config: a JSON object was expected, with fields such as n_heads and act_fn.'],
  ])('%s is refused', async (_, options, sentence) => {
    expect(await messageOf({}, options)).toContain(sentence);
  });

  test.each([3, 800])('that rotates %d dimensions of heads of 4 is refused', async rotary_dim => {
    const config = { positional_embedding_type: 'rotary', rotary_dim, n_ctx: 5 } as const;
    const error = await problemOf({ model: { positional_embedding_type: 'rotary' } }, { config });
    expect(error).toMatchObject({ field: 'rotary_dim', message: `rotary_dim ${rotary_dim} must be even and at most d_head 4.` });
  });

  test('gives the field that is wrong', async () => {
    expect(await problemOf({}, { given: { n_heads: 4 } })).toMatchObject({ field: 'n_heads' });
    const error = await problemOf({ model: { positional_embedding_type: 'none' } });
    expect(error).toBeInstanceOf(FieldError);
    expect(error).toMatchObject({ field: 'n_ctx', message: 'Nothing in the file tells n_ctx, the most positions that the model reads; give it, in a config.json too.' });
  });

  test('of people counts before that of the file, and both before defaults', async () => {
    const state = await readImport(changed({}), { config: { act_fn: 'gelu', use_attn_scale: false }, given: { act_fn: 'silu' } });
    expect(state.config).toMatchObject({ act_fn: 'silu', use_attn_scale: false });
    const tellers = Object.fromEntries(state.inferred.map(({ field, from }) => [field, from]));
    expect(tellers).toMatchObject({ act_fn: 'you', use_attn_scale: 'config.json', attention_dir: 'default', n_heads: 'blocks.0.attn.W_Q [3, 8, 4]' });
  });

  test('of TransformerLens may say in its ways that something is not there', async () => {
    const config = {
      d_vocab_out: -1, attn_scale: 2.0000000001, initializer_range: -1, n_key_value_heads: null, rotary_dim: null, dtype: 'torch.float32', device: 'cuda', seed: null, init_mode: 'xavier_uniform',
      attn_scores_soft_cap: -1, use_local_attn: false, window_size: null, original_architecture: 'neel', rotary_base: 10_000, normalization_type: null, act_fn: 'gelu_fast',
    };
    const { config: read } = await readImport(changed({}), { config });
    expect(read).toMatchObject({ d_vocab_out: 6, act_fn: 'gelu_new', init_mode: 'gpt2', normalization_type: null });
    expect(read).not.toHaveProperty('attn_scale');
    expect(read).not.toHaveProperty('rotary_base');
  });

  test('of a model of pairs says that each half of an embedding is of one token', async () => {
    const state = await readImport(changed({ model: { tokens_per_position: 2 } }), { config: { tokens_per_position: 2 } });
    expect(state.config).toMatchObject({ d_model: 8, tokens_per_position: 2 });
  });
});

test('what lies in the file itself is taken for a config where it is one, with the settings of training beside it', async () => {
  const memory = new MemoryTensors();
  const settings = new Map<string, FileValue>([['n_heads', 3], ['act_fn', 'silu'], ['lr', 0.001], ['p', 113]]);
  const file = memory.file(new Map<string, FileValue>([['model', memory.state(randomParameters(configOf()))], ['config', settings]]));
  const state = await readImport(file);
  expect(state.config.act_fn).toBe('silu');
  expect(state.inferred).toContainEqual({ field: 'act_fn', value: 'silu', from: "the file's own config" });
});

describe("a file's own config", () => {
  const withBeside = (beside: Readonly<Record<string, FileValue>>) => {
    const memory = new MemoryTensors();
    return readImport(memory.file(new Map<string, FileValue>([['model', memory.state(randomParameters(configOf()))], ...Object.entries(beside)])));
  };
  const dictionary = (entries: Readonly<Record<string, FileValue>>) => new Map(Object.entries(entries));

  test("with Python's integers without a bound is compared, and shown where it is wrong", async () => {
    expect((await withBeside({ config: dictionary({ n_heads: 3n }) })).config.n_heads).toBe(3);
    await expect(withBeside({ config: dictionary({ n_heads: 2n ** 70n }) })).rejects.toThrow("the file's own config has n_heads as 1.1805916207174113e+21, and it is 3");
    await expect(withBeside({ config: dictionary({ n_heads: 3, act_fn: [2n ** 70n] }) })).rejects.toThrow("the file's own config has act_fn as [1.1805916207174113e+21], which no model here has");
    await expect(withBeside({ config: dictionary({ n_heads: 3, gated_mlp: 2n ** 70n }) })).rejects.toThrow("the file's own config has gated_mlp as 1.1805916207174113e+21");
  });

  test('is that of the model before that of the script that trained it', async () => {
    const state = await withBeside({ config: dictionary({ n_heads: 12, act_fn: 'gelu' }), model_args: dictionary({ n_heads: 3, act_fn: 'silu' }) });
    expect(state.config).toMatchObject({ n_heads: 3, act_fn: 'silu' });
  });
});

test('norms that were folded leave no trace, which is said unless someone tells whether there are any', async () => {
  const noted = async (options: ImportOptions) => (await readImport(changed({}), options)).inferred.some(({ field }) => field === 'norms');
  expect(await noted({})).toBe(true);
  expect(await noted({ given: { normalization_type: 'LNPre' } })).toBe(false);
});

test('norms of the old grokking code are no LayerNorms, unless someone says so', async () => {
  const shapes = { 'blocks.0.ln1.w_ln': [8], 'blocks.0.ln1.b_ln': [8], 'blocks.0.ln2.w_ln': [8], 'blocks.0.ln2.b_ln': [8], 'ln.w_ln': [8], 'ln.b_ln': [8] };
  const ofGrokking: Change = {
    model: { n_layers: 1 },
    without: ['blocks.0.attn.b_Q', 'blocks.0.attn.b_K', 'blocks.0.attn.b_V', 'blocks.0.attn.b_O', 'unembed.b_U'],
    shapes: { ...shapes, 'embed.W_E': [8, 7], 'blocks.0.attn.W_Q': [3, 4, 8], 'blocks.0.attn.W_K': [3, 4, 8], 'blocks.0.attn.W_V': [3, 4, 8], 'blocks.0.attn.W_O': [8, 12], 'blocks.0.mlp.W_in': [10, 8], 'blocks.0.mlp.W_out': [8, 10] },
  };
  expect(await messageOf(ofGrokking)).toMatch(/^blocks\.0\.ln1\.w_ln \[8\] is of a norm that divides by the standard deviation plus 1e-4, .* give normalization_type as null .* or as "LN"/);
  expect(recogniseFile(changed(ofGrokking))).toEqual({ as: 'the grokking code from before TransformerLens' });
  expect((await readImport(changed(ofGrokking), { given: { normalization_type: null } })).config.normalization_type).toBe(null);
  const state = await readImport(changed(ofGrokking), { given: { normalization_type: 'LN' } });
  expect([...(await state.weights()).keys()]).toContain('ln_final.w');
});

describe('whatever else is wrong', () => {
  const names = [...randomParameters(configOf({ normalization_type: 'LN' })).keys(), 'blocks.0.attn.mask', 'blocks.1.attn.IGNORE', 'blocks.0.attn.rotary_sin', 'blocks.0.attn.rotary_cos', 'wte.weight', 'h.0.attn.c_attn.weight', '__proto__', ''];
  const shape = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 4 });
  const dtype = fc.constantFrom<ElementType>('float32', 'float64', 'float16', 'int64', 'bool');
  const runs = { numRuns: 200 };

  /** @returns whether it was imported; anything but an error for people fails the test. */
  async function isImported(reading: Promise<{ weights(): Promise<unknown> }>): Promise<boolean> {
    try {
      await (await reading).weights();
      return true;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      expect(error.message).toMatch(/^[\w"].*\.$/s);
      return false;
    }
  }

  test('with the tensors, it is said in a sentence', async () => {
    const change = fc.record({ name: fc.constantFrom(...names), shape: fc.option(shape, { nil: undefined }), dtype, value: fc.constantFrom(0, 1, 0.5, NaN, -Infinity) });
    await fc.assert(fc.asyncProperty(fc.constantFrom<ModelConfig['normalization_type']>(null, 'LN'), fc.array(change, { minLength: 1, maxLength: 3 }), fc.constantFrom(undefined, 'transformer-lens', 'grokking', 'gpt2'), async (norm, changes, layout) => {
      const memory = new MemoryTensors();
      const state = memory.state(randomParameters(configOf({ normalization_type: norm })));
      for (const { name, shape, dtype, value } of changes) {
        if (shape) state.set(name, memory.tensor(shape, Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => value), dtype));
        else state.delete(name);
      }
      const file = memory.file(state);
      await isImported(readImport(file, layout === undefined ? {} : { given: { layout } }));
      recogniseFile(file);
    }), runs);
  });

  test('with the config, it is said in a sentence', async () => {
    const fields = ['n_layers', 'n_heads', 'd_model', 'd_mlp', 'n_ctx', 'd_vocab', 'act_fn', 'eps', 'normalization_type', 'positional_embedding_type', 'rotary_dim', 'rotary_base', 'rotary_adjacent_pairs', 'attention_dir', 'mask', 'use_attn_scale', 'attn_scale', 'biases', 'frozen', 'identity', 'init_mode', 'initializer_range', 'tokens_per_position', 'padding_token', 'normalization_position', 'n_key_value_heads', 'model_type', 'n_embd', 'attn_scores_soft_cap', 'valueOf', '__proto__'];
    const value = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.integer({ min: -2, max: 8 }), fc.constantFrom('rotary', 'none', 'LN', 'RMSPre', 'after', 'gpt2', 'bfs'));
    const document = fc.array(fc.tuple(fc.constantFrom(...fields), value), { maxLength: 3 }).map(entries => Object.fromEntries(entries));
    await fc.assert(fc.asyncProperty(document, document, async (config, given) => {
      await isImported(readImport(changed({}), { config, given }));
    }), runs);
  });

  test('with what the file holds, it is said in a sentence', async () => {
    const leaf = fc.oneof(fc.string({ maxLength: 3 }), fc.integer(), fc.constantFrom<FileValue>(null, true, 3n, NaN));
    const { value } = fc.letrec<{ value: FileValue }>(tie => ({
      value: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie('value'), { maxLength: 3 }), fc.array(fc.tuple(fc.constantFrom<string | number>('model', 'checkpoints', 'state_dicts', 'epochs', 'step', 'train_losses', 'config', 'embed.W_E', 0, 1, 5, -1, '7'), tie('value')), { maxLength: 4 }).map(entries => new Map(entries)), fc.constant<FileValue>('the model')),
    }));
    await fc.assert(fc.asyncProperty(value, async root => {
      const memory = new MemoryTensors();
      const state = memory.state(randomParameters(configOf()));
      const withModel = (inner: FileValue): FileValue => {
        if (inner === 'the model') return state;
        if (inner instanceof Map) return new Map([...(inner as ReadonlyMap<string | number, FileValue>)].map(([key, deeper]) => [key, withModel(deeper)]));
        return Array.isArray(inner) ? inner.map(withModel) : inner;
      };
      const file = memory.file(withModel(root));
      await isImported(readImport(file));
      recogniseFile(file);
    }), runs);
  });
});
