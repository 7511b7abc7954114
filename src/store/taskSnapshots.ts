import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { errorCode, messageOf, UserError } from '../common/errors';
import { TaskSnapshotSchema, type TaskSnapshot } from '../protocol/taskModule';
import { writeFailure, writeFileAtomically } from './atomicFile';
import { readAll, tasksFolder } from './catalogue';
import { isOld } from './leftovers';
import { canonicalJson, parseStored, snapshotHash } from './modelRecord';
import { SweepRecords } from './sweepRecords';

/** Bytes of a snapshot, which holds its module's files and examples; a file that is larger is none. */
const sizeLimit = 128 << 20;

/** What names a snapshot: a hash of all that decides what a module makes, its files and the values of its parameters. */
export function hashOf({ sources, parameters }: Pick<TaskSnapshot, 'sources' | 'parameters'>): string {
  return createHash('sha256').update(canonicalJson({ sources, parameters })).digest('hex').slice(0, 32);
}

/** A snapshot as its file holds it, with a hash of the whole of it: its name says nothing of the examples. */
const FileSchema = v.strictObject({ format: v.literal(1), digest: v.string(), snapshot: TaskSnapshotSchema });

/** Keeps a snapshot in a store, for the models that are trained on it. @throws UserError when it cannot be written. */
export async function keepSnapshot(store: string, snapshot: TaskSnapshot): Promise<void> {
  const hash = hashOf(snapshot);
  const file = fileOf(store, hash);
  try {
    await mkdir(join(store, tasksFolder), { recursive: true });
    const now = new Date();
    // One that is there already counts as new: its model may not be there yet. One that is broken is written anew.
    const isThere = await utimes(file, now, now).then(() => true, () => false);
    const kept = isThere ? await readSnapshot(store, hash).catch(() => undefined) : undefined;
    if (kept?.folder === snapshot.folder) return;
    const text = JSON.stringify({ format: 1, digest: digestOf(snapshot), snapshot });
    if (Buffer.byteLength(text) > sizeLimit) throw new UserError(`What ${snapshot.sources.entry} makes takes more than ${sizeLimit / 2 ** 20} MB; give fewer examples, positions or corruptions.`);
    await writeFileAtomically(file, text);
  } catch (error) {
    throw error instanceof UserError ? error : writeFailure(error, file);
  }
}

/** @throws UserError when it is not there, or is not what its name says. */
export async function readSnapshot(store: string, hash: string): Promise<TaskSnapshot> {
  const file = fileOf(store, hash);
  const { digest, snapshot } = parseStored('what a task module makes', FileSchema, file, await textOf(file));
  if (hashOf(snapshot) !== hash) throw new UserError(`${file} is not what its name says: it holds another task module.`);
  if (digestOf(snapshot) !== digest) throw new UserError(`${file} is not as it was written: what the task module makes has been changed.`);
  return snapshot;
}

function digestOf(snapshot: TaskSnapshot): string {
  return createHash('sha256').update(canonicalJson(snapshot)).digest('hex');
}

/** Hashes of the snapshots that a store has. */
export async function snapshotHashes(store: string): Promise<readonly string[]> {
  const names = await readdir(join(store, tasksFolder)).catch(() => []);
  return names.flatMap(name => (name.endsWith('.json') && snapshotHash.test(name.slice(0, -5)) ? name.slice(0, -5) : []));
}

/** Removes the snapshots that no model is trained on any more, and no sweep was started with; one that is new may get its model yet. */
export async function removeUnusedSnapshots(store: string): Promise<void> {
  const hashes = await snapshotHashes(store);
  if (hashes.length === 0) return;
  const models = await readAll(store);
  const unread: string[] = [];
  const sweeps = await new SweepRecords(store, problem => unread.push(problem)).list();
  // Of a record that cannot be read nobody knows what it needs.
  if (unread.length > 0 || models.some(model => 'problem' in model)) return;
  const used = new Set([...sweeps.flatMap(({ modules = [] }) => modules), ...models.flatMap(model => ('record' in model ? model.record.experiment.task.module ?? [] : []))]);
  for (const hash of hashes) {
    if (!used.has(hash) && (await isOld(fileOf(store, hash)))) await rm(fileOf(store, hash), { force: true }).catch(() => undefined);
  }
}

function fileOf(store: string, hash: string): string {
  if (!snapshotHash.test(hash)) throw new UserError(`"${hash}" names no task module.`);
  return join(store, tasksFolder, `${hash}.json`);
}

async function textOf(file: string): Promise<string> {
  try {
    const status = await stat(file);
    if (!status.isFile() || status.size > sizeLimit) throw new UserError(`${file} is too large for what a task module makes.`);
    const handle = await open(file, 'r');
    try {
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(errorCode(error) === 'ENOENT' ? `${file}, which holds what a task module makes, is missing.` : `${file} cannot be read: ${messageOf(error)}.`);
  }
}
