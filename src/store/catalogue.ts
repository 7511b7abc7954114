import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { messageOf, UserError } from '../common/errors';
import { unknownName } from '../common/nearest';
import { hasWriter } from './locks';
import { parseRecord, recordLimit, type ModelRecord } from './modelRecord';

/** A model's folder, read: its record, or why there is none to be had. */
export type Found = { readonly id: string } & ({ readonly record: ModelRecord } | { readonly problem: string });

export const recordFile = 'model.json';
/** The folder of the sweeps, which lies among those of the models. */
export const sweepsFolder = 'sweeps';
/** The folder of what the modules of tasks make, which lies there too. */
export const tasksFolder = 'tasks';
const reserved: readonly string[] = [sweepsFolder, tasksFolder];
/** Files open at once, of the few thousand that a process may have. */
const readsAtOnce = 64;

/** Absolute path of a model's folder. @throws UserError when no model can have this id. */
export function modelPath(store: string, id: string): string {
  if (!isId(id)) throw unknownName('model', id, []);
  return join(store, id);
}

/** Names of the folders that may be models. */
export async function candidateIds(store: string): Promise<string[]> {
  return (await readdir(store)).filter(isId).sort();
}

export async function isModelFolder(path: string): Promise<boolean> {
  return (await stat(join(path, recordFile)).catch(() => undefined))?.isFile() ?? false;
}

/**
 * A model's record as it is on the disk.
 * @throws UserError when there is no such model, or its record cannot be read.
 */
export async function readStored(store: string, id: string): Promise<ModelRecord> {
  const record = await tryReadStored(store, id);
  if (record === undefined) throw unknownName('model', id, (await readAll(store)).map(model => model.id));
  return record;
}

/** As {@link readStored}, but a model that says it is training, and has no living writer, is `interrupted`. */
export async function readTrue(store: string, id: string): Promise<ModelRecord> {
  return asItIs(store, await readStored(store, id));
}

/** Every model there is, in no order. */
export async function readAll(store: string): Promise<Found[]> {
  const ids = await candidateIds(store);
  const found: Found[] = [];
  for (let at = 0; at < ids.length; at += readsAtOnce) {
    const some = await Promise.all(ids.slice(at, at + readsAtOnce).map(id => readFound(store, id)));
    found.push(...some.flatMap(model => model ?? []));
  }
  return found;
}

/**
 * The model that people mean by an id, a name (the newest of equal ones), the beginning of an id, or a folder.
 * @throws UserError with the nearest names, or with the ids that begin alike.
 */
export async function findModel(store: string, reference: string): Promise<ModelRecord> {
  const found = await readAll(store);
  const ids = found.map(({ id }) => id);
  if (ids.includes(reference)) return readTrue(store, reference);
  const records = found.flatMap(model => ('record' in model ? model.record : [])).sort(newestFirst);
  const named = records.find(({ name }) => name === reference);
  if (named !== undefined) return named;
  const begun = reference === '' ? [] : ids.filter(id => id.startsWith(reference));
  if (begun.length > 1) {
    throw new UserError(`"${reference}" may be any of the models ${begun.join(', ')}; give more of the id.`);
  }
  const id = begun[0] ?? (await idOfFolder(store, reference));
  if (id === undefined) throw unknownName('model', reference, [...new Set(records.map(({ name }) => name)), ...ids]);
  return readTrue(store, id);
}

export function newestFirst(a: { readonly id: string; readonly createdAt: number }, b: typeof a): number {
  return b.createdAt - a.createdAt || (a.id < b.id ? -1 : 1);
}

async function readFound(store: string, id: string): Promise<Found | undefined> {
  try {
    const record = await tryReadStored(store, id);
    return record && { id, record: await asItIs(store, record) };
  } catch (error) {
    return { id, problem: messageOf(error) };
  }
}

/** As {@link readStored}, but nothing when there is no model, or no longer. */
export async function tryReadStored(store: string, id: string): Promise<ModelRecord | undefined> {
  const path = join(modelPath(store, id), recordFile);
  const status = await stat(path).catch(() => undefined);
  if (status === undefined) return undefined;
  if (!status.isFile() || status.size > recordLimit) throw new UserError(`${path} is not a model's record.`);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (!(await isModelFolder(dirname(path)))) return undefined;
    throw new UserError(`${path} cannot be read: ${messageOf(error)}.`);
  }
  // The folder's name counts: a copy of a model's folder is another model.
  return { ...parseRecord(path, text), id };
}

async function asItIs(store: string, record: ModelRecord): Promise<ModelRecord> {
  if (record.status !== 'training' && record.status !== 'paused') return record;
  return (await hasWriter(modelPath(store, record.id))) ? record : { ...record, status: 'interrupted' };
}

async function idOfFolder(store: string, reference: string): Promise<string | undefined> {
  const path = resolve(reference);
  if (reference === '' || !(await isModelFolder(path))) return undefined;
  if ((await realpath(dirname(path))) !== (await realpath(store))) {
    const folder = dirname(path);
    throw new UserError(`The model in ${path} is not one of those in ${store}; open ${folder} as the models folder.`);
  }
  return basename(path);
}

/** Ids are names of folders and of nothing outside the store. */
function isId(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name) && !reserved.includes(name.toLowerCase());
}
