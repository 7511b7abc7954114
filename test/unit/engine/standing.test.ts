import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { Runs } from '../../../src/engine/runs';
import { standingOf } from '../../../src/engine/standing';
import { Sweeps } from '../../../src/engine/sweeps';
import type { ModelRecord } from '../../../src/store/modelRecord';
import { Store } from '../../../src/store/store';
import { sweepIdOf, SweepRecords } from '../../../src/store/sweepRecords';
import { readExperiment } from '../../../src/training/experiment';
import { modelsOf } from '../../../src/engine/sweepState';
import { readSweep } from '../../../src/training/sweep';
import { temporaryFolder } from '../store/folders';
import { modelRecord } from '../store/samples';
import { tinyExperiment } from './experiments';

let folder: string;
let store: Store;
let engine: Parameters<typeof standingOf>[0];

beforeEach(async () => {
  folder = await temporaryFolder();
  store = await Store.open(path.join(folder, 'store'));
  const runs = new Runs(store, { trainer: 'none', device: 'cpu', threads: 1, background: true, log: () => undefined });
  const none = () => expect.fail('nothing is trained here');
  const sweeps = new Sweeps(store, runs, { local: none, slurm: none }, () => undefined);
  onTestFinished(() => [sweeps, runs].forEach(one => one.dispose()));
  engine = { store, runs, sweeps };
});

/** A tiny experiment, changed. */
function textOf(more: object = {}): string {
  return JSON.stringify({ ...JSON.parse(tinyExperiment()), ...more });
}

/** Keeps the model that an experiment trains, as if it had been trained here. */
async function keep(text: string, changes: Partial<ModelRecord> = {}): Promise<string> {
  const reading = readExperiment(text);
  if (!reading.ok) return expect.fail(JSON.stringify(reading.problems));
  const record = modelRecord({ experiment: reading.experiment.resolved, ...changes });
  await store.create(record);
  return record.id;
}

test('what can be trained and is not: what it would be, and nothing of it', async () => {
  expect(await standingOf(engine, { text: textOf() })).toEqual({ problems: [], trains: { id: expect.any(String), name: 'tiny', seed: 0, steps: 20 } });
});

test('what cannot be trained has its problems alone; wrong claims keep nothing from being trained', async () => {
  expect(await standingOf(engine, { text: '{ "name": ' })).toEqual({ problems: [expect.objectContaining({ path: [] })] });
  const claims = [{ claim: 'it attends', analysis: 'atention', scalar: 'entropy', expect: '> 0' }];
  const standing = await standingOf(engine, { text: textOf({ claims }) });
  expect(standing).toMatchObject({ problems: [{ path: ['claims', 0, 'analysis'] }], trains: { name: 'tiny' } });
});

test('the model of exactly this experiment, whatever it is called and claims', async () => {
  const id = await keep(textOf(), { metrics: { testAccuracy: 0.5 } });
  const standing = await standingOf(engine, { text: textOf({ name: 'another', claims: [{ claim: 'it learns', analysis: 'training-curves', scalar: 'testLoss', expect: '< 1' }] }) });
  expect(standing).toMatchObject({ trains: { id }, model: { id, status: 'finished', metrics: { testAccuracy: 0.5 } } });
  expect(standing.before).toBeUndefined();
});

test('where there is none, the newest of its name, that another content has made', async () => {
  await keep(textOf({ seed: 1 }), { createdAt: 1 });
  const newest = await keep(textOf({ seed: 2 }), { createdAt: 2 });
  await keep(textOf({ seed: 3, name: 'another' }), { createdAt: 3 });
  const standing = await standingOf(engine, { text: textOf({ seed: 4 }) });
  expect(standing.model).toBeUndefined();
  expect(standing.before).toMatchObject({ id: newest });
  const { name: _, ...nameless } = JSON.parse(textOf({ seed: 4 })) as Record<string, unknown>;
  await keep(textOf({ seed: 5, name: 'modular-arithmetic' }));
  expect((await standingOf(engine, { text: JSON.stringify(nameless) })).before).toBeUndefined();
});

test('a model that cannot be read is there as failed, and throws nothing', async () => {
  const { trains } = await standingOf(engine, { text: textOf() });
  await mkdir(store.pathOf(trains?.id ?? ''), { recursive: true });
  await writeFile(path.join(store.pathOf(trains?.id ?? ''), 'model.json'), '{');
  expect((await standingOf(engine, { text: textOf() })).model).toMatchObject({ id: trains?.id, status: 'failed' });
});

test('what it starts from, and whether that is trained, at its end or at a checkpoint', async () => {
  await writeFile(path.join(folder, 'base.circuit.json'), textOf({ name: 'base' }));
  const ask = async (from: unknown) => (await standingOf(engine, { text: textOf({ from }), folder })).origin;
  expect(await ask('base.circuit.json')).toEqual({ id: expect.any(String), name: 'base', trained: false });
  const id = await keep(textOf({ name: 'base' }), { status: 'training' });
  expect(await ask('base.circuit.json')).toMatchObject({ id, trained: false });
  await rm(store.pathOf(id), { recursive: true });
  await keep(textOf({ name: 'base' }));
  expect(await ask('base.circuit.json')).toMatchObject({ id, trained: true });
  // Step 10 is one that it keeps, and that this store has not.
  expect(await ask({ model: 'base.circuit.json', checkpoint: 10 })).toMatchObject({ id, trained: false });
});

test('the runs of a sweep, how many of them are trained, and the sweep once it was started', async () => {
  const text = textOf({ sweep: { seed: [0, 1, 2] } });
  await keep(textOf({ seed: 1 }));
  expect((await standingOf(engine, { text })).sweep).toEqual({ runs: 3, finished: 1 });
  const reading = readSweep(text);
  if (!reading.ok) return expect.fail('it can be read');
  const id = sweepIdOf(modelsOf(reading.sweep));
  await new SweepRecords(store.folder, () => undefined).write({ format: 1, id, name: 'tiny', text, options: { executor: 'local', parallel: 1 }, createdAt: 1 });
  expect((await standingOf(engine, { text })).sweep).toEqual({ runs: 3, finished: 1, id });
});

test('the runs of a large sweep are only counted, so that it keeps nobody from typing', async () => {
  const sweep = { seed: Array.from({ length: 300 }, (_, i) => i), 'training.steps': Array.from({ length: 300 }, (_, i) => i + 1) };
  const start = performance.now();
  expect((await standingOf(engine, { text: textOf({ sweep }) })).sweep).toEqual({ runs: 90_000 });
  expect(performance.now() - start).toBeLessThan(2000);
});
