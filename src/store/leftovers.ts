import { randomUUID } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isTemporary } from './atomicFile';
import { sweepsFolder } from './catalogue';
import { checkpointsFolder } from './checkpoints';

// What a crash can leave in a store: temporary files, models that were being made, and models that were being removed.
// None of it is ever listed, and all of it goes when the store is opened later.

const [newPrefix, trashPrefix] = ['.new-', '.trash-'];
/** Milliseconds after which nobody can still be writing what they began. */
const longAgo = 3_600_000;

/** The folder in which a model is made before it takes its name. */
export function newFolder(store: string): string {
  return join(store, newPrefix + randomUUID());
}

/** The folder that a model becomes before it is removed, so that half of one is never listed. */
export function trashFolder(store: string): string {
  return join(store, trashPrefix + randomUUID());
}

/** Removes leftovers; whatever cannot be removed, as in a read-only store, stays for another time. */
export async function sweepLeftovers(store: string, ids: readonly string[]): Promise<void> {
  const names = await readdir(store).catch(() => []);
  const trash = names.filter(name => name.startsWith(trashPrefix)).map(name => join(store, name));
  const unfinished = names.filter(name => name.startsWith(newPrefix)).map(name => join(store, name));
  const sweeps = (await readdir(join(store, sweepsFolder)).catch(() => [])).map(id => join(store, sweepsFolder, id));
  const folders = [...ids.flatMap(id => [join(store, id), join(store, id, checkpointsFolder)]), ...sweeps];
  const temporary = await Promise.all(folders.map(async folder => {
    const inside = await readdir(folder).catch(() => []);
    return inside.filter(isTemporary).map(name => join(folder, name));
  }));
  for (const path of [...unfinished, ...temporary.flat()]) {
    if (await isOld(path)) trash.push(path);
  }
  for (const path of trash) await rm(path, { recursive: true, force: true }).catch(() => undefined);
}

/** Whether nobody can still be writing it. */
export async function isOld(path: string): Promise<boolean> {
  const status = await stat(path).catch(() => undefined);
  return status !== undefined && Date.now() - status.mtimeMs > longAgo;
}
