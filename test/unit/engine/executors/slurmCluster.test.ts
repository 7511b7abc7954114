import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { slurmExecutor, type SlurmExecutorOptions } from '../../../../src/engine/executors/slurm';
import type { SweepRunStatus } from '../../../../src/protocol/sweep';
import { Store } from '../../../../src/store/store';
import { buildBundles, trainerEntryPoints, type Bundles } from '../../../support/bundles';
import { eventually } from '../../../support/eventually';
import { ended } from '../../../support/processes';
import { slurmProblem, startSlurmCluster, type SlurmCluster } from '../../../support/slurmCluster';
import { runHere } from '../../cli/commandLine';
import { tinyExperiment } from '../experiments';
import { jobOf, RememberingHost } from './sweepHost';

const problem = slurmProblem();

/** Long enough to be killed midway, a few seconds in all. */
const midway = { steps: 10_000, checkpointEvery: 200 };
const endless = { steps: 400_000, checkpointEvery: 1000 };

describe.skipIf(problem !== undefined)(`a sweep on a real Slurm cluster${problem === undefined ? '' : `: not run, because ${problem}`}`, () => {
  let cluster: SlurmCluster;
  let bundles: Bundles;
  let folder: string;
  let store: Store;
  let options: SlurmExecutorOptions;

  beforeAll(async () => {
    bundles = await buildBundles({ cli: 'src/cli/main.ts', ...trainerEntryPoints });
    folder = await mkdtemp(path.join(tmpdir(), `it's "$HOME" %a `));
    store = await Store.open(path.join(folder, 'models'));
    cluster = await startSlurmCluster();
    options = {
      store,
      options: { partition: 'main', time: '10', memory: '1G' },
      parallel: 3,
      threads: 1,
      device: 'cpu',
      command: [process.execPath, path.join(bundles.folder, 'cli.js')],
      environment: cluster.environment,
      pace: { first: 200, most: 1000, settling: 15_000 },
    };
  });
  afterAll(async () => {
    await cluster?.dispose();
    await bundles?.dispose();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  async function hostOf(name: string, kept?: string): Promise<RememberingHost> {
    const own = path.join(store.folder, 'sweeps', name);
    await mkdir(own, { recursive: true });
    return new RememberingHost(own, kept);
  }

  /** Resolves when a run has left something to go on from, were it to end now. */
  function hasCheckpoint(model: string): Promise<true> {
    return eventually('a checkpoint', async () => ((await store.summary({ ...(await store.read(model)), status: 'interrupted' })).resumable ? true : undefined));
  }

  /** Ids of the processes of the task that trains a model: its command line, and the trainer that it has forked. */
  async function processesOf(host: RememberingHost, index: number): Promise<readonly number[]> {
    const task = path.join(host.folder, 'tasks', `${index}.json`);
    const all = (await cluster.command('ps', '-eo', 'pid=,ppid=,args=')).split('\n').map(line => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []);
    const [, command] = all.find(([, , , words]) => words?.endsWith(`sweep-task ${task}`)) ?? [];
    const [, trainer] = all.find(([, , parent, words]) => parent === command && words?.includes('trainer.js')) ?? [];
    return command === undefined || trainer === undefined ? [] : [Number(command), Number(trainer)];
  }

  /** The executor looks at the queue now and then, and a run can be far before it has looked. */
  async function isSeen(host: RememberingHost, index: number, status: SweepRunStatus): Promise<void> {
    await eventually(`run ${index} seen ${status}`, async () => (host.statuses(index).at(-1) === status ? true : undefined));
  }

  async function log(host: RememberingHost, index: number): Promise<string> {
    return readFile(path.join(host.folder, 'logs', `${index}.log`), 'utf8');
  }

  /** What the same training measures when nothing happens to it. */
  async function undisturbed(experiment: string) {
    const elsewhere = await Store.open(path.join(folder, 'undisturbed'));
    const file = path.join(folder, 'undisturbed.circuit.json');
    await writeFile(file, experiment);
    const { code, err } = await runHere(bundles.folder, ['train', file, '--device', 'cpu', '--store', elsewhere.folder]);
    expect(code, err).toBe(0);
    return elsewhere.readMetrics(jobOf(0, experiment).model);
  }

  const measured = (rows: Awaited<ReturnType<Store['readMetrics']>>) => rows.map(({ seconds: _, ...row }) => row);

  test('trains all runs; one that is put back into the queue, and one whose processes are killed, go on where they were', async () => {
    const texts = [
      tinyExperiment({ name: 'first', seed: 1 }),
      tinyExperiment({ name: 'second', seed: 2 }),
      tinyExperiment({ name: 'put back', seed: 3, ...midway }),
      tinyExperiment({ name: 'killed', seed: 4, ...midway }),
    ];
    const jobs = texts.map((text, index) => jobOf(index, text));
    const [first, second, putBack, killed] = jobs;
    if (!first || !second || !putBack || !killed) throw new Error('four jobs');
    const host = await hostOf('whole');
    const sweeping = slurmExecutor(options)(jobs, host);

    const array = await eventually('the array', async () => /array (\d+)/.exec(host.lines.join('\n'))?.[1]);
    await hasCheckpoint(putBack.model);
    await isSeen(host, 2, 'training');
    await cluster.command('scontrol', 'requeue', `${array}_2`);
    await hasCheckpoint(killed.model);
    const processes = await eventually('its processes', async () => {
      const found = await processesOf(host, 3);
      return found.length > 0 ? found : undefined;
    });
    const [checkpoint = 0] = (await store.checkpoints(killed.model)).filter(step => step > 0);
    const before = (await store.readMetrics(killed.model)).filter(({ step }) => step < checkpoint);
    for (const id of processes) process.kill(id, 'SIGKILL');
    await Promise.all(processes.map(id => ended(id)));
    await sweeping;

    expect(host.row(0)).toEqual({ status: 'finished' });
    expect(host.row(1)).toEqual({ status: 'finished' });
    expect(host.row(2)).toEqual({ status: 'finished' });
    expect(host.statuses(2)).toEqual(['queued', 'training', 'queued', 'training', 'finished']);
    expect(await log(host, 2)).toMatch(/"put back" ended at step [1-9]\d* of 10000; it goes on from there/);
    expect(host.row(3)).toEqual({ status: 'interrupted', problem: expect.stringMatching(/^The job was ended by signal 9; its log .*logs\/3\.log ends with ".+"\.$/) });
    expect(host.keptStates.at(-1)).toBeUndefined();

    // Resumed at once, while the lock of the killed process still counts.
    const again = await hostOf('whole');
    await slurmExecutor(options)([killed], again);
    expect(again.row(3)).toEqual({ status: 'finished' });
    expect(await log(host, 3)).toContain('of 10000; it goes on from there');

    for (const { model } of jobs) expect(await store.read(model)).toMatchObject({ status: 'finished', metrics: { testLoss: expect.any(Number) } });
    const rows = await store.readMetrics(killed.model);
    // Down to the times at which they were measured: what was done before was not done again.
    expect(rows.slice(0, before.length)).toEqual(before);
    expect(before.length).toBeGreaterThan(10);
    expect(measured(rows)).toEqual(measured(await undisturbed(killed.text)));
  }, 150_000);

  test('a sweep that is cancelled stops what runs and takes what waits out of the queue', async () => {
    const jobs = [5, 6, 7].map((seed, index) => jobOf(index, tinyExperiment({ name: `endless ${seed}`, seed, ...endless })));
    const [first] = jobs;
    if (!first) throw new Error('jobs');
    const host = await hostOf('cancelled');
    const sweeping = slurmExecutor({ ...options, parallel: 1 })(jobs, host);
    await hasCheckpoint(first.model);
    host.cancel();
    await sweeping;
    expect(host.row(0)).toEqual({ status: 'stopped' });
    expect(host.row(1)).toEqual({ status: 'cancelled' });
    expect(host.row(2)).toEqual({ status: 'cancelled' });
    expect(await store.read(first.model)).toMatchObject({ status: 'stopped' });
    expect(await store.summary(await store.read(first.model))).toMatchObject({ resumable: true });
    expect(await cluster.command('squeue', '--noheader')).toBe('');
  }, 60_000);

  test('a sweep whose process has ended is found again by what was kept', async () => {
    const job = jobOf(0, tinyExperiment({ name: 'found again', seed: 8, ...midway }));
    const leaving = await hostOf('found');
    const following = slurmExecutor(options)([job], leaving);
    await hasCheckpoint(job.model);
    await isSeen(leaving, 0, 'training');
    leaving.leave();
    await following;
    expect(leaving.statuses(0)).toEqual(['queued', 'training']);
    const coming = await hostOf('found', leaving.keptStates.at(-1));
    await slurmExecutor(options)([job], coming);
    expect(coming.row(0)).toEqual({ status: 'finished' });
    expect(coming.lines).toEqual([]);
    expect(await log(coming, 0)).not.toContain('it goes on from there');
  }, 60_000);

  test('a run that is killed for memory says so, and what to do', async () => {
    const job = jobOf(0, tinyExperiment({ name: 'too large', seed: 10, ...endless }));
    const host = await hostOf('memory');
    await slurmExecutor({ ...options, options: { memory: '20M' } })([job], host);
    expect(host.row(0)).toEqual({ status: 'failed', problem: 'Slurm killed the run for memory; ask for more with --memory.' });
  }, 60_000);

  test('what Slurm refuses is said in its words', async () => {
    const job = jobOf(0, tinyExperiment({ seed: 9 }));
    await expect(slurmExecutor({ ...options, options: { partition: 'none' } })([job], await hostOf('refused')))
      .rejects.toThrow(`Slurm's sbatch failed: invalid partition specified: none; Batch job submission failed: Invalid partition name specified.`);
  });
});
