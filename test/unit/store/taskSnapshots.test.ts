import { mkdtemp, realpath, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { SweepRecords } from '../../../src/store/sweepRecords';
import { hashOf, keepSnapshot, removeUnusedSnapshots, snapshotHashes } from '../../../src/store/taskSnapshots';
import { moduleSource, opened } from '../engine/taskModules/modules';

const snapshot = opened({ 'task.mjs': moduleSource() }).describe();

async function emptyStore(): Promise<string> {
  const store = await realpath(await mkdtemp(path.join(tmpdir(), 'task-snapshots-')));
  onTestFinished(() => rm(store, { recursive: true, force: true }));
  return store;
}

test('what a module makes stays as long as a sweep was started with it', async () => {
  const store = await emptyStore();
  await keepSnapshot(store, snapshot);
  const hash = hashOf(snapshot);
  await utimes(path.join(store, 'tasks', `${hash}.json`), new Date(0), new Date(0));
  const sweeps = new SweepRecords(store, () => undefined);
  const id = '0123456789abcdef';
  await sweeps.write({ format: 1, id, name: 'a sweep', text: '{}', options: { executor: 'local', parallel: 1 }, createdAt: 1, modules: [hash] });
  await removeUnusedSnapshots(store);
  expect(await snapshotHashes(store)).toEqual([hash]);
  await sweeps.remove(id);
  await removeUnusedSnapshots(store);
  expect(await snapshotHashes(store)).toEqual([]);
});

test('what is too large to be read again is not written', { timeout: 60_000 }, async () => {
  const store = await emptyStore();
  const large = { ...snapshot, sources: { ...snapshot.sources, files: { 'task.mjs': 'x'.repeat(129 << 20) } } };
  await expect(keepSnapshot(store, large)).rejects.toThrow('What task.mjs makes takes more than 128 MB');
  expect(await snapshotHashes(store)).toEqual([]);
});
