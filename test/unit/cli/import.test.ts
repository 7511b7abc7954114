import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildBundles, type Bundles } from '../../support/bundles';
import { configOf } from '../../support/models';
import { writeModelFile } from '../../support/weightFiles';
import { jsonHere, runHere, runProcess, type Outcome } from './commandLine';

describe('models of files of weights', { timeout: 120_000 }, () => {
  let bundles: Bundles;
  let folder: string;
  let file: string;
  let store: string;

  beforeAll(async () => {
    bundles = await buildBundles({ cli: 'src/cli/main.ts' });
    folder = await mkdtemp(path.join(tmpdir(), 'cli-'));
    // The sizes of modular arithmetic with a modulus of 7.
    file = await writeModelFile(path.join(folder, 'grokked.safetensors'), configOf({ d_vocab: 8, d_vocab_out: 7, n_ctx: 3, normalization_type: 'LN' }));
  });
  beforeEach(async () => {
    store = await mkdtemp(path.join(folder, 'store-'));
  });
  afterAll(async () => {
    await bundles.dispose();
    await rm(folder, { recursive: true });
  });

  function circuits(...words: readonly string[]): Promise<Outcome> {
    return runHere(bundles.folder, [...words, '--store', store]);
  }

  const json = (...words: readonly string[]) => jsonHere(bundles.folder, [...words, '--store', store]);

  test('are imported with what told their config, and opened when they are imported again', async () => {
    const first = await json('import', file);
    expect(first).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{16}$/), name: 'grokked', path: path.join(store, first.id), cached: false, checkpoints: [], config: { d_vocab: 8, act_fn: 'relu' } });
    expect(first.inferred).toContainEqual({ field: 'd_vocab', value: 8, from: 'embed.W_E [8, 8]' });
    expect(await json('import', file)).toEqual({ ...first, cached: true });
    const other = await json('import', file, '--set', 'act_fn=gelu', '--set', 'eps=0.001', '--name', 'smooth');
    expect(other).toMatchObject({ name: 'smooth', config: { act_fn: 'gelu', eps: 0.001 } });
    expect((await json('models')).models).toHaveLength(2);
    expect(await json('show', 'grokked')).toMatchObject({ source: { kind: 'file', file: 'grokked.safetensors' }, task: { name: 'tokens' } });
  });

  test('are told in text, with what is but assumed and how to change it', async () => {
    const alone = path.join(folder, 'alone', 'bare.safetensors');
    await writeModelFile(file.replace('grokked', 'bare'), configOf({ d_vocab: 9 }), 2);
    await mkdir(path.dirname(alone));
    await rename(file.replace('grokked', 'bare'), alone);
    const { code, out } = await circuits('import', alone);
    expect(code).toBe(0);
    expect(out).toMatch(/^d_vocab +9 +embed\.W_E \[9, 8\]$/m);
    expect(out).toMatch(/^act_fn +\w+ +\* default$/m);
    expect(out).toMatch(/import the file again with --set, as in --set \w+=…, or with --config/);
    expect((await circuits('import', file)).out).not.toContain('*');
    expect((await circuits('show', 'bare')).out).toContain('imported from bare.safetensors');
  });

  test('are bound to a task, run, analyzed, reported and processed as any model', async () => {
    const { id, task, metrics } = await json('import', file, '--task', 'modular-arithmetic:modulus=7,operation=subtract');
    expect(task).toMatchObject({ name: 'modular-arithmetic', parameters: { modulus: 7, operation: 'subtract' } });
    expect(metrics).toMatchObject({ testLoss: expect.any(Number) });
    expect((await json('logits', id, '--tokens', '[[1,2,7]]')).shape).toEqual([1, 3, 7]);
    expect(Object.keys(await json('cache', id, '--tokens', '[[1,2,7]]', '--hooks', 'blocks.1.attn.hook_pattern'))).toEqual(['blocks.1.attn.hook_pattern']);
    expect((await json('analyze', id, 'composition')).figures.length).toBeGreaterThan(0);
    const page = path.join(folder, 'report.html');
    expect((await circuits('report', id, '-o', page)).code).toBe(0);
    const text = await readFile(page, 'utf8');
    expect(text).toContain('imported from grokked.safetensors, with weights as TransformerLens has them; its task is modular-arithmetic.');
    expect(text).not.toMatch(/trained on|training time/);
    const folded = await json('process', id, '--fold-layer-norm', '--center-unembedding');
    expect(folded).toMatchObject({ name: 'grokked, folded', config: { normalization_type: 'LNPre' }, source: { kind: 'processed', id, steps: ['fold-layer-norm', 'center-unembedding'] } });
    expect((await circuits('process', id, '--fold-layer-norm')).out).toContain(`made of grokked (${id}): LayerNorm folded into the weights`);
  });

  test.each<[string, readonly string[], RegExp]>([
    ['a file that is not there', ['nowhere.pt'], /There is no file .*nowhere\.pt/],
    ['what is no file of weights', [path.join(import.meta.dirname, '../../../package.json')], /package\.json/],
    ['half a field', ['FILE', '--set', 'act_fn'], /^"act_fn" is not of the form field=value, as in act_fn=gelu\.$/m],
    ['a task that does not exist', ['FILE', '--task', 'modular-aritmetic'], /There is no task "modular-aritmetic"; the nearest is "modular-arithmetic"/],
    ['half a parameter of a task', ['FILE', '--task', 'modular-arithmetic:modulus'], /"modulus" is not of the form name=value/],
    ['a task that does not fit', ['FILE', '--task', 'modular-arithmetic:modulus=11'], /The task does not fit this model/],
    ['a task and prompts', ['FILE', '--task', 'max', '--prompts', 'a.json'], /give --task or --prompts/],
  ])('%s is wrong input, and leaves nothing', async (_, words, message) => {
    const { code, out, err } = await circuits('import', ...words.map(word => (word === 'FILE' ? file : word)), '--json');
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(Object.keys(JSON.parse(out))).toEqual(['error']);
    expect(await readdir(store)).toEqual([]);
  });

  test('processing asks for something to do', async () => {
    await circuits('import', file);
    expect(await circuits('process', 'grokked')).toMatchObject({ code: 2, err: expect.stringContaining('There is nothing to do') });
  });

  test('are one model when two processes import a file at the same time', async () => {
    const both = await Promise.all([1, 2].map(() => runProcess(bundles.folder, ['import', file, '--json'], { store })));
    const answers = both.map(({ code, out, err }) => {
      expect(code, err).toBe(0);
      return JSON.parse(out);
    });
    expect(answers[0].id).toBe(answers[1].id);
    expect(await readdir(store)).toEqual([answers[0].id]);
  });
});
