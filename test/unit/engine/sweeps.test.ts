import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { UserError } from '../../../src/common/errors';
import type { Executor, SweepHost, SweepJob } from '../../../src/engine/executors/executor';
import { localExecutor } from '../../../src/engine/executors/local';
import { experimentOf, Runs } from '../../../src/engine/runs';
import { Sweeps, type SweepOrder } from '../../../src/engine/sweeps';
import type { SweepChange, SweepDetails } from '../../../src/protocol/sweep';
import { Store } from '../../../src/store/store';
import { buildBundles, type Bundles } from '../../support/bundles';
import { eventually } from '../../support/eventually';
import { modelRecord } from '../store/samples';
import { tinyExperiment } from './experiments';

const long = 1_000_000;

/** An order of a sweep over these values, on this machine. */
function orderOf(sweep: unknown, more: object = {}, parallel = 2): SweepOrder {
  return { text: JSON.stringify({ ...JSON.parse(tinyExperiment()), ...more, sweep }), options: { executor: 'local', parallel } };
}

function training(steps: number, checkpointEvery = 10): object {
  return { training: { steps, checkpointEvery, evaluateEvery: 10, batch: 'full' } };
}

let folder: string;
let store: Store;
let lines: string[];
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sweeps-'));
  lines = [];
  store = await Store.open(folder);
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
});

