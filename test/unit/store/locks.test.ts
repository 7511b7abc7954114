import { mkdir, mkdtemp, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Store } from '../../../src/store/store';
import { buildStoreProcess, ChildStore } from './childStore';
import { temporaryFolder } from './folders';
import { modelRecord } from './samples';

let program: string;
beforeAll(async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'circuits-locks-'));
  program = await buildStoreProcess(folder);
  return () => rm(folder, { recursive: true, force: true });
});

let store: Store;
const { id } = modelRecord();
beforeEach(async () => {
  store = await Store.open(await temporaryFolder());
  await store.create(modelRecord({ status: 'training' }));
});

/** Another process that holds the model's lock. */
async function holder(): Promise<ChildStore> {
  const child = await ChildStore.start(program, store.folder, { kind: 'hold', id });
  child.go();
  await child.expect('locked');
  return child;
}

/** As if nothing had been heard of a lock's owner for so long. */
async function age(lock: 'writer' | 'record', milliseconds: number): Promise<void> {
  const then = new Date(Date.now() - milliseconds);
  await utimes(path.join(store.pathOf(id), `${lock}.lock`), then, then);
}

const isBusy = `Another process is training the model in`;

describe('a model has one writer', () => {
  test('while another process lives', async () => {
    const child = await holder();
    expect((await store.read(id)).status).toBe('training');
    await expect(store.lock(id)).rejects.toThrow(isBusy);
    await child.end('SIGTERM');
    expect(await store.isLocked(id), 'a process that ends by itself lets go').toBe(false);
    (await store.lock(id)).dispose();
  });

  test('of two that come at the same time', async () => {
    const children = await Promise.all([1, 2].map(() => ChildStore.start(program, store.folder, { kind: 'hold', id })));
    for (const child of children) child.go();
    const reports = await Promise.all(children.map(child => child.next()));
    expect(reports).toContain('locked');
    expect(reports).toContainEqual({ problem: expect.stringContaining(isBusy) });
  });

  test('until it was killed and nothing was heard of it for 10 s', async () => {
    await (await holder()).end('SIGKILL');
    expect((await store.read(id)).status, 'it may only be slow').toBe('training');
    await age('writer', 11_000);
    expect((await store.read(id)).status).toBe('interrupted');
    (await store.lock(id)).dispose();
  });

  test('whose silence is waited for by whoever wants to resume', async () => {
    await (await holder()).end('SIGKILL');
    await age('writer', 8_000);
    const asked = Date.now();
    const lock = await store.lock(id);
    expect(Date.now() - asked).toBeGreaterThan(1_000);
    lock.dispose();
  });

  test('whose lock goes at once when its end was seen', async () => {
    await (await holder()).end('SIGKILL');
    await store.removeLock(id);
    await store.removeLock(id);
    expect((await store.read(id)).status).toBe('interrupted');
    (await store.lock(id)).dispose();
  });

  test('that learns when it was stopped for so long that another took over', async () => {
    const child = await holder();
    child.signal('SIGSTOP');
    await age('writer', 11_000);
    const lock = await store.lock(id);
    child.signal('SIGCONT');
    await child.expect('lost');
    expect(lock.lost.aborted).toBe(false);
    expect(await store.isLocked(id), 'who lost a lock does not take it away').toBe(true);
    lock.dispose();
  });
});

describe('the lock of a record', () => {
  test('of a process that was killed is taken over', async () => {
    await mkdir(path.join(store.pathOf(id), 'record.lock'));
    await age('record', 4_500);
    expect((await store.update(id, { name: 'renamed' })).name).toBe('renamed');
    await expect(stat(path.join(store.pathOf(id), 'record.lock'))).rejects.toThrow('ENOENT');
  });

  test('does not keep the writer from writing', async () => {
    const lock = await store.lock(id);
    await store.update(id, { name: 'renamed' });
    expect(lock.lost.aborted).toBe(false);
    lock.dispose();
  });
});
