import { copyFile, mkdir, mkdtemp, readdir, readFile, realpath, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Engine } from '../../../../src/engine/engine';
import { experimentProblems } from '../../../../src/engine/experimentProblems';
import { buildBundles, trainerEntryPoints, type Bundles } from '../../../support/bundles';
import { moduleSource } from './modules';

const media = path.join(import.meta.dirname, '../../../../media');

/** An experiment on a module; `changes` replace whole sections' fields. */
function textOf(task: unknown, changes: Readonly<Record<string, object | number | string>> = {}): string {
  const { training, ...rest } = changes;
  return JSON.stringify({
    task,
    model: { n_layers: 1, n_heads: 2, d_model: 16, d_head: 8, d_mlp: 32, attention_dir: 'causal' },
    training: { steps: 20, batch: 16, learningRate: 0.01, evaluateEvery: 10, evaluationExamples: 64, ...training as object },
    ...rest,
  });
}

describe('trainings on task modules', { timeout: 60_000 }, () => {
  let bundles: Bundles;
  let home: string;
  let count = 0;

  beforeAll(async () => {
    bundles = await buildBundles(trainerEntryPoints);
    home = await realpath(await mkdtemp(path.join(tmpdir(), 'module-trainings-')));
  });
  afterAll(async () => {
    await bundles.dispose();
    await rm(home, { recursive: true, force: true });
  });

  /** A folder with the example module, and more, and an engine beside it. */
  async function workspace(files: Readonly<Record<string, string>> = {}) {
    const folder = path.join(home, String(count++));
    await mkdir(folder);
    await copyFile(path.join(media, 'task-module/parity.ts'), path.join(folder, 'parity.ts'));
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
    const store = path.join(folder, 'store');
    const engine = await openEngine(store);
    return { folder, store, engine, train: (text: string, order = {}) => trained(engine, { text, folder, ...order }) };
  }

  async function openEngine(store: string, trusted = true): Promise<Engine> {
    const engine = await Engine.open({
      store, device: 'cpu', threads: 1, background: false, trusted, log: () => undefined,
      installation: { trainer: path.join(bundles.folder, 'trainer.js'), cli: '', experiments: path.join(media, 'experiments') },
    });
    onTestFinished(async () => {
      await engine.runs.stopAll();
      engine.dispose();
    });
    return engine;
  }

  async function trained(engine: Engine, order: Parameters<Engine['runs']['train']>[0]) {
    const { id, run } = await engine.runs.train(order);
    await run?.ended;
    return engine.details(id);
  }

  test('learn parity with the example module, and can be looked at without it', async () => {
    const { engine, train, folder, store } = await workspace();
    const { summary } = await train(textOf('./parity.ts', { training: { steps: 400, batch: 64 } }));
    expect(summary).toMatchObject({ name: 'parity', task: 'parity.ts', status: 'finished' });
    expect(summary.metrics.testAccuracy).toBeGreaterThan(0.9);

    await rm(path.join(folder, 'parity.ts'));
    engine.dispose();
    const restricted = await openEngine(store, false);
    expect(await restricted.words(summary.id)).toMatchObject({ positions: ['b1', 'b2', 'b3', 'b4', '='], corruptions: ['flip a bit', 'another example'] });
    expect((await restricted.analyses.applicable(summary.id)).map(({ id }) => id)).toEqual(expect.arrayContaining(['attention', 'activation-patching']));
    const { scalars } = await restricted.analyses.run({ model: summary.id, analysis: 'activation-patching', params: {} }, { signal: new AbortController().signal, progress: () => undefined });
    expect(scalars['cleanDifference']).toBeGreaterThan(0);
    await expect(restricted.runs.control(summary.id, 'retrain')).rejects.toThrow('The task module parity.ts runs only in a trusted workspace.');
  });

  test('are not started where the workspace is not trusted, by whatever asks for it', async () => {
    const { engine, train, store } = await workspace();
    const { summary } = await train(textOf('./parity.ts'));
    const { run, id } = await engine.runs.train({ text: textOf('./parity.ts', { training: { steps: 100_000, checkpointEvery: 10 } }), folder: path.dirname(store) });
    await new Promise<void>(resolve => run?.onChange(() => run.progress.step > 20 && resolve()));
    await run?.stop();
    const { experiment: { task: { module } } } = await engine.store.read(summary.id);
    engine.trusted = false;

    const refused = 'The task module parity.ts runs only in a trusted workspace.';
    const pinned = (changes = {}) => textOf({ name: 'parity.ts', module }, { seed: 1, ...changes });
    await expect(engine.runs.control(summary.id, 'retrain')).rejects.toThrow(refused);
    await expect(engine.runs.control(id, 'resume')).rejects.toThrow(refused);
    await expect(engine.runs.train({ text: pinned() })).rejects.toThrow(refused);
    // As a breakpoint forks a run.
    await expect(engine.runs.train({ text: pinned({ from: summary.id }) })).rejects.toThrow(refused);
    for (const executor of ['local', 'slurm'] as const) {
      await expect(engine.sweeps.start({ text: pinned({ sweep: { seed: [1, 2] } }), options: { executor, parallel: 1 } })).rejects.toThrow(refused);
    }
    expect(await engine.models()).toHaveLength(2);
  });

  test('are other models where the code is other, and the same where it is the same', async () => {
    const { train, folder } = await workspace();
    const first = await train(textOf('./parity.ts'));
    expect((await train(textOf({ name: './parity.ts', length: 4 }))).summary.id).toBe(first.summary.id);
    expect((await train(textOf({ name: './parity.ts', length: 5 }))).summary.id).not.toBe(first.summary.id);
    await writeFile(path.join(folder, 'parity.ts'), `${await readFile(path.join(folder, 'parity.ts'), 'utf8')}// changed\n`);
    expect((await train(textOf('./parity.ts'))).summary.id).not.toBe(first.summary.id);
  });

  test('go on from a checkpoint to the same weights, bit for bit, with the code that they began with', async () => {
    const text = textOf('./parity.ts', { training: { steps: 4000, checkpointEvery: 1000 } });
    const whole = await workspace();
    const { summary } = await whole.train(text);
    const parted = await workspace();
    const { run, id } = await parted.engine.runs.train({ text, folder: parted.folder });
    await new Promise<void>(resolve => run?.onChange(() => run.progress.step > 100 && resolve()));
    await run?.stop();
    expect((await parted.engine.details(id)).summary).toMatchObject({ id: summary.id, status: 'stopped' });
    await writeFile(path.join(parted.folder, 'parity.ts'), 'throw new Error("changed meanwhile")');
    await (await parted.engine.runs.resume(id)).ended;
    expect((await parted.engine.details(id)).summary.status).toBe('finished');
    expect(await parted.engine.store.readWeights(id)).toEqual(await whole.engine.store.readWeights(id));
  });

  test('run no code where all the examples are there, not even in a workspace that is not trusted', async () => {
    const source = moduleSource({ example: 'undefined', examples: '() => ["a", "b"].flatMap(a => ["a", "b"].map(b => ({ prompt: [a, b], answers: [a] })))' });
    const { train, engine } = await workspace({ 'copy.mjs': source });
    const text = textOf('./copy.mjs', { training: { batch: 'full' } });
    const { summary } = await train(text);
    expect(summary.status).toBe('finished');
    engine.trusted = false;
    await engine.runs.control(summary.id, 'retrain');
    await engine.runs.get(summary.id)?.ended;
    expect((await engine.model(summary.id)).status).toBe('finished');
  });

  test('fail with the line of a module that throws in the midst of them', async () => {
    const source = moduleSource({ example: `(drawn => random => {
        if (drawn++ > 6000) throw new Error('no more');
        return { prompt: [random.integer(2), 'a'], answers: [0] };
      })(0)` });
    const { train, folder } = await workspace({ 'tired.mjs': source });
    const line = source.split('\n').findIndex(text => text.includes('throw')) + 1;
    const { summary } = await train(textOf('./tired.mjs', { training: { steps: 1000 } }));
    expect(summary).toMatchObject({
      status: 'failed', problem: expect.stringMatching(`^tired\\.mjs failed in example\\(\\): no more \\(tired\\.mjs:${line}:\\d+\\)\\.$`) as string,
      problemSource: { file: path.join(folder, 'tired.mjs'), line },
    });
  });

  test('fail with the line of a promise of the module that fails in the midst of them', async () => {
    const source = moduleSource({ example: `(drawn => random => {
        if (drawn++ > 6000) Promise.reject(new Error('no more'));
        return { prompt: [random.integer(2), 'a'], answers: [0] };
      })(0)` });
    const { train, folder } = await workspace({ 'tired.mjs': source });
    const line = source.split('\n').findIndex(text => text.includes('reject')) + 1;
    const { summary } = await train(textOf('./tired.mjs', { training: { steps: 1000 } }));
    expect(summary).toMatchObject({
      status: 'failed', problem: expect.stringContaining('tired.mjs failed in a promise: no more (tired.mjs:') as string,
      problemSource: { file: path.join(folder, 'tired.mjs'), line },
    });
  });

  test('fail where the module does not come to an end in the midst of them', async () => {
    const source = moduleSource({ example: `(drawn => random => {
        while (drawn > 6000);
        drawn++;
        return { prompt: [random.integer(2), 'a'], answers: [0] };
      })(0)` });
    const { train } = await workspace({ 'stuck.mjs': source });
    expect((await train(textOf('./stuck.mjs', { training: { steps: 1000 } }))).summary).toMatchObject({
      status: 'failed', problem: 'stuck.mjs took longer than 10 s to draw an example.',
    });
  });

  test('fail where the module takes ever more memory, little at a time', async () => {
    const source = moduleSource({ example: `((kept, drawn) => random => {
        if (drawn++ > 6000) kept.push(new Uint8Array(4e6).fill(1));
        return { prompt: [random.integer(2), 'a'], answers: [0] };
      })([], 0)` });
    const { train } = await workspace({ 'hoards.mjs': source });
    expect((await train(textOf('./hoards.mjs', { training: { steps: 1000 } }))).summary).toMatchObject({
      status: 'failed', problem: 'hoards.mjs takes more than 1 GB of memory.',
    });
  });

  test('start from one another', async () => {
    const { train } = await workspace();
    const base = await train(textOf('./parity.ts', { name: 'base' }));
    const tuned = await train(textOf('./parity.ts', { from: base.summary.id, seed: 1 }));
    expect(tuned.summary).toMatchObject({ status: 'finished', from: { id: base.summary.id } });
    await expect(train(textOf({ name: './parity.ts', length: 5 }, { from: base.summary.id }))).rejects.toThrow('what fits is the task of "base", with "length": 4.');
  });

  test('are swept, over the parameters of the module too, and stay so when it changes', async () => {
    const { engine, folder, store } = await workspace();
    const text = textOf('./parity.ts', { sweep: { 'task.length': [3, 4], seed: [0, 1] }, training: { steps: 3 } });
    const { id } = await engine.sweeps.start({ text, folder, options: { executor: 'local', parallel: 2 } });
    await engine.sweeps.ended(id);
    const { rows } = await engine.sweeps.get(id);
    expect(rows.map(({ status }) => status)).toEqual(['finished', 'finished', 'finished', 'finished']);
    expect(new Set(rows.map(({ model }) => model)).size).toBe(4);

    await writeFile(path.join(folder, 'parity.ts'), `${await readFile(path.join(folder, 'parity.ts'), 'utf8')}// changed\n`);
    engine.dispose();
    const later = await openEngine(store);
    expect(await later.sweeps.list()).toMatchObject([{ id, status: 'finished', counts: { finished: 4 } }]);
    expect((await later.sweeps.get(id)).rows).toEqual(rows);
  });

  test('leave nothing of their modules in the store when they are deleted, once that is old', async () => {
    const { engine, train, store } = await workspace();
    const [one, other] = [await train(textOf('./parity.ts')), await train(textOf('./parity.ts', { seed: 1 }))];
    const tasks = path.join(store, 'tasks');
    const [file = ''] = await readdir(tasks);
    await utimes(path.join(tasks, file), new Date(0), new Date(0));
    await engine.runs.control(one.summary.id, 'delete');
    expect(await readdir(tasks)).toEqual([file]);
    await engine.runs.control(other.summary.id, 'delete');
    expect(await readdir(tasks)).toEqual([]);
  });

  test('are refused with what is wrong at its place, in the experiment and in the module', async () => {
    const { engine, folder } = await workspace({ 'wrong.mjs': '\nthrow new Error("no");' });
    const problemsOf = async (task: unknown) => {
      const text = textOf(task);
      return experimentProblems(text, await engine.runs.origins.lookUp({ text, folder }));
    };
    expect(await problemsOf('./wrong.mjs')).toEqual([{
      path: ['task'], message: 'wrong.mjs could not be loaded: no (wrong.mjs:2:7).', source: { file: path.join(folder, 'wrong.mjs'), line: 2, column: 7 },
    }]);
    expect(await problemsOf({ name: './wrong.mjs' })).toMatchObject([{ path: ['task', 'name'] }]);
    expect(await problemsOf({ name: './parity.ts', length: 99 })).toMatchObject([{ path: ['task', 'length'] }]);
    expect(await problemsOf({ name: './parity.ts', lenght: 3 })).toMatchObject([{ path: ['task', 'lenght'], nearest: { of: 'name', names: ['length'] } }]);
    engine.trusted = false;
    expect(await problemsOf('./parity.ts')).toMatchObject([{ path: ['task'], message: 'The task module ./parity.ts runs only in a trusted workspace.' }]);
  });
});
