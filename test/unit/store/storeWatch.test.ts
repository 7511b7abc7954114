import fs from 'node:fs';
import { mkdir, mkdtemp, rm, utimes } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { Store } from '../../../src/store/store';
import type { StoreChanges } from '../../../src/store/storeWatch';
import { buildStoreProcess, ChildStore } from './childStore';
import { temporaryFolder } from './folders';
import { before, other } from './operations';

let program: string;
beforeAll(async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'circuits-watch-'));
  program = await buildStoreProcess(folder);
  return () => rm(folder, { recursive: true, force: true });
});

let store: Store;
beforeEach(async () => {
  store = await Store.open(await temporaryFolder());
  await store.create(before);
});

/** What a watch told, to be waited for. It has told of the model that is there. */
async function watched(): Promise<Watched> {
  const seen = new Watched(store);
  await seen.until(({ changed }) => changed.includes(before.id));
  return seen;
}

class Watched {
  readonly told: StoreChanges[] = [];
  count = 0;
  private waiting: (() => void) | undefined;
  private readonly watch;

  constructor(from: Store) {
    this.watch = from.watch(changes => {
      this.told.push(changes);
      this.count += 1;
      this.waiting?.();
    });
    onTestFinished(() => this.dispose());
  }

  /** Waits for changes of a kind, and forgets all until then. */
  async until(isIt: (changes: StoreChanges) => boolean): Promise<void> {
    for (;;) {
      const at = this.told.findIndex(isIt);
      if (at >= 0) return void this.told.splice(0, at + 1);
      await new Promise<void>(resolve => {
        this.waiting = resolve;
      });
    }
  }

  dispose(): void {
    this.watch.dispose();
  }
}

const changes = (id: string) => (told: StoreChanges) => told.changed.includes(id);
const removes = (id: string) => (told: StoreChanges) => told.removed.includes(id);

test('what another process does is told: a model made, changed, and removed', async () => {
  const seen = await watched();
  const maker = await ChildStore.start(program, store.folder, { kind: 'create' });
  maker.go();
  await seen.until(changes(other.id));
  await maker.expect('done');
  const changer = await ChildStore.start(program, store.folder, { kind: 'update', id: other.id, changes: [{ name: 'renamed' }] });
  changer.go();
  await seen.until(changes(other.id));
  await changer.expect('done');
  await store.remove(other.id);
  await seen.until(removes(other.id));
});

test('metrics, checkpoints and the coming and going of a writer are changes too', async () => {
  const seen = await watched();
  await store.appendMetrics(before.id, [{ step: 1, seconds: 0 }]);
  await seen.until(changes(before.id));
  const lock = await store.lock(before.id);
  await seen.until(changes(before.id));
  lock.dispose();
  await seen.until(changes(before.id));
});

test('a writer that is heard of no more is a change', async () => {
  const lock = path.join(store.pathOf(before.id), 'writer.lock');
  await mkdir(lock);
  const seen = await watched();
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(lock, longAgo, longAgo);
  await seen.until(changes(before.id));
});

test('a model that takes the place of another is watched like it', async () => {
  const seen = await watched();
  await store.create({ ...before, name: 'again' }, { replace: true });
  await seen.until(changes(before.id));
  await store.rename(before.id, 'and again');
  await seen.until(changes(before.id));
});

test('many changes at once are told at most ten times a second', async () => {
  const seen = await watched();
  const [began, toldBefore] = [Date.now(), seen.count];
  for (let step = 0; step < 300; step++) await store.appendMetrics(before.id, [{ step, seconds: 0 }]);
  await store.create(other);
  await seen.until(changes(other.id));
  expect(seen.count - toldBefore).toBeLessThanOrEqual((Date.now() - began) / 100 + 1);
});

test('a watch that was disposed tells nothing more', async () => {
  const [ended, going] = [await watched(), await watched()];
  ended.dispose();
  ended.told.length = 0;
  await store.rename(before.id, 'renamed');
  await going.until(changes(before.id));
  expect(ended.told).toEqual([]);
});

test('where the system tells of no changes, they are found by looking', async () => {
  const watch = vi.spyOn(fs, 'watch').mockImplementation(() => {
    throw Object.assign(new Error('no watches left'), { code: 'ENOSPC' });
  });
  syncBuiltinESMExports();
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => {
    vi.useRealTimers();
    watch.mockRestore();
    syncBuiltinESMExports();
  });
  const seen = await watched();
  expect(watch).toHaveBeenCalled();
  await store.rename(before.id, 'renamed');
  vi.advanceTimersByTime(5_000);
  await seen.until(changes(before.id));
});

test('a folder of models that is removed under a watch does no harm', async () => {
  const seen = await watched();
  await rm(store.folder, { recursive: true });
  await mkdir(store.folder);
  await seen.until(removes(before.id));
});
