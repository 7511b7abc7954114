import { rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import lockfile from 'proper-lockfile';
import { errorCode, UserError } from '../common/errors';
import { toDisposable, type Disposable } from '../common/lifetime';

// Two locks a model, each a folder whose time of change is the heartbeat of its owner: `writer.lock`, held for as long
// as a run goes on, and `record.lock`, held while `model.json` is read, changed and written. One that has been silent
// for too long belonged to a process that was killed, and is taken over.

const writer = { name: 'writer', stale: 10_000, update: 2_000 } as const;
const record = { name: 'record', stale: 5_000, update: 1_000 } as const;
type Kind = typeof writer | typeof record;

/** The right to write a model's weights, checkpoints and metrics. */
export interface ModelLock extends Disposable {
  /**
   * Aborted when another process took the lock over, as can happen to a process that was stopped for long. Whoever held
   * it must write nothing more.
   */
  readonly lost: AbortSignal;
}

/**
 * Takes the writer's lock of the model in `folder`. A lock without a heartbeat is waited for until it counts as left
 * behind, so that a run can be resumed right after its process was killed; this takes 10 s at most.
 * @throws UserError when another process is writing.
 */
export async function lockWriter(folder: string): Promise<ModelLock> {
  let seen: number | undefined;
  for (;;) {
    const lock = await tryLock(folder, writer);
    if (lock !== undefined) return lock;
    const beat = await heartbeat(folder, writer);
    if (seen !== undefined && beat !== undefined && beat !== seen) {
      throw new UserError(`Another process is training the model in ${folder}; stop it there first.`);
    }
    seen = beat;
    await wait(writer.update / 10);
  }
}

/** Whether some process holds the writer's lock. */
export function hasWriter(folder: string): Promise<boolean> {
  return lockfile.check(join(folder, writer.name), { stale: writer.stale, realpath: false });
}

/** Removes the writer's lock of a process that the caller saw end, without waiting for it to count as left behind. */
export async function removeWriterLock(folder: string): Promise<void> {
  await rmdir(lockFolder(folder, writer)).catch((error: unknown) => {
    if (errorCode(error) !== 'ENOENT') throw error;
  });
}

/**
 * Runs `work` while no other process does the same for this model. `work` is given a check to make before it writes.
 * @throws UserError when the others take longer than a living process could.
 */
export async function withRecordLock<T>(folder: string, work: (stillHeld: () => void) => Promise<T>): Promise<T> {
  const deadline = Date.now() + 4 * record.stale;
  for (;;) {
    const lock = await tryLock(folder, record);
    if (lock === undefined) {
      if (Date.now() > deadline) {
        throw new UserError(`Other processes keep the model in ${folder} busy; try again later.`);
      }
      await wait(5 + 45 * Math.random()); // at random, so that those who wait do not march in step
      continue;
    }
    try {
      return await work(() => {
        if (lock.lost.aborted) throw new Error(`The lock of ${folder} was lost before the record was written`);
      });
    } finally {
      lock.dispose();
    }
  }
}

async function tryLock(folder: string, kind: Kind): Promise<ModelLock | undefined> {
  const path = join(folder, kind.name);
  const lost = new AbortController();
  const options = { stale: kind.stale, update: kind.update, realpath: false };
  try {
    await lockfile.lock(path, { ...options, onCompromised: () => lost.abort() });
  } catch (error) {
    if (errorCode(error) === 'ELOCKED') return undefined;
    throw error;
  }
  const release = toDisposable(() => {
    if (!lost.signal.aborted) lockfile.unlockSync(path, options);
  });
  return { lost: lost.signal, dispose: () => release.dispose() };
}

async function heartbeat(folder: string, kind: Kind): Promise<number | undefined> {
  return (await stat(lockFolder(folder, kind)).catch(() => undefined))?.mtimeMs;
}

function lockFolder(folder: string, kind: Kind): string {
  return join(folder, `${kind.name}.lock`);
}
