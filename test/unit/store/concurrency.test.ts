import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { Store } from '../../../src/store/store';
import type { RecordChanges } from '../../../src/store/modelRecord';
import { buildStoreProcess, ChildStore } from './childStore';
import { temporaryFolder } from './folders';
import { before, other, prepare } from './operations';
import { trainingState, weights } from './samples';

let program: string;
beforeAll(async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'circuits-concurrency-'));
  program = await buildStoreProcess(folder);
  return () => rm(folder, { recursive: true, force: true });
});

let store: Store;
beforeEach(async () => {
  store = await Store.open(await temporaryFolder(), problem => expect.fail(problem));
});

test('changes that three processes make to one record at the same time are all kept', async () => {
  await store.create(before);
  const rounds = Array.from({ length: 25 }, (_, i) => i + 1);
  const tasks: readonly ((round: number) => RecordChanges)[] = [
    round => ({ name: `name ${round}` }),
    round => ({ progress: { step: round, steps: 500 } }),
    round => ({ metrics: { trainLoss: round } }),
  ];
  const children = await Promise.all(tasks.map(change => {
    return ChildStore.start(program, store.folder, { kind: 'update', id: before.id, changes: rounds.map(change) });
  }));
  for (const child of children) child.go();
  let areDone = false;
  const done = Promise.all(children.map(child => child.expect('done'))).finally(() => {
    areDone = true;
  });
  while (!areDone) expect(await store.list()).toHaveLength(1); // never broken, never gone
  await done;
  expect(await store.read(before.id)).toMatchObject({ name: 'name 25', progress: { step: 25 }, metrics: { trainLoss: 25 } });
  expect((await readdir(store.pathOf(before.id))).sort()).toEqual(['checkpoints', 'model.json']);
}, 60_000);

test('of two processes that make the same model one does, and the other is told', async () => {
  const children = await Promise.all([1, 2].map(() => ChildStore.start(program, store.folder, { kind: 'create' })));
  for (const child of children) child.go();
  const reports = await Promise.all(children.map(child => child.next()));
  expect(reports).toContain('done');
  expect(reports).toContainEqual({ problem: `UserError: There is a model ${other.id} already.` });
  expect(await store.list()).toEqual([other]);
  expect(await readdir(store.folder)).toEqual([other.id]);
});

test('whoever reads while a run writes finds everything whole', async () => {
  await prepare(store);
  let isWriting = true;
  const write = async () => {
    for (let step = 300; step <= 2000; step += 100) {
      await store.appendMetrics(before.id, [{ step, seconds: step / 10 }]);
      await store.writeCheckpoint(before.id, trainingState(step));
    }
    isWriting = false;
  };
  const read = async () => {
    let newest = 0;
    while (isWriting) {
      const step = (await store.readWeights(before.id)).get('embed.W_E')?.data[0] ?? NaN;
      expect(await store.readWeights(before.id, step)).toEqual(weights(step));
      const state = await store.readCheckpoint(before.id);
      expect(state).toEqual(trainingState(state.step));
      const rows = await store.readMetrics(before.id);
      expect(rows.slice(0, 3).map(row => row.step)).toEqual([0, 100, 200]);
      expect(rows.length).toBeGreaterThanOrEqual(state.step / 100 + 1);
      expect(state.step).toBeGreaterThanOrEqual(newest);
      newest = state.step;
    }
  };
  await Promise.all([write(), read(), read()]);
});
