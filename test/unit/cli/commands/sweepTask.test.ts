import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { formatTask } from '../../../../src/engine/executors/slurmTask';
import { Store } from '../../../../src/store/store';
import { buildBundles, trainerEntryPoints, type Bundles } from '../../../support/bundles';
import { eventually } from '../../../support/eventually';
import { tinyExperiment } from '../../engine/experiments';
import { jobOf } from '../../engine/executors/sweepHost';
import { runHere } from '../commandLine';
import { Text } from '../text';

const long = { steps: 1_000_000, checkpointEvery: 500 };

describe.skipIf(process.platform === 'win32')('the task of a sweep', () => {
  let bundles: Bundles;
  let folder: string;
  let store: Store;
  beforeAll(async () => {
    bundles = await buildBundles({ cli: 'src/cli/main.ts', ...trainerEntryPoints });
    folder = await mkdtemp(path.join(tmpdir(), 'sweep-task-'));
    store = await Store.open(path.join(folder, 'models'));
  });
  afterAll(async () => {
    await bundles.dispose();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  async function taskOf(text: string): Promise<{ readonly model: string; readonly file: string }> {
    const { model } = jobOf(0, text);
    const file = path.join(folder, `${model}.json`);
    await writeFile(file, formatTask({ store: store.folder, model, text, device: 'cpu', threads: 1 }));
    return { model, file };
  }

  /** Starts the task as a job does, and resolves when it has something to go on from. */
  async function begin({ model, file }: { readonly model: string; readonly file: string }): Promise<{ readonly child: ChildProcess; readonly log: Text }> {
    const log = new Text();
    const child = spawn(process.execPath, [path.join(bundles.folder, 'cli.js'), 'sweep-task', file], { stdio: ['ignore', 'pipe', 'pipe'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    child.stdout.pipe(log);
    child.stderr.pipe(log);
    await eventually('a checkpoint', async () => ((await store.checkpoints(model)).some(step => step > 0) ? true : undefined));
    return { child, log };
  }

  async function exitCode(child: ChildProcess): Promise<number | null> {
    const [code] = (await once(child, 'close')) as [number | null];
    return code;
  }

  test('trains its model to the end, and does nothing when it is there already', async () => {
    const { model, file } = await taskOf(tinyExperiment({ name: 'short' }));
    const once = await runHere(bundles.folder, ['sweep-task', file]);
    expect(once.code, once.err).toBe(0);
    expect(once.out).toBe(`short (${model}) is trained to its end.\n`);
    const rows = await store.readMetrics(model);
    expect((await runHere(bundles.folder, ['sweep-task', file])).code).toBe(0);
    expect(await store.readMetrics(model)).toEqual(rows);
  });

  test('keeps what it has when its time is up, and says so', async () => {
    const task = await taskOf(tinyExperiment({ name: 'timed', seed: 1, ...long }));
    const { child, log } = await begin(task);
    child.kill('SIGUSR2');
    expect(await exitCode(child)).toBe(1);
    expect(log.text).toMatch(/The run came to the time limit of its job and keeps what it has learned; ask for more with --time and resume the sweep\.\n$/);
    const record = await store.read(task.model);
    expect(record).toMatchObject({ status: 'interrupted', problem: expect.stringContaining('--time') });
    expect(await store.summary(record)).toMatchObject({ resumable: true });
  }, 60_000);

  test('keeps what it has when it has to make room, and goes on from there as if nothing had happened', async () => {
    const task = await taskOf(tinyExperiment({ name: 'moved', seed: 2, ...long }));
    const { child } = await begin(task);
    child.kill('SIGTERM');
    expect(await exitCode(child)).toBe(1);
    const stopped = await store.read(task.model);
    expect(stopped).toMatchObject({ status: 'stopped' });
    const before = await store.readMetrics(task.model);

    const again = await begin(task);
    await eventually('more rows', async () => ((await store.readMetrics(task.model)).length > before.length ? true : undefined));
    again.child.kill('SIGTERM');
    await exitCode(again.child);
    expect(again.log.text).toContain(`"moved" ended at step ${stopped.progress.step} of ${long.steps}; it goes on from there.`);
    expect((await store.readMetrics(task.model)).slice(0, before.length - 1)).toEqual(before.slice(0, -1));
  }, 60_000);

  test('of a model that another process trains fails and leaves that alone', async () => {
    const task = await taskOf(tinyExperiment({ name: 'twice', seed: 3, ...long }));
    const { child } = await begin(task);
    const second = await runHere(bundles.folder, ['sweep-task', task.file]);
    expect(second.code).toBe(2);
    expect(second.err).toMatch(/^Another process is training the model in /);
    expect(await store.isLocked(task.model)).toBe(true);
    child.kill('SIGTERM');
    await exitCode(child);
  }, 60_000);

  test('that is none is wrong input', async () => {
    const file = path.join(folder, 'none.json');
    await writeFile(file, '{}');
    expect(await runHere(bundles.folder, ['sweep-task', file])).toMatchObject({ code: 2, err: expect.stringMatching(/is not a task of a sweep/) });
  });
});
