import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { Runs, type TrainOrder } from '../../../src/engine/runs';
import type { Run } from '../../../src/engine/run';
import { Store } from '../../../src/store/store';
import { buildBundles, type Bundles } from '../../support/bundles';
import { eventually } from '../../support/eventually';
import { tinyExperiment } from './experiments';

const long = 1_000_000;

describe('training runs', () => {
  let bundles: Bundles;
  let folder: string;
  let store: Store;
  let runs: Runs;
  let lines: string[];

  beforeAll(async () => {
    bundles = await buildBundles({ trainer: 'test/unit/engine/fakeTrainer.ts' });
  });
  afterAll(() => bundles.dispose());
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'runs-'));
    lines = [];
    store = await Store.open(folder);
    runs = new Runs(store, { trainer: path.join(bundles.folder, 'trainer.js'), device: 'cpu', threads: 1, background: true, log: line => lines.push(line) });
    onTestFinished(async () => {
      await runs.stopAll();
      runs.dispose();
      await rm(folder, { recursive: true, force: true });
    });
  });

  async function start(order: TrainOrder): Promise<Run> {
    const { run } = await runs.train(order);
    if (!run) throw new Error('it was trained before');
    return run;
  }

  /** Resolves when the run has come to a step. */
  function reaches(run: Run, step: number): Promise<void> {
    return new Promise(resolve => {
      const listening = run.onChange(() => {
        if (run.progress.step < step) return;
        listening.dispose();
        resolve();
      });
    });
  }

  async function summaryOf(id: string) {
    return runs.summary(await store.read(id));
  }

  async function trainerOf(name: string): Promise<number> {
    return eventually('the trainer process to say its number', async () => {
      const found = lines.map(line => new RegExp(`^${name}: trainer (\\d+)$`).exec(line)?.[1]).filter(text => text !== undefined).at(-1);
      return found === undefined ? undefined : Number(found);
    });
  }

  test('train an experiment to its end and keep it', async () => {
    const run = await start({ text: tinyExperiment() });
    expect((await summaryOf(run.id)).status).toBe('training');
    expect(await run.ended).toMatchObject({ status: 'finished' });

    expect(await summaryOf(run.id)).toMatchObject({ name: 'tiny', status: 'finished', progress: { step: 20, steps: 20, secondsPerStep: 0.001 }, resumable: false });
    expect((await store.readMetrics(run.id)).map(row => row.step)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(await store.checkpoints(run.id)).toEqual([10, 20]);
    expect((await store.readWeights(run.id)).get('unembed.b_U')?.data[0]).toBe(20);
    expect(await store.isLocked(run.id)).toBe(false);
    expect(runs.get(run.id)).toBeUndefined();
  });

  test('open what was trained before instead of training it again, unless asked to', async () => {
    const run = await start({ text: tinyExperiment() });
    await run.ended;
    expect(await runs.train({ text: tinyExperiment({ name: 'another name' }) })).toEqual({ id: run.id, cached: true });
    expect((await runs.train({ text: tinyExperiment(), seed: 1 })).cached).toBe(false);

    const { createdAt } = await summaryOf(run.id);
    const again = await start({ text: tinyExperiment(), retrain: true });
    expect(again.id).toBe(run.id);
    await again.ended;
    expect((await summaryOf(run.id)).createdAt).toBeGreaterThan(createdAt);
  });

  test('are one run when they are asked for twice at once', async () => {
    const order = { text: tinyExperiment({ steps: long }) };
    const [first, second] = await Promise.all([runs.train(order), runs.train(order)]);
    expect([first.cached, second.cached]).toEqual([false, true]);
    expect(second.run).toBe(first.run);
  });

  test('pause, go on, stop and resume where they were', async () => {
    const run = await start({ text: tinyExperiment({ steps: 400, checkpointEvery: 1000 }) });
    await reaches(run, 20);
    await runs.control(run.id, 'pause');
    expect(await summaryOf(run.id)).toMatchObject({ status: 'paused', resumable: false });
    expect((await store.read(run.id)).status).toBe('paused');
    await runs.control(run.id, 'resume');
    expect((await summaryOf(run.id)).status).toBe('training');
    await runs.control(run.id, 'stop');

    const stopped = await summaryOf(run.id);
    expect(stopped).toMatchObject({ status: 'stopped', resumable: true });
    expect(stopped.progress.step).toBeGreaterThanOrEqual(20);
    expect(stopped.progress.step).toBeLessThan(400);
    expect(await runs.train({ text: tinyExperiment({ steps: 400, checkpointEvery: 1000 }) })).toEqual({ id: run.id, cached: true });

    const resumed = await runs.resume(run.id);
    expect(await resumed.ended).toMatchObject({ status: 'finished' });
    expect((await store.readMetrics(run.id)).map(row => row.step)).toEqual(Array.from({ length: 400 }, (_, i) => i));
  });

  test('stop while they are paused', async () => {
    const run = await start({ text: tinyExperiment({ steps: long }) });
    await runs.control(run.id, 'pause');
    await runs.control(run.id, 'stop');
    expect(await summaryOf(run.id)).toMatchObject({ status: 'stopped', resumable: true });
  });

  test('that are killed are interrupted and can be resumed, and no other run is touched', async () => {
    const killed = await start({ text: tinyExperiment({ name: 'killed', steps: long, checkpointEvery: 10 }) });
    const other = await start({ text: tinyExperiment({ name: 'other', steps: long, seed: 1 }) });
    await reaches(killed, 25);
    process.kill(await trainerOf('killed'), 'SIGKILL');

    expect(await killed.ended).toMatchObject({
      status: 'interrupted',
      problem: 'Its process was killed (SIGKILL), most likely for want of memory; a smaller batch, or a smaller model, needs less.',
    });
    expect(await summaryOf(killed.id)).toMatchObject({ status: 'interrupted', resumable: true });
    const { step } = other.progress;
    await reaches(other, step + 10);
    expect((await summaryOf(other.id)).status).toBe('training');

    const resumed = await runs.resume(killed.id);
    await reaches(resumed, 30);
    await resumed.stop();
    const steps = (await store.readMetrics(killed.id)).map(row => row.step);
    expect(steps).toEqual(steps.map((_, i) => i));
  });

  test('that hang are ended when they are stopped', async () => {
    const run = await start({ text: tinyExperiment({ steps: long, checkpointEvery: 5, description: 'hangs' }) });
    await eventually('the checkpoint after which it hangs', async () => (await store.checkpoints(run.id)).at(0));
    await run.stop();
    expect(await summaryOf(run.id)).toMatchObject({ status: 'stopped', resumable: true });
    expect(await store.isLocked(run.id)).toBe(false);
  }, 20_000);

  test.each([
    ['fails', 'The loss stopped being a number.'],
    ['needs too much memory', 'The training ran out of memory; a smaller batch, or a smaller model, needs less.'],
    ['is broken', 'The training failed: cannot read.'],
  ])('that go wrong (%s) say why in one sentence and keep what they had', async (description, problem) => {
    const run = await start({ text: tinyExperiment({ description }) });
    expect(await run.ended).toMatchObject({ status: 'failed', problem });
    expect(await summaryOf(run.id)).toMatchObject({ status: 'failed', problem, resumable: true });
    expect(await store.checkpoints(run.id)).toEqual([10]);
    expect(lines).toContain('tiny: the runtime is disposed');
  });

  test('that end without a word are interrupted, with what is known of it', async () => {
    const run = await start({ text: tinyExperiment({ description: 'vanishes' }) });
    await run.ended;
    expect(await summaryOf(run.id)).toMatchObject({ status: 'interrupted', problem: 'Its process ended without a word (exit code 7).' });
  });

  test('fail with one sentence when their model can no longer be written', async () => {
    const run = await start({ text: tinyExperiment({ steps: long, checkpointEvery: 20 }) });
    await rename(store.pathOf(run.id), path.join(folder, 'moved-away'));
    const { status, problem } = await run.ended;
    expect(status).toBe('failed');
    expect(problem).toMatch(/^There is no [^\n]*\.$/);
  });

  test('leave a model alone that another process trains', async () => {
    const run = await start({ text: tinyExperiment({ steps: long }) });
    await run.stop();
    const lock = await store.lock(run.id);
    onTestFinished(() => lock.dispose());
    await expect(runs.resume(run.id)).rejects.toThrow(/Another process is training the model/);
    expect((await store.read(run.id)).status).toBe('stopped');
    await expect(runs.control(run.id, 'delete')).rejects.toThrow(/train/);
    expect(await store.isLocked(run.id)).toBe(true);
  }, 20_000);

  test('end with a model that is deleted', async () => {
    const run = await start({ text: tinyExperiment({ steps: long }) });
    await runs.control(run.id, 'delete');
    expect(await store.list()).toEqual([]);
    expect(runs.get(run.id)).toBeUndefined();
  });

  test('are refused with one sentence for each problem of the experiment', async () => {
    const text = JSON.stringify({ ...JSON.parse(tinyExperiment()), training: { steps: 'many', batch: 'full' }, colour: 'red' });
    await expect(runs.train({ text })).rejects.toThrow(/^"training\.steps"[^\n]*\.\nThere is no field "colour"[^\n]*[.…]$/);
    expect(await store.list()).toEqual([]);
  });

  test('cannot be controlled when there are none', async () => {
    const run = await start({ text: tinyExperiment() });
    await run.ended;
    await expect(runs.control(run.id, 'stop')).rejects.toThrow('"tiny" is not being trained.');
    await expect(runs.control(run.id, 'resume')).rejects.toThrow('"tiny" is trained to its end; there is nothing to resume.');
    await expect(runs.control('0123456789abcdef', 'pause')).rejects.toThrow(/There is no model/);
  });
});
