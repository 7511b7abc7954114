import { mkdir, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { CancelledError, UserError } from '../../../src/common/errors';
import { float32 } from '../../../src/common/tensor';
import type { Engine } from '../../../src/engine/engine';
import { importModel, proposeImport, type ImportHost } from '../../../src/engine/imports';
import type { ImportOrder } from '../../../src/protocol/checkpointFile';
import { encodeSafetensors } from '../../../src/store/safetensors';
import { engineIn } from '../../support/engines';
import { importedFixtures, withImported } from '../../support/imported';
import { configOf, randomParameters } from '../../support/models';
import { writeModelFile, writeTensors } from '../../support/weightFiles';
import { temporaryFolder } from '../store/folders';

const fixtures = path.join(import.meta.dirname, '../../fixtures/imported');
const fixture = (name: string) => path.join(fixtures, name === 'gpt2' ? 'gpt2/model.safetensors' : `${name}.pt`);
/** Sizes of modular arithmetic with a modulus of 7. */
const modular = configOf({ d_vocab: 8, d_vocab_out: 7, n_ctx: 3 });
const mod7 = { kind: 'task', name: 'modular-arithmetic', parameters: { modulus: 7 } } as const;

let folder: string;
let engine: Engine;
beforeEach(async () => {
  folder = await temporaryFolder();
  engine = await engineIn(folder);
});

const never = new AbortController().signal;
const importFile = (file: string, order: Partial<ImportOrder> = {}, signal = never) => importModel(engine, { file, ...order }, signal);

async function messageOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(() => undefined, (thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserError);
  return error instanceof UserError ? error.message : '';
}

describe('a model that is imported', () => {
  test.each(importedFixtures)('%s has the weights that the file holds, down to the last bit', async name => {
    const { model: { id } } = await importFile(fixture(name));
    await withImported(name, async state => {
      expect((await engine.store.read(id)).config).toEqual(state.config);
      expect(await engine.store.readWeights(id)).toEqual(await state.weights());
    });
  });

  test('keeps every byte of a file of float32', async () => {
    const file = await writeModelFile(path.join(folder, 'grokked.safetensors'), modular);
    const { model } = await importFile(file);
    expect(await readFile(path.join(model.path, 'weights.safetensors'))).toEqual(Buffer.concat(encodeSafetensors(randomParameters(modular))));
  });

  test('is finished, called as the file, without a task, and says where it comes from and what told its config', async () => {
    const { model, cached, inferred } = await importFile(fixture('relu-unscaled-1-layer'));
    expect(cached).toBe(false);
    const source = { kind: 'file', file: 'relu-unscaled-1-layer.pt', format: 'torch', layout: 'transformer-lens', inferred };
    expect(model).toMatchObject({ name: 'relu-unscaled-1-layer', task: 'tokens', status: 'finished', progress: { step: 0, steps: 0 }, resumable: false, source });
    expect(inferred).toContainEqual({ field: 'use_attn_scale', value: false, from: 'relu-unscaled-1-layer.config.json' });
    const { experiment, config } = await engine.store.read(model.id);
    expect(experiment.training.steps).toBe(0);
    expect(config).toMatchObject(experiment.model);
  });

  test('has the checkpoints and losses that the file has, and its own weights with the last', async () => {
    const { model } = await importFile(fixture('checkpoints'));
    const { store } = engine;
    await withImported('checkpoints', async ({ checkpoints, metrics }) => {
      expect(checkpoints).toHaveLength(3);
      expect(await store.checkpoints(model.id)).toEqual(checkpoints.map(({ step }) => step));
      for (const { step, weights } of checkpoints) expect(await store.readWeights(model.id, step)).toEqual(await weights());
      expect(await store.readMetrics(model.id)).toEqual(metrics);
      const last = checkpoints.at(-1)?.step;
      expect(model.progress).toEqual({ step: last, steps: last });
      expect(model.metrics.testLoss).toBe(metrics?.at(-1)?.testLoss);
    });
    expect(await readdir(model.path)).toEqual(['checkpoints', 'metrics.jsonl', 'model.json', 'weights.safetensors']);
  });

  test('is opened when the same weights are imported again, under its own name or the one that is asked for, and another with another config', async () => {
    const first = await importFile(fixture('relu-unscaled-1-layer'), { name: 'mine' });
    const again = await importFile(fixture('relu-unscaled-1-layer'));
    expect(again).toMatchObject({ cached: true, model: { id: first.model.id, name: 'mine' } });
    expect(await importFile(fixture('relu-unscaled-1-layer'), { name: 'yours' })).toMatchObject({ cached: true, model: { id: first.model.id, name: 'yours' } });
    const other = await importFile(fixture('relu-unscaled-1-layer'), { config: { act_fn: 'gelu' } });
    expect(other.cached).toBe(false);
    expect(other.inferred).toContainEqual({ field: 'act_fn', value: 'gelu', from: 'you' });
    expect((await engine.models()).map(({ id }) => id).sort()).toEqual([first.model.id, other.model.id].sort());
  });

  test('is one model when it is imported twice at the same time', async () => {
    const both = await Promise.all([importFile(fixture('checkpoints')), importFile(fixture('checkpoints'))]);
    expect(both.map(({ cached }) => cached).sort()).toEqual([false, true]);
    expect(await readdir(engine.store.folder)).toEqual([both[0].model.id]);
  });

  test('of Hugging Face is called as its folder, and keeps the tokenizer beside it where that fits', async () => {
    const [D, V, C] = [4, 6, 5];
    const layer = { 'ln_1.weight': [D], 'ln_1.bias': [D], 'attn.c_attn.weight': [D, 3 * D], 'attn.c_attn.bias': [3 * D], 'attn.c_proj.weight': [D, D], 'attn.c_proj.bias': [D], 'ln_2.weight': [D], 'ln_2.bias': [D], 'mlp.c_fc.weight': [D, 8], 'mlp.c_fc.bias': [8], 'mlp.c_proj.weight': [8, D], 'mlp.c_proj.bias': [D] };
    const shapes = { 'wte.weight': [V, D], 'wpe.weight': [C, D], ...Object.fromEntries(Object.entries(layer).map(([name, shape]) => [`h.0.${name}`, shape])), 'ln_f.weight': [D], 'ln_f.bias': [D] };
    const tensors = new Map(Object.entries(shapes).map(([name, shape], at) => {
      const tensor = float32(shape);
      tensor.data.forEach((_, i) => (tensor.data[i] = Math.sin(at + i)));
      return [name, tensor];
    }));
    const hub = path.join(folder, 'tiny-gpt2');
    const file = await writeTensors(path.join(hub, 'model.safetensors'), tensors);
    await writeFile(path.join(hub, 'config.json'), JSON.stringify({ model_type: 'gpt2', n_head: 2, n_layer: 1, n_embd: D, n_positions: C, vocab_size: V, activation_function: 'gelu_new', layer_norm_epsilon: 1e-5 }));
    await writeFile(path.join(hub, 'vocab.json'), JSON.stringify({ a: 0, b: 1, ab: 2, 'Ġ': 3 }));
    await writeFile(path.join(hub, 'merges.txt'), '#version: 0.2\na b\n');
    expect(await proposeImport({ file })).toMatchObject({ name: 'tiny-gpt2', layout: 'gpt2', tokenizer: true });
    const { model } = await importFile(file);
    expect(model.name).toBe('tiny-gpt2');
    expect((await engine.words(model.id)).vocabulary).toEqual(['a', 'b', 'ab', '␣', '4', '5']);
    // What could not be read the first time is taken over the second time, with the name that is asked for.
    await rm(path.join(model.path, 'tokenizer.json'));
    expect(await importFile(file, { name: 'renamed' })).toMatchObject({ cached: true, model: { id: model.id, name: 'renamed' } });
    expect(await readFile(path.join(model.path, 'tokenizer.json'), 'utf8')).toContain('ab');
    await writeFile(path.join(hub, 'vocab.json'), JSON.stringify(Object.fromEntries('abcdefgh'.split('').map((word, at) => [word, at]))));
    await writeFile(path.join(hub, 'merges.txt'), '');
    const without = await importFile(file, { config: { act_fn: 'relu' } });
    expect(without.inferred).toContainEqual({ field: 'tokenizer', value: null, from: 'the tokenizer beside the file has 8 words, and the model\'s d_vocab is 6' });
    expect((await engine.words(without.model.id)).vocabulary).toEqual(['0', '1', '2', '3', '4', '5']);
  });
});

test('one part of a model that was cut up says that it is one', async () => {
  const file = await writeTensors(path.join(folder, 'model-00001-of-00009.safetensors'), new Map([['transformer.h.0.ln_1.weight', float32([4])]]));
  await expect(proposeImport({ file })).rejects.toThrow(/ The file is one part of 9; load the model and save it as one file\.$/);
});

describe('bound to a task while it is imported', () => {
  test('a model whose weights are too large to compute with is refused, and not there', async () => {
    const weights = randomParameters(modular);
    for (const { data } of weights.values()) data.forEach((value, at) => (data[at] = value * 1e20));
    const file = await writeModelFile(path.join(folder, 'a.safetensors'), modular);
    await writeTensors(file, weights);
    await expect(importFile(file, { binding: mod7 })).rejects.toThrow('its weights are too large to compute with.');
    expect(await engine.models()).toEqual([]);
  });

  test('a model is measured on it', async () => {
    const { model } = await importFile(await writeModelFile(path.join(folder, 'a.safetensors'), modular), { binding: mod7 });
    expect(model).toMatchObject({ task: 'modular-arithmetic', metrics: { testLoss: expect.any(Number), testAccuracy: expect.any(Number) } });
  });

  test('one that was imported before takes the task; without one it keeps what it has', async () => {
    const file = await writeModelFile(path.join(folder, 'a.safetensors'), modular);
    await importFile(file);
    expect(await importFile(file, { binding: mod7 })).toMatchObject({ cached: true, model: { task: 'modular-arithmetic' } });
    expect(await importFile(file)).toMatchObject({ cached: true, model: { task: 'modular-arithmetic' } });
  });

  test('nothing is imported when the task does not fit, or measuring it is cancelled', async () => {
    const file = await writeModelFile(path.join(folder, 'a.safetensors'), modular);
    expect(await messageOf(importFile(file, { binding: { kind: 'task', name: 'modular-arithmetic', parameters: { modulus: 11 } } })))
      .toBe('The task does not fit this model: it has 12 words, and the model\'s d_vocab is 8.');
    const controller = new AbortController();
    const cancelling: ImportHost = {
      store: engine.store,
      model: id => engine.model(id),
      bindings: {
        bind: (...given) => {
          controller.abort();
          return engine.bindings.bind(...given);
        },
      },
    };
    await expect(importModel(cancelling, { file, binding: mod7 }, controller.signal)).rejects.toThrow(CancelledError);
    expect(await readdir(engine.store.folder)).toEqual([]);
  });
});

describe('what a file would become', () => {
  test('is said before anything is written', async () => {
    const file = await writeModelFile(path.join(folder, 'grokked.safetensors'), modular);
    expect(await proposeImport({ file })).toEqual({
      name: 'grokked', format: 'safetensors', layout: 'transformer-lens', config: modular, tokenizer: false, checkpoints: [],
      parameters: [...randomParameters(modular).values()].reduce((sum, { data }) => sum + data.length, 0),
      inferred: expect.arrayContaining([{ field: 'd_vocab', value: 8, from: 'embed.W_E [8, 8]' }]),
      tasks: expect.arrayContaining([{ name: 'modular-arithmetic', parameters: { operation: 'add', modulus: 7 } }]),
    });
    expect(await proposeImport({ file: fixture('checkpoints') })).toMatchObject({ checkpoints: [0, 100, 200] });
    expect(await engine.models()).toEqual([]);
  });

  test('is told by a config of the file\'s name, by any in its folder, or by the one that is named', async () => {
    const file = await writeModelFile(path.join(folder, 'a.safetensors'), modular);
    const toldBy = async (order: Partial<ImportOrder> = {}) => (await proposeImport({ file, ...order })).inferred.find(({ field }) => field === 'act_fn')?.from;
    const [own, any, named] = ['a.config.json', 'config.json', 'named.json'].map(name => path.join(folder, name)) as [string, string, string];
    expect(await toldBy()).toBe('a.config.json');
    await rename(own, any);
    expect(await toldBy()).toBe('config.json');
    await rename(any, named);
    expect(await toldBy()).toBe('default');
    expect(await toldBy({ configFile: named })).toBe('named.json');
  });
});

describe('nothing is left of a file that becomes no model', () => {
  test.each<[string, (file: string) => Promise<Partial<ImportOrder> | undefined>, string | RegExp]>([
    ['that is not there', async file => rename(file, `${file}.old`).then(() => undefined), /There is no file .*a\.safetensors/],
    ['that is cut short', async file => truncate(file, 2000).then(() => undefined), /cut short|embed|a\.safetensors/],
    ['with a number that is none', async file => {
      const parameters = randomParameters(modular);
      parameters.get('blocks.1.attn.W_O')?.data.fill(NaN, 3, 4);
      await writeTensors(file, parameters);
      return undefined;
    }, /blocks\.1\.attn\.W_O/],
    ['without a parameter', async file => {
      const parameters = randomParameters(modular);
      parameters.delete('blocks.1.attn.W_O');
      await writeTensors(file, parameters);
      return undefined;
    }, /blocks\.1\.attn\.W_O/],
    ['whose config is not JSON', async file => writeFile(file.replace('.safetensors', '.config.json'), '{ "act_fn": relu }').then(() => undefined), /^\/.*a\.config\.json is not JSON \(.*\)\.$/],
    ['whose config is nested too deep', async file => writeFile(file.replace('.safetensors', '.config.json'), '['.repeat(1e5)).then(() => undefined), /a\.config\.json is nested 100000 levels deep; the config of a model needs fewer than 100\.$/],
    ['whose config is too large', async file => truncate(file.replace('.safetensors', '.config.json'), 2 ** 40).then(() => undefined), /a\.config\.json is too large for the config of a model\.$/],
    ['whose config is a folder', async () => mkdir(path.join(folder, 'named.json')).then(() => ({ configFile: path.join(folder, 'named.json') })), /named\.json is a folder, not the config of a model\.$/],
    ['whose config is not there', () => Promise.resolve({ configFile: path.join(folder, 'named.json') }), /^There is no file .*named\.json\.$/],
    ['whose config contradicts it', async () => Promise.resolve({ config: { d_model: 16 } }), /d_model/],
    ['with a field that there is not', async () => Promise.resolve({ config: { activation: 'relu' } }), /activation/],
    ['with a name of a thousand characters', () => Promise.resolve({ name: 'a'.repeat(1000) }), 'A model\'s name has 1 to 100 characters, and this one has 1000.'],
  ])('%s', async (_, spoil, message) => {
    const file = await writeModelFile(path.join(folder, 'a.safetensors'), modular);
    const order = await spoil(file);
    expect(await messageOf(importFile(file, order))).toMatch(message);
    expect(await readdir(engine.store.folder)).toEqual([]);
  });

  test('or that is cancelled', async () => {
    const controller = new AbortController();
    controller.abort();
    await expect(importFile(fixture('checkpoints'), {}, controller.signal)).rejects.toThrow(CancelledError);
    expect(await readdir(engine.store.folder)).toEqual([]);
  });
});