describe('a sweep on this machine', () => {
  let bundles: Bundles;
  let runs: Runs;
  let sweeps: Sweeps;

  beforeAll(async () => {
    bundles = await buildBundles({ trainer: 'test/unit/engine/fakeTrainer.ts' });
  });
  afterAll(() => bundles.dispose());
  beforeEach(() => {
    [runs, sweeps] = open();
  });

  /** The runs and sweeps of another process. */
  function open(): [Runs, Sweeps] {
    const runs = new Runs(store, { trainer: path.join(bundles.folder, 'trainer.js'), device: 'cpu', threads: 1, background: true, log: line => lines.push(line) });
    const local = ({ parallel }: { readonly parallel: number }) => localExecutor(runs, store, { parallel, threads: 2, cores: 2 });
    const sweeps = new Sweeps(store, runs, { local, slurm: local }, line => lines.push(line));
    onTestFinished(async () => {
      sweeps.dispose();
      await runs.stopAll();
      runs.dispose();
    });
    return [runs, sweeps];
  }

  async function toEnd(order: SweepOrder): Promise<SweepDetails> {
    const { id } = await sweeps.start(order);
    await sweeps.ended(id);
    return sweeps.get(id);
  }

  /** Resolves with a sweep once it looks as it should. */
  function once(id: string, looks: (details: SweepDetails) => boolean): Promise<SweepDetails> {
    return eventually('the sweep to come so far', async () => {
      const details = await sweeps.get(id);
      return looks(details) ? details : undefined;
    });
  }

  test('makes an ordinary model of every run, and says how each goes', async () => {
    const changes: SweepChange[] = [];
    sweeps.onChange(change => changes.push(change));
    const order = orderOf({ seed: [0, 1, 2], 'model.d_model': [8, 16] });
    expect(await sweeps.plan(order)).toEqual({ name: 'tiny', fields: ['seed', 'model.d_model'], runs: 6, finished: 0 });
    const started = await sweeps.start(order);
    expect(started).toMatchObject({ name: 'tiny', status: 'running', fields: ['seed', 'model.d_model'], counts: { waiting: 6 } });

    await sweeps.ended(started.id);
    const details = await sweeps.get(started.id);
    expect(details).toMatchObject({ status: 'finished', counts: { finished: 6 } });
    expect(details.rows.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5]);
    for (const row of details.rows) {
      expect(row).toMatchObject({ status: 'finished', progress: { step: 20, steps: 20 }, metrics: { trainLoss: expect.any(Number) } });
      expect(await store.read(row.model)).toMatchObject({ status: 'finished', experiment: { seed: row.values['seed'], model: { d_model: row.values['model.d_model'] } } });
    }
    await eventually('the last change', () => Promise.resolve(changes.at(-1)?.summary.status === 'finished' ? true : undefined));
    expect(changes.every(({ summary }) => summary.id === started.id)).toBe(true);
    expect(await sweeps.plan(order)).toMatchObject({ runs: 6, finished: 6 });
    await expect(sweeps.control(started.id, 'resume')).rejects.toThrow('Every run of "tiny" is trained to its end; there is nothing to resume.');
  });

  test('trains as many at once as it may, and one model only once', async () => {
    let most = 0;
    const { id, rows } = await sweeps.start(orderOf([{ seed: [0, 1, 2, 3, 4] }, { 'model.d_model': 8, seed: [0, 1] }], training(60)));
    sweeps.onChange(({ summary }) => (most = Math.max(most, summary.counts.training ?? 0)));
    await sweeps.ended(id);
    expect(rows[5]?.model).toBe(rows[0]?.model);
    const details = await sweeps.get(id);
    expect(details.counts).toEqual({ finished: 7 });
    expect(await store.list()).toHaveLength(5);
    expect(lines.filter(line => line.includes('trainer '))).toHaveLength(5);
    // Two rows can share a model that is trained.
    expect(most).toBeLessThanOrEqual(4);
  });

  test('trains no more at once than there are cores, and says so', async () => {
    let most = 0;
    sweeps.onChange(({ summary }) => (most = Math.max(most, summary.counts.training ?? 0)));
    const { counts } = await toEnd(orderOf({ seed: [0, 1, 2, 3, 4, 5] }, training(60), 200));
    expect(counts).toEqual({ finished: 6 });
    expect(most).toBeLessThanOrEqual(2);
    expect(lines.filter(line => line.includes('asked for'))).toEqual([expect.stringContaining('200 runs at the same time were asked for; this machine has cores for 2.')]);
  });

  test('goes on when a run fails, and says why in its row', async () => {
    // It misbehaves after its first checkpoint, to which the short run does not come.
    const details = await toEnd(orderOf({ 'training.steps': [20, 5, 30] }, { description: 'fails' }));
    expect(details).toMatchObject({ status: 'finished', counts: { failed: 2, finished: 1 } });
    const problem = 'The loss stopped being a number.';
    expect(details.rows).toMatchObject([{ status: 'failed', problem }, { status: 'finished' }, { status: 'failed', problem }]);
    expect(details.rows[1]).not.toHaveProperty('problem');
    expect((await store.read(details.rows[0]?.model ?? '')).problem).toBe(problem);
  });

  test('goes on when a process is gone, and resumes it from its checkpoint', async () => {
    // That of the first run vanishes at its checkpoint, after which it comes to no other; the second has none before its end.
    const order = orderOf({ 'training.checkpointEvery': [10, 100] }, { ...training(15), description: 'vanishes' });
    const { id, rows } = await sweeps.start(order);
    await sweeps.ended(id);
    const details = await sweeps.get(id);
    expect(details).toMatchObject({ status: 'stopped', counts: { interrupted: 1, finished: 1 } });
    expect(details.rows[0]).toMatchObject({ status: 'interrupted', problem: 'Its process ended without a word (exit code 7).' });

    const { createdAt } = await store.read(rows[0]?.model ?? '');
    await sweeps.control(id, 'resume');
    await sweeps.ended(id);
    expect(await sweeps.get(id)).toMatchObject({ status: 'finished', counts: { finished: 2 } });
    // It went on with the same model, not with one made anew.
    expect((await store.read(rows[0]?.model ?? '')).createdAt).toBe(createdAt);
  });

  test('is cancelled with all that it has learned, and goes on when it is started again', async () => {
    const order = orderOf({ seed: [0, 1, 2] }, training(2000, 100_000));
    const { id } = await sweeps.start(order);
    await once(id, ({ rows }) => rows.filter(({ progress }) => progress.step > 5).length === 2);
    await sweeps.control(id, 'cancel');
    const cancelled = await sweeps.get(id);
    expect(cancelled).toMatchObject({ status: 'stopped', counts: { stopped: 2, cancelled: 1 } });
    expect(await store.list()).toHaveLength(2);
    await expect(sweeps.control(id, 'cancel')).rejects.toThrow('The sweep "tiny" is not running here.');

    expect((await toEnd(order)).counts).toEqual({ finished: 3 });
    const { model = '' } = cancelled.rows[0] ?? {};
    expect((await store.readMetrics(model)).map(row => row.step)).toEqual(Array.from({ length: 2000 }, (_, i) => i));
  });

  test('is stopped, and can be resumed, after its process has gone', async () => {
    const { id } = await sweeps.start(orderOf({ seed: [0, 1, 2] }, training(2000, 100_000)));
    const { rows } = await once(id, ({ rows }) => rows.filter(({ progress }) => progress.step > 5).length === 2);
    const models = rows.map(({ model }) => runs.get(model)?.ended);
    sweeps.dispose();
    runs.dispose();
    await Promise.all(models);

    [runs, sweeps] = open();
    expect(await sweeps.list()).toMatchObject([{ id, status: 'stopped', counts: { interrupted: 2, cancelled: 1 } }]);
    await sweeps.control(id, 'resume');
    await sweeps.ended(id);
    expect(await sweeps.get(id)).toMatchObject({ status: 'finished', counts: { finished: 3 } });
  }, 60_000);

  test('waits for a model that another process trains', async () => {
    const other = new Runs(store, { trainer: path.join(bundles.folder, 'trainer.js'), device: 'cpu', threads: 1, background: true, log: () => undefined });
    onTestFinished(() => other.dispose());
    const order = orderOf([{ seed: 0, 'training.steps': long }, { seed: 1 }], training(20, 100_000));
    const { run } = await other.train({ text: JSON.stringify({ ...JSON.parse(order.text), ...training(long, 100_000), sweep: undefined, seed: 0 }) });
    const { id } = await sweeps.start(order);
    const { rows } = await once(id, ({ rows: [there, here] }) => there?.status === 'training' && there.progress.step > 5 && here?.status === 'finished');
    const { model = '' } = rows[0] ?? {};
    expect(run?.id).toBe(model);
    expect(runs.get(model)).toBeUndefined();
    // It is stopped over there before its end, and so is trained here.
    await run?.stop();
    expect((await run?.ended)?.status).toBe('stopped');
    const stoppedAt = run?.progress.step ?? 0;
    await eventually('the run to go on here', () => Promise.resolve((runs.get(model)?.progress.step ?? 0) > stoppedAt ? true : undefined));
    await sweeps.control(id, 'cancel');
    expect(await sweeps.get(id)).toMatchObject({ status: 'stopped', counts: { stopped: 1, finished: 1 } });
  }, 60_000);

  test('is forgotten without its models', async () => {
    const { id, rows } = await toEnd(orderOf({ seed: [0] }));
    await sweeps.control(id, 'forget');
    expect(await sweeps.list()).toEqual([]);
    await expect(sweeps.get(id)).rejects.toThrow(`There is no sweep "${id}"`);
    expect(await store.has(rows[0]?.model ?? '')).toBe(true);
  });

  test('is forgotten while it runs by cancelling it first', async () => {
    const { id, rows } = await sweeps.start(orderOf({ seed: [0] }, training(long)));
    await once(id, ({ rows }) => rows[0]?.status === 'training');
    await sweeps.control(id, 'forget');
    expect((await store.read(rows[0]?.model ?? '')).status).toBe('stopped');
  });

  test('is refused before anything is trained', async () => {
    await expect(sweeps.start(orderOf({ 'model.d_modle': [8] }))).rejects.toThrow(/There is no field of "model" called "d_modle"/);
    await expect(sweeps.start(orderOf({ seed: [] }))).rejects.toThrow('This sweep has no runs');
    const many = orderOf({ seed: Array.from({ length: 100 }, (_, i) => i), 'training.steps': Array.from({ length: 100 }, (_, i) => i + 1) });
    await expect(sweeps.start(many)).rejects.toThrow('This sweep has 10,000 runs; more than 1,000 are started only when that is confirmed.');
    expect(await sweeps.plan(many)).toEqual({ name: 'tiny', fields: ['seed', 'training.steps'], runs: 10_000, finished: 0 });
    expect(await sweeps.list()).toEqual([]);
    expect(await store.list()).toEqual([]);
  });
});

