import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { errorCode, messageOf, UserError } from '../common/errors';
import { unknownName } from '../common/nearest';
import { ArchitectureSchema, ModelConfigSchema, type Architecture, type ModelConfig } from '../protocol/config';
import { experimentFileLimit } from '../protocol/experiment';
import type { ModelOrigin, ResolvedExperiment } from '../protocol/model';
import { runsLimit, type SweepOptions } from '../protocol/sweep';
import { SweepOptionsSchema } from '../protocol/sweepOptions';
import { writeFailure, writeFileAtomically } from './atomicFile';
import { newestFirst, sweepsFolder } from './catalogue';
import { trashFolder } from './leftovers';
import { parseStored, recordLimit as modelRecordLimit, snapshotHash, TaskSchema } from './modelRecord';

/** The model that the runs of a sweep start from: a training of it for each seed, all else being the same. */
export interface SweepOrigin extends Omit<ModelOrigin, 'id'> {
  readonly model: Architecture;
  readonly config: ModelConfig;
  readonly task: ResolvedExperiment['task'];
  /** Seed → id. */
  readonly ids: Readonly<Record<string, string>>;
}

/** What `sweep.json` holds. How its runs stand is in their models, and nowhere else. */
export interface SweepRecord {
  readonly format: 1;
  readonly id: string;
  readonly name: string;
  /** The experiment's text, with everything in it that was changed on the way. */
  readonly text: string;
  /** The folder of the experiment's file, from which it names others. */
  readonly folder?: string;
  /** What its runs were found to start from when it was started: what its text names may be another model by now. */
  readonly origin?: SweepOrigin;
  /** Hashes of what the modules of its runs' tasks made when it was started; their files may be others by now. */
  readonly modules?: readonly string[];
  readonly options: SweepOptions;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** What the executor needs to find its jobs again. */
  readonly kept?: string;
}

/** No record comes near it, not even one with an origin for each of the most runs. */
const recordLimit = 3 * modelRecordLimit;

/** Characters of what is kept: the number of every run with a comma, in arrays of any usual size. Beside the longest text it is within a record. */
export const keptLimit = 8 * runsLimit;

const SweepOriginSchema = v.strictObject({
  name: v.string(),
  checkpoint: v.exactOptional(v.number()),
  model: ArchitectureSchema,
  config: ModelConfigSchema,
  task: TaskSchema,
  ids: v.record(v.string(), v.string()),
}) satisfies v.GenericSchema<unknown, SweepOrigin>;

const SweepRecordSchema = v.strictObject({
  format: v.literal(1),
  id: v.string(),
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(100)),
  text: v.pipe(v.string(), v.maxLength(experimentFileLimit)),
  folder: v.exactOptional(v.string()),
  origin: v.exactOptional(SweepOriginSchema),
  modules: v.exactOptional(v.array(v.pipe(v.string(), v.regex(snapshotHash)))),
  options: SweepOptionsSchema,
  createdAt: v.number(),
  kept: v.exactOptional(v.pipe(v.string(), v.maxLength(keptLimit))),
}) satisfies v.GenericSchema<unknown, SweepRecord>;

const recordFile = 'sweep.json';

/** The id of the sweep whose runs train these models: 16 hexadecimal digits. What is kept of its jobs counts its runs, so their order matters. */
export function sweepIdOf(models: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(models)).digest('hex').slice(0, 16);
}

/** The sweeps of a store, a folder each beside the models. Every record is replaced whole. */
export class SweepRecords {
  /** @param store absolute path of the store */
  constructor(private readonly store: string, private readonly log: (message: string) => void) {}

  /** The folder of a sweep, for its executor's files too. @throws UserError when no sweep can have this id. */
  folderOf(id: string): string {
    if (!isId(id)) throw unknownName('sweep', id, []);
    return join(this.store, sweepsFolder, id);
  }

  /** Every sweep that can be read, newest first; those that cannot are logged. */
  async list(): Promise<readonly SweepRecord[]> {
    const records: SweepRecord[] = [];
    for (const id of await this.ids()) {
      try {
        const record = await this.tryRead(id);
        if (record) records.push(record);
      } catch (error) {
        this.log(messageOf(error));
      }
    }
    return records.sort(newestFirst);
  }

  /** @throws UserError when there is no such sweep, or its record cannot be read. */
  async read(id: string): Promise<SweepRecord> {
    const record = await this.tryRead(id);
    if (record === undefined) throw unknownName('sweep', id, await this.ids());
    return record;
  }

  /** A sweep's record, or nothing when there is no such sweep. @throws UserError when it cannot be read. */
  async tryRead(id: string): Promise<SweepRecord | undefined> {
    const path = join(this.folderOf(id), recordFile);
    const status = await stat(path).catch(() => undefined);
    if (status === undefined) return undefined;
    if (!status.isFile() || status.size > recordLimit) throw new UserError(`${path} is not a sweep's record.`);
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw new UserError(`${path} cannot be read: ${messageOf(error)}.`);
    }
    return { ...parse(path, text), id };
  }

  /** Adds a sweep, or replaces what is kept of it. @throws UserError when the folder cannot be written. */
  async write(record: SweepRecord): Promise<void> {
    const folder = this.folderOf(record.id);
    const text = JSON.stringify(record, null, 2);
    parse('The new record', text);
    await mkdir(folder, { recursive: true }).catch((error: unknown) => {
      throw writeFailure(error, folder);
    });
    await writeFileAtomically(join(folder, recordFile), `${text}\n`);
  }

  /**
   * Replaces what an executor needs to find its jobs again, and nothing else, where that is still what it was `before`.
   * @throws UserError when new jobs cannot be kept: another process has jobs of its own, or the sweep is gone.
   */
  async keep(id: string, before: string | undefined, after: string | undefined): Promise<void> {
    const found = await this.tryRead(id);
    // That jobs are over is nothing to what another process has kept, nor to a sweep that is gone.
    if (after === undefined && (!found || found.kept !== before)) return;
    const { kept, ...record } = found ?? (await this.read(id));
    if (kept !== before) throw new UserError(`Another process has submitted or settled jobs of the sweep "${record.name}" meanwhile; wait for them, or cancel them, before you start it again.`);
    await this.write(after === undefined ? record : { ...record, kept: after });
  }

  /** Removes a sweep with its executor's files; its models stay. */
  async remove(id: string): Promise<void> {
    const folder = this.folderOf(id);
    const trash = trashFolder(this.store);
    try {
      await rename(folder, trash);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') throw unknownName('sweep', id, await this.ids());
      throw writeFailure(error, folder);
    }
    // What cannot be removed now goes when the store is next opened.
    await rm(trash, { recursive: true, force: true }).catch((error: unknown) => this.log(`${trash} could not be removed: ${messageOf(error)}`));
  }

  private async ids(): Promise<readonly string[]> {
    return (await readdir(join(this.store, sweepsFolder)).catch(() => [])).filter(isId).sort();
  }
}

function parse(file: string, text: string): SweepRecord {
  return parseStored(`a sweep's record`, SweepRecordSchema, file, text);
}

/** Ids are names of folders and of nothing else. */
function isId(name: string): boolean {
  return /^[0-9a-f]{16}$/.test(name);
}
