import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildBundles, type Bundles } from '../../support/bundles';
import { configOf } from '../../support/models';
import { writeModelFile } from '../../support/weightFiles';
import { tinyExperiment } from '../engine/experiments';
import { jsonHere, runHere, type Outcome } from './commandLine';

describe('circuits bind', { timeout: 120_000 }, () => {
  let bundles: Bundles;
  let folder: string;
  let store: string;
  let prompts: string;

  beforeAll(async () => {
    bundles = await buildBundles({ cli: 'src/cli/main.ts', trainer: 'src/engine/trainer.ts' });
    folder = await mkdtemp(path.join(tmpdir(), 'cli-'));
    prompts = path.join(folder, 'sums.prompts.json');
    await writeFile(prompts, JSON.stringify({ positions: ['a', 'b', '='], prompts: [{ prompt: '1 2 7', answer: 3 }, { prompt: [4, 5, 7], answer: 2 }] }));
    // The sizes of modular arithmetic with a modulus of 7.
    await writeModelFile(path.join(folder, 'grokked.safetensors'), configOf({ d_vocab: 8, d_vocab_out: 7, n_ctx: 3 }));
  });
  beforeEach(async () => {
    store = await mkdtemp(path.join(folder, 'store-'));
    await json('import', path.join(folder, 'grokked.safetensors'));
  });
  afterAll(async () => {
    await bundles.dispose();
    await rm(folder, { recursive: true });
  });

  function circuits(...words: readonly string[]): Promise<Outcome> {
    return runHere(bundles.folder, [...words, '--store', store]);
  }

  const json = (...words: readonly string[]) => jsonHere(bundles.folder, [...words, '--store', store]);

  const measured = { testLoss: expect.any(Number), testAccuracy: expect.any(Number), testExactMatch: expect.any(Number) };

  test('gives a model a task, then prompts, then none, each in place of the one before', async () => {
    const { id } = (await json('models')).models[0];
    const task = { name: 'modular-arithmetic', parameters: { operation: 'subtract', modulus: 7, trainFraction: 0.3 } };
    const toTask = await json('bind', 'grokked', '--task', 'modular-arithmetic:modulus=7,operation=subtract');
    expect(toTask).toEqual({ id, name: 'grokked', task, metrics: measured });
    expect(await json('show', id)).toMatchObject({ task });
    expect(await json('bind', 'grokked', '--prompts', prompts)).toMatchObject({ id, task: { name: 'sums.prompts.json', parameters: { words: 'ids' } }, metrics: measured });
    expect((await json('analyze', id, 'logit-lens', '--param', 'examples=2')).figures.length).toBeGreaterThan(0);
    expect(await json('bind', 'grokked', '--none')).toEqual({ id, name: 'grokked', task: { name: 'tokens', parameters: {} }, metrics: {} });
    expect(await json('bind', 'grokked', '--task', 'modular-arithmetic:modulus=7,operation=subtract')).toEqual(toTask);
  });

  test('takes the seed that drew the training examples, and measures then on those that it did not train on', async () => {
    const task = 'modular-arithmetic:modulus=7,trainFraction=0.5';
    const onAll = await json('bind', 'grokked', '--task', task);
    const onTest = await json('bind', 'grokked', '--task', task, '--split-seed', '5');
    expect(await json('show', 'grokked')).toMatchObject({ seed: 5 });
    // 49 pairs in all, and 25 of them that were not trained on.
    const right = (accuracy: number, pairs: number) => Math.abs(accuracy * pairs - Math.round(accuracy * pairs));
    expect(right(onAll.metrics.testAccuracy, 49)).toBeLessThan(1e-9);
    expect(right(onTest.metrics.testAccuracy, 25)).toBeLessThan(1e-9);
    expect(onTest.metrics.testLoss).not.toBe(onAll.metrics.testLoss);
    const { code, err } = await circuits('bind', 'grokked', '--prompts', prompts, '--split-seed', '5');
    expect([code, err]).toEqual([2, '--split-seed says which examples of a task a model was trained on: give it with --task.\n']);
  });

  test('says in text what was measured', async () => {
    const { code, out } = await circuits('bind', 'grokked', '--prompts', prompts);
    expect(code).toBe(0);
    expect(out).toMatch(/^grokked \([0-9a-f]{16}\), task sums\.prompts\.json\n( {2}\S.*\n)+$/);
    expect(out).toMatch(/^ {2}test loss +\d/m);
    expect((await circuits('bind', 'grokked', '--none')).out).toMatch(/^grokked \([0-9a-f]{16}\), task tokens\n$/);
  });

  test.each<[string, readonly string[], string]>([
    ['nothing to bind to', [], 'Say what the model is bound to: one of --task, --prompts and --none.'],
    ['a task and none', ['--task', 'modular-arithmetic:modulus=7', '--none'], 'Say what the model is bound to: one of --task, --prompts and --none.'],
    ['a task and prompts', ['--task', 'modular-arithmetic', '--prompts', 'a.json'], 'give --task or --prompts.'],
    ['a task that does not fit', ['--task', 'modular-arithmetic:modulus=11'], 'The task does not fit this model: it has 12 words, and the model\'s d_vocab is 8.'],
    ['prompts that are not there', ['--prompts', 'nowhere.prompts.json'], 'nowhere.prompts.json'],
  ])('%s is wrong input, and the model stays as it is', async (_, words, message) => {
    const bound = await json('bind', 'grokked', '--task', 'modular-arithmetic:modulus=7');
    const { code, out, err } = await circuits('bind', 'grokked', ...words, '--json');
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(message) });
    expect(Object.keys(JSON.parse(out))).toEqual(['error']);
    expect(await json('show', 'grokked')).toMatchObject({ task: bound.task });
  });

  test('a model that was trained here keeps its task', async () => {
    const file = path.join(folder, 'tiny.circuit.json');
    await writeFile(file, tinyExperiment());
    await json('train', file);
    expect(await circuits('bind', 'tiny', '--none')).toMatchObject({ code: 2, err: expect.stringContaining('"tiny" was trained here on its task, which stays; only an imported model can be bound to another.') });
  });
});
