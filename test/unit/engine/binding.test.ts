import { cp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { layoutOf } from '../../../src/training/step';
import { pack } from '../../../src/training/state';
import { CancelledError } from '../../../src/common/errors';
import { Random } from '../../../src/common/random';
import { float32, int32 } from '../../../src/common/tensor';
import type { Engine } from '../../../src/engine/engine';
import { importModel, proposeImport } from '../../../src/engine/imports';
import { taskOfModel } from '../../../src/engine/modelTasks';
import { untrainedRecord } from '../../../src/engine/untrainedModels';
import { RunnableModel } from '../../../src/model/runnable';
import type { ModelConfig } from '../../../src/protocol/config';
import type { Metrics } from '../../../src/protocol/model';
import { Evaluator, testExamples } from '../../../src/training/evaluate';
import { engineIn } from '../../support/engines';
import { readImported } from '../../support/imported';
import { configOf, randomParameters } from '../../support/models';
import { eager, onnx } from '../../support/runtimes';
import { writeModelFile } from '../../support/weightFiles';
import { temporaryFolder } from '../store/folders';
import { modelRecord } from '../store/samples';

const fixtures = path.join(import.meta.dirname, '../../fixtures/imported');

let folder: string;
let engine: Engine;
beforeEach(async () => {
  folder = await temporaryFolder();
  engine = await engineIn(folder);
});

/** A grokking model modulo 7, which has an output for `=` too. */
const grokking = configOf({ d_vocab: 8, d_vocab_out: 8, n_ctx: 3 });
const addition = { kind: 'task', name: 'modular-arithmetic', parameters: { modulus: 7 } } as const;

async function imported(config: ModelConfig = grokking): Promise<string> {
  const file = await writeModelFile(path.join(folder, 'tiny.safetensors'), config);
  return (await importModel(engine, { file }, new AbortController().signal)).model.id;
}

const attention = (id: string) => engine.analyses.run({ model: id, analysis: 'attention', params: { examples: 2 } }, { signal: new AbortController().signal, progress: () => undefined });

describe('an imported model', () => {
  test('that is bound to a task is measured on its test set, as training measures', async () => {
    const id = await imported();
    const { metrics, id: same, experiment, config, source } = await engine.bindings.bind(id, addition);
    expect(same).toBe(id);
    expect(experiment.task).toEqual({ name: 'modular-arithmetic', parameters: { operation: 'add', modulus: 7, trainFraction: 0.3 } });
    const task = await taskOfModel(engine.store, { id, experiment, config, ...(source && { source }) });
    const { trained, frozen } = layoutOf(config);
    const weights = await engine.store.readWeights(id);
    const vector = (specs: typeof trained) => {
      const data = pack(specs, name => weights.get(name) as ReturnType<typeof float32> | undefined);
      return float32([data.length], data);
    };
    const evaluator = await Evaluator.create({ resolved: experiment, config, task, claims: [] }, onnx, vector(frozen));
    const expected = await evaluator.evaluate(vector(trained));
    expect(metrics.testLoss).toBeCloseTo(expected.testLoss ?? expect.fail(), 5);
    expect(metrics.testAccuracy).toBeCloseTo(expected.testAccuracy ?? expect.fail(), 12);
    expect(metrics.testExactMatch).toBeCloseTo(expected.testExactMatch ?? expect.fail(), 12);
  });

  test('that is open is seen with the task that it was bound to since', async () => {
    const id = await imported();
    const [before] = (await attention(id)).figures;
    expect(before).toMatchObject({ tokens: ['0', '1', '2'] });
    await engine.bindings.bind(id, addition);
    const [after] = (await attention(id)).figures;
    expect(after).toMatchObject({ tokens: ['a', 'b', '='] });
    expect((await engine.words(id)).vocabulary.at(-1)).toBe('=');
  });

  test('is taken from its task again, and nothing is measured any more', async () => {
    const id = await imported();
    await engine.bindings.bind(id, addition);
    const { experiment, metrics } = await engine.bindings.bind(id, { kind: 'none' });
    expect(experiment.task).toEqual({ name: 'tokens', parameters: {} });
    expect(metrics).toEqual({});
    expect(await engine.store.readMetrics(id)).toEqual([]);
  });

  test('that is bound to prompts of a file is measured on each of them once, and patched between its pairs', async () => {
    const id = await imported();
    const file = path.join(folder, 'prompts.json');
    const prompts = [0, 1, 2].map(a => ({ prompt: [a, 1, 7], answer: a + 1, corrupted: { prompt: [a, 2, 7], answer: a + 2 } }));
    await writeFile(file, JSON.stringify({ prompts, positions: ['a', 'b', '='] }));
    const { metrics } = await engine.bindings.bind(id, { kind: 'prompts', file });
    expect([0, 1, 2, 3]).toContain(Math.round((metrics.testAccuracy ?? expect.fail()) * 3 * 1e9) / 1e9);
    const [figure] = (await engine.analyses.run({ model: id, analysis: 'activation-patching', params: { pairs: 2 } }, { signal: new AbortController().signal, progress: () => undefined })).figures;
    expect(figure).toBeDefined();
    // Another engine, which has not seen the file, has what the store keeps.
    const other = await engineIn(folder);
    expect((await other.words(id)).positions).toEqual(['a', 'b', '=']);
  });

  test('stays as it is when measuring it is cancelled', async () => {
    const id = await imported();
    await engine.bindings.bind(id, addition);
    const before = await engine.store.read(id);
    await expect(engine.bindings.bind(id, { ...addition, parameters: { modulus: 5 } }, AbortSignal.abort())).rejects.toThrow(CancelledError);
    expect(await engine.store.read(id)).toEqual(before);
    expect((await engine.words(id)).vocabulary.slice(4, 8)).toEqual(['4', '5', '6', '=']);
  });

  test('stays as it is where the task does not fit, or there is none', async () => {
    const id = await imported();
    const before = await engine.store.read(id);
    await expect(engine.bindings.bind(id, { ...addition, parameters: { modulus: 11 } })).rejects.toThrow('The task does not fit this model: it has 12 words, and the model\'s d_vocab is 8.');
    await expect(engine.bindings.bind(id, { ...addition, name: 'modular' })).rejects.toThrow('modular-arithmetic');
    await expect(engine.bindings.bind(id, { kind: 'prompts', file: path.join(folder, 'none.json') })).rejects.toThrow('There is no file');
    expect(await engine.store.read(id)).toEqual(before);
  });
});

/** What a model measures on prompts, from the logits of the plain pass of the last position, in float64. */
async function measured(config: ModelConfig, weights: ConstructorParameters<typeof RunnableModel>[1], prompts: readonly (readonly number[])[], answers: readonly number[]): Promise<Metrics> {
  const T = prompts[0]?.length ?? 0;
  const { logits: { data, shape: [, , U = 0] } } = await new RunnableModel(config, weights, eager).runWithCache(int32([prompts.length, T], Int32Array.from(prompts.flat())), []);
  let [loss, right] = [0, 0];
  answers.forEach((answer, row) => {
    const last = Array.from(data.subarray((row * T + T - 1) * U, (row + 1) * T * U));
    const own = last[answer] ?? expect.fail();
    loss += Math.log(last.reduce((sum, logit) => sum + Math.exp(logit - own), 0));
    right += Number(own === Math.max(...last));
  });
  return { testLoss: loss / answers.length, testAccuracy: right / answers.length, testExactMatch: right / answers.length };
}

function expectMetrics(found: Metrics, expected: Metrics): void {
  for (const name of ['testLoss', 'testAccuracy', 'testExactMatch'] as const) expect(found[name], name).toBeCloseTo(expected[name] ?? expect.fail(), 5);
}

describe('what an imported model was trained on', () => {
  const exact = { ...grokking, d_vocab_out: 7 };
  const everyPair = Array.from({ length: 49 }, (_, pair) => [Math.floor(pair / 7), pair % 7, 7]);
  const sum = ([a = 0, b = 0]: readonly number[]) => (a + b) % 7;
  const run = (id: string, analysis: string, params = {}) => engine.analyses.run({ model: id, analysis, params }, { signal: new AbortController().signal, progress: () => undefined });

  test('is not known without a seed: it is measured on all pairs, and what tells trained pairs apart does not apply', async () => {
    const id = await imported(exact);
    const { metrics } = await engine.bindings.bind(id, addition);
    const weights = await engine.store.readWeights(id);
    expectMetrics(metrics, await measured(exact, weights, everyPair, everyPair.map(sum)));
    for (const analysis of ['excluded-loss', 'progress-measures']) await expect(run(id, analysis)).rejects.toThrow('of this one that is not known; bind it with its seed');
    expect((await run(id, 'restricted-loss', { frequencies: '1' })).scalars['testLoss']).toBeCloseTo(metrics.testLoss ?? expect.fail(), 4);
    expect((await run(id, 'dataset')).figures[0]).toMatchObject({ series: [{ name: 'examples' }] });
  });

  test('follows from a seed: it is measured on the pairs that are left', async () => {
    const id = await imported(exact);
    await engine.bindings.bind(id, addition);
    const { metrics, experiment } = await engine.bindings.bind(id, { ...addition, seed: 5 });
    expect(experiment.seed).toBe(5);
    // 14 of the 49 pairs are trained on.
    const order = [...new Random(5, 'modular-arithmetic split').permutation(49)];
    const weights = await engine.store.readWeights(id);
    const [train, test] = [order.slice(0, 14), order.slice(14)].map(pairs => pairs.map(pair => everyPair[pair] ?? []));
    if (!train || !test) expect.fail();
    expectMetrics(metrics, await measured(exact, weights, test, test.map(sum)));
    const { testLoss } = await measured(exact, weights, train, train.map(sum));
    expect((await run(id, 'excluded-loss', { frequencies: '1' })).scalars['trainLoss']).toBeCloseTo(testLoss ?? expect.fail(), 4);
  });

  test('of two tasks that are asked for at once the later one counts, with what is measured on it', async () => {
    const id = await imported(exact);
    const subtraction = { ...addition, parameters: { modulus: 7, operation: 'subtract' } } as const;
    await Promise.all([engine.bindings.bind(id, addition), engine.bindings.bind(id, subtraction)]);
    const { experiment, metrics } = await engine.store.read(id);
    expect(experiment.task.parameters).toMatchObject({ operation: 'subtract' });
    expectMetrics(metrics, await measured(exact, await engine.store.readWeights(id), everyPair, everyPair.map(([a = 0, b = 0]) => (a - b + 7) % 7)));
  });

  test('that does not fit is told before anything is done', async () => {
    const file = await writeModelFile(path.join(folder, 'tiny.safetensors'), grokking);
    await expect(proposeImport({ file, binding: { ...addition, parameters: { modulus: 11 } } })).rejects.toThrow('The task does not fit this model');
  });
});

describe('a model with checkpoints', () => {
  /** A model that came with a state of its own at each step, and no losses. */
  async function withStates(steps: readonly number[]): Promise<string> {
    const record = untrainedRecord({
      name: 'states', config: grokking, task: { name: 'tokens', parameters: {} }, step: steps.at(-1) ?? 0, metrics: {},
      source: { kind: 'file', file: 'states.pt', format: 'torch', layout: 'transformer-lens', inferred: [] },
    });
    const { id } = await engine.store.add(record, async draft => {
      for (const step of steps) await draft.writeCheckpoint(step, randomParameters(grokking, step));
      await draft.writeWeights(randomParameters(grokking, steps.at(-1)));
    });
    return id;
  }

  async function testSet(id: string) {
    const record = await engine.store.read(id);
    const { tokens } = testExamples(record.experiment, await taskOfModel(engine.store, record));
    return Array.from({ length: tokens.shape[0] ?? 0 }, (_, row) => Array.from(tokens.data.subarray(3 * row, 3 * row + 3)));
  }

  test('is measured at each of them, and with another task anew', async () => {
    const id = await withStates([10, 20, 40]);
    for (const [operation, answerOf] of [['add', (a: number, b: number) => (a + b) % 7], ['subtract', (a: number, b: number) => (a - b + 7) % 7]] as const) {
      const { metrics } = await engine.bindings.bind(id, { ...addition, parameters: { modulus: 7, operation } });
      const prompts = await testSet(id);
      expect(prompts.length).toBeGreaterThan(20);
      const answers = prompts.map(([a = 0, b = 0]) => answerOf(a, b));
      const rows = await engine.store.readMetrics(id);
      expect(rows.map(({ step }) => step)).toEqual([10, 20, 40]);
      for (const row of rows) expectMetrics(row, await measured(grokking, randomParameters(grokking, row.step), prompts, answers));
      expectMetrics(metrics, rows.at(-1) ?? expect.fail());
      expect(new Set(rows.map(({ testLoss }) => testLoss)).size).toBe(3);
    }
    await engine.bindings.bind(id, { kind: 'none' });
    expect(await engine.store.readMetrics(id)).toEqual([]);
  });

  test('of which there are hundreds is measured at some of them, evenly apart and at the last', async () => {
    const id = await withStates(Array.from({ length: 150 }, (_, at) => at + 1));
    await engine.bindings.bind(id, addition);
    expect((await engine.store.readMetrics(id)).map(({ step }) => step)).toEqual(Array.from({ length: 75 }, (_, at) => 2 * at + 2));
  });

  test('that came with losses keeps them, is measured at its end, and without a task has again what it came with', async () => {
    const { model } = await importModel(engine, { file: path.join(fixtures, 'checkpoints.pt') }, new AbortController().signal);
    const before = await engine.store.readMetrics(model.id);
    expect(before.at(-1)).toMatchObject({ step: 200, trainLoss: expect.any(Number) });
    const { metrics, config } = await engine.bindings.bind(model.id, addition);
    const checkpoints = await engine.store.checkpoints(model.id);
    const rows = await engine.store.readMetrics(model.id);
    expect(rows.map(({ testAccuracy: _, testExactMatch: __, ...came }) => came)).toEqual(before);
    expect(rows.filter(({ testAccuracy }) => testAccuracy !== undefined).map(({ step }) => step)).toEqual(checkpoints);
    expect(metrics.trainLoss).toBe(before.at(-1)?.trainLoss);
    const prompts = await testSet(model.id);
    expectMetrics(metrics, await measured(config, (await readImported('checkpoints')).weights, prompts, prompts.map(([a = 0, b = 0]) => (a + b) % 7)));
    expect((await engine.bindings.bind(model.id, { kind: 'none' })).metrics).toEqual(model.metrics);
    expect(await engine.store.readMetrics(model.id)).toEqual(before);
  });

  test('is bound with what is measured at each in one write: where that does not come about, all is as it was', async () => {
    const { model } = await importModel(engine, { file: path.join(fixtures, 'checkpoints.pt') }, new AbortController().signal);
    const { store, bindings } = engine;
    const seen = async () => ({ record: await store.read(model.id), rows: await store.readMetrics(model.id) });
    const unbound = await seen();
    const write = vi.spyOn(store, 'update').mockRejectedValueOnce(new Error('killed'));
    await expect(bindings.bind(model.id, addition)).rejects.toThrow('killed');
    expect(await seen()).toEqual(unbound);
    await bindings.bind(model.id, addition);
    expect(write).toHaveBeenCalledTimes(2);
    expect((await seen()).rows).not.toEqual(unbound.rows);
    write.mockRejectedValueOnce(new Error('killed'));
    const bound = await seen();
    await expect(bindings.bind(model.id, { kind: 'none' })).rejects.toThrow('killed');
    expect(await seen()).toEqual(bound);
  });
});

describe('a model with a tokenizer', () => {
  /** Hugging Face's, with a tokenizer of five words beside it; the others of its tokens have none. */
  async function withTokenizer(): Promise<string> {
    const hub = path.join(folder, 'hub');
    await cp(path.join(fixtures, 'gpt2'), hub, { recursive: true });
    await writeFile(path.join(hub, 'vocab.json'), JSON.stringify({ a: 0, b: 1, ab: 2, 'Ġ': 3, 'Ġa': 4 }));
    await writeFile(path.join(hub, 'merges.txt'), '#version: 0.2\nĠ a\na b\n');
    return (await importModel(engine, { file: path.join(hub, 'model.safetensors') }, new AbortController().signal)).model.id;
  }

  async function bindPrompts(id: string, content: object) {
    const file = path.join(folder, 'words.prompts.json');
    await writeFile(file, JSON.stringify(content));
    return engine.bindings.bind(id, { kind: 'prompts', file });
  }

  const typed = async (id: string, prompt: string) =>
    (await engine.analyses.run({ model: id, analysis: 'attention', params: { prompt } }, { signal: new AbortController().signal, progress: () => undefined })).figures[0];

  test('is bound to prompts in the words of its tokenizer, and measured on the tokens that these are', async () => {
    const id = await withTokenizer();
    const { metrics, config } = await bindPrompts(id, { prompts: [{ prompt: 'ab a', answer: ' a', corrupted: 'b a' }, { prompt: 'b a', answer: 'b', corrupted: 'ab a' }] });
    expectMetrics(metrics, await measured(config, (await readImported('gpt2')).weights, [[2, 4], [1, 4]], [4, 1]));
    const { vocabulary, positions, corruptions } = await engine.words(id);
    expect(vocabulary.slice(0, 6)).toEqual(['a', 'b', 'ab', '␣', '␣a', '5']);
    expect({ positions, corruptions }).toEqual({ positions: ['0', '1'], corruptions: ['corrupted', 'another example'] });
  });

  test('reads what people type as its tokenizer does, bound or not', async () => {
    const id = await withTokenizer();
    expect(await typed(id, 'bab a')).toMatchObject({ tokens: ['b', 'ab', '␣a'] });
    await expect(typed(id, 'abc')).rejects.toThrow('The tokenizer of this model has no token for "c".');
    await bindPrompts(id, { prompts: [{ prompt: 'bab a', answer: 'a' }] });
    expect(await typed(id, 'abb a')).toMatchObject({ tokens: ['ab', 'b', '␣a'] });
    // The longest prompt of the file has 3 tokens; the model reads more.
    expect(await typed(id, 'abba a')).toMatchObject({ tokens: ['ab', 'b', 'a', '␣a'] });
  });

  test('reads the words of a file that brings its own', async () => {
    const id = await withTokenizer();
    await bindPrompts(id, { vocabulary: ['ab', 'is', 'one'], prompts: [{ prompt: 'ab is', answer: 'one' }] });
    expect(await typed(id, 'one is')).toMatchObject({ tokens: ['one', 'is'] });
    await expect(typed(id, 'onee is')).rejects.toThrow('There is no token "onee"; the nearest is "one"');
  });
});

test('a model that was trained here keeps its task', async () => {
  const record = modelRecord();
  await engine.store.create(record);
  await expect(engine.bindings.bind(record.id, { kind: 'none' })).rejects.toThrow('"clock" was trained here on its task, which stays; only an imported model can be bound to another.');
  expect(await engine.store.read(record.id)).toEqual(record);
});