describe('an executor', () => {
  /** Sweeps whose executor is told what to do. */
  function sweepsWith(executor: Executor, options: () => void = () => undefined): Sweeps {
    const runs = new Runs(store, { trainer: 'none', device: 'cpu', threads: 1, background: true, log: () => undefined });
    const make = () => {
      options();
      return executor;
    };
    const sweeps = new Sweeps(store, runs, { local: make, slurm: make }, line => lines.push(line));
    onTestFinished(() => {
      sweeps.dispose();
      runs.dispose();
    });
    return sweeps;
  }

  const atCluster: SweepOrder = { ...orderOf({ seed: [0, 1, 2] }), options: { executor: 'slurm', parallel: 0, slurm: { partition: 'gpu' } } };

  test('is given the jobs, and its words stand in the rows', async () => {
    let going: (host: SweepHost) => void = () => undefined;
    const started = new Promise<SweepHost>(resolve => (going = resolve));
    let given: readonly SweepJob[] = [];
    let end: () => void = () => undefined;
    const sweeps = sweepsWith((jobs, host) => {
      given = jobs;
      going(host);
      return new Promise(resolve => (end = resolve));
    });
    const { id, rows } = await sweeps.start(atCluster);
    const host = await started;
    await sweeps.start(atCluster);
    expect(lines).toEqual([]);
    await sweeps.start({ ...atCluster, options: { executor: 'slurm', parallel: 7 } });
    expect(lines).toEqual(['tiny: it runs already, and goes on with the options that it was started with.']);
    expect(given).toMatchObject([{ index: 0, name: 'tiny: seed 0', model: rows[0]?.model }, { index: 1 }, { index: 2 }]);
    expect(JSON.parse(given[2]?.text ?? '').seed).toBe(2);
    host.tell(0, { status: 'queued' });
    host.tell(1, { status: 'training', progress: { step: 3, steps: 20 } });
    host.tell(2, { status: 'failed', problem: 'The node is gone.' });
    expect((await sweeps.get(id)).rows).toMatchObject([
      { status: 'queued', progress: { step: 0, steps: 20 } }, { status: 'training', progress: { step: 3 } }, { status: 'failed', problem: 'The node is gone.' },
    ]);
    host.tell(2, { status: 'queued' });
    expect((await sweeps.get(id)).rows[2]).not.toHaveProperty('problem');
    host.tell(2, { status: 'failed', problem: 'The node is gone again.' });
    end();
    await sweeps.ended(id);
    expect((await sweeps.get(id)).rows[2]).toMatchObject({ status: 'failed', problem: 'The node is gone again.' });
  });

  test('that can run nothing says why in every row, and the sweep can be started again', async () => {
    const sweeps = sweepsWith(() => Promise.reject(new UserError('There is no sbatch here.')));
    const { id } = await sweeps.start(atCluster);
    await sweeps.ended(id);
    const details = await sweeps.get(id);
    expect(details).toMatchObject({ status: 'stopped', problem: 'There is no sbatch here.', counts: { cancelled: 3 } });
    expect(details.rows.map(({ problem }) => problem)).toEqual(Array(3).fill('There is no sbatch here.'));
    expect(lines).toContain('tiny: There is no sbatch here.');
  });

  test('whose options are wrong starts nothing', async () => {
    const sweeps = sweepsWith(() => Promise.resolve(), () => {
      throw new UserError('--time is nothing that Slurm reads.');
    });
    await expect(sweeps.start(atCluster)).rejects.toThrow('--time is nothing that Slurm reads.');
    expect(await sweeps.list()).toEqual([]);
  });

  test('finds its jobs again after a restart by what it kept', async () => {
    const first = sweepsWith(async (_, host) => {
      await host.keep('array 17');
      await new Promise<void>(resolve => host.left.addEventListener('abort', () => resolve()));
    });
    const { id } = await first.start(atCluster);
    await eventually('what was kept', async () => (await import('node:fs/promises')).readFile(path.join(folder, 'sweeps', id, 'sweep.json'), 'utf8').then(text => (text.includes('array 17') ? true : undefined)));
    first.dispose();

    let found: Pick<SweepHost, 'kept' | 'submits'> | undefined;
    const second = sweepsWith(async (_, host) => {
      found = host;
      await host.keep(undefined);
    });
    await second.reattach();
    await second.ended(id);
    expect(found).toMatchObject({ kept: 'array 17', submits: false });
    // There is nothing left to look after.
    found = undefined;
    await second.reattach();
    expect(found).toBeUndefined();
    await second.control(id, 'resume');
    expect(found).toMatchObject({ kept: undefined, submits: true });
    await second.ended(id);
  });

  /** A sweep whose jobs an earlier process has left at the cluster. */
  async function leftAtCluster(order = atCluster): Promise<string> {
    let kept: () => void = () => undefined;
    const isKept = new Promise<void>(resolve => (kept = resolve));
    const before = sweepsWith(async (_, host) => {
      await host.keep('array 17');
      kept();
    });
    const { id } = await before.start(order);
    await isKept;
    await before.ended(id);
    before.dispose();
    return id;
  }

  /** An executor that cancels what it is asked to. */
  function cancelling(hosts: SweepHost[]): Executor {
    return async (_, host) => {
      hosts.push(host);
      if (host.signal.aborted) await host.keep(undefined);
    };
  }

  test.each(['cancel', 'forget'] as const)('cancels what an earlier process left at the cluster: %s', async action => {
    const id = await leftAtCluster();
    const hosts: SweepHost[] = [];
    const sweeps = sweepsWith(cancelling(hosts));
    await sweeps.control(id, action);
    expect(hosts).toMatchObject([{ kept: 'array 17', submits: false, signal: { aborted: true } }]);
    expect(await sweeps.list()).toHaveLength(action === 'cancel' ? 1 : 0);
    // It is cancelled once.
    await expect(sweeps.control(id, 'cancel')).rejects.toThrow(action === 'cancel' ? 'The sweep "tiny" is not running here.' : 'There is no sweep');
    expect(hosts).toHaveLength(1);
  });

  test.each(['cancel', 'forget'] as const)('finds fine-tunings at the cluster when the file that they start from is gone: %s', async action => {
    const base = path.join(folder, 'base.circuit.json');
    await writeFile(base, tinyExperiment({ name: 'base' }));
    for (const seed of [0, 1]) {
      const { resolved, config } = experimentOf({ text: tinyExperiment({ name: 'base', seed }) });
      await store.create(modelRecord({ experiment: resolved, config }));
    }
    const id = await leftAtCluster({ ...orderOf({ seed: [0, 1] }, { from: base }), options: { executor: 'slurm', parallel: 0 } });
    await rm(base);
    const hosts: SweepHost[] = [];
    const sweeps = sweepsWith(cancelling(hosts));
    const [listed] = await sweeps.list();
    expect(listed).toMatchObject({ id, fields: ['seed'] });
    expect(listed).not.toHaveProperty('problem');
    expect((await sweeps.get(id)).rows).toHaveLength(2);
    await sweeps.control(id, action);
    expect(hosts).toMatchObject([{ kept: 'array 17', submits: false, signal: { aborted: true } }]);
    expect(await sweeps.list()).toHaveLength(action === 'cancel' ? 1 : 0);
  });

  test('does not forget jobs that could not be cancelled', async () => {
    const id = await leftAtCluster();
    const sweeps = sweepsWith(() => Promise.reject(new UserError('There is no scancel here.')));
    await expect(sweeps.control(id, 'forget')).rejects.toThrow('The sweep "tiny" still has runs, so it is not forgotten. There is no scancel here.');
    expect(await sweeps.list()).toMatchObject([{ id }]);
  });

  test('does not take over a sweep whose runs another executor left at the cluster', async () => {
    const id = await leftAtCluster();
    const hosts: SweepHost[] = [];
    const sweeps = sweepsWith(cancelling(hosts));
    const here: SweepOrder = { ...atCluster, options: { executor: 'local', parallel: 1 } };
    await expect(sweeps.start(here)).rejects.toThrow('The sweep "tiny" was started with the executor "slurm", and its runs are at the cluster; cancel them first.');
    expect(hosts).toEqual([]);
    await sweeps.control(id, 'cancel');
    await sweeps.start(here);
    expect(hosts[1]).toMatchObject({ kept: undefined, submits: true });
    await sweeps.ended(id);
  });

  test('that a sweep is just starting with is cancelled before the sweep is forgotten', async () => {
    let isCancelled = false;
    const sweeps = sweepsWith((_, host) => new Promise(resolve => host.signal.addEventListener('abort', () => {
      isCancelled = true;
      resolve();
    })));
    const starting = sweeps.start(atCluster);
    const id = path.basename((await sweeps.draft(atCluster)).folder);
    await Promise.all([starting, sweeps.control(id, 'forget')]);
    expect(isCancelled).toBe(true);
    expect(await sweeps.list()).toEqual([]);
  });

  test('keeps nothing of a sweep that another process has forgotten', async () => {
    let host: SweepHost | undefined;
    const sweeps = sweepsWith((_, given) => {
      host = given;
      return new Promise(resolve => given.left.addEventListener('abort', () => resolve()));
    });
    const { id } = await sweeps.start(atCluster);
    await sweepsWith(() => Promise.resolve()).control(id, 'forget');
    await expect(host?.keep('array 17')).rejects.toThrow('There is no sweep');
    await host?.keep(undefined);
    expect(await sweeps.list()).toEqual([]);
  });
});
