import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { errorCode, messageOf, UserError } from '../common/errors';
import type { Listener } from '../common/event';
import type { Disposable } from '../common/lifetime';
import { unknownName } from '../common/nearest';
import { parameterSpecs } from '../model/parameters';
import type { MetricsRow, ModelDetails, ModelSummary } from '../protocol/model';
import { syncFolder, writeFailure, writeFileAtomically } from './atomicFile';
import {
  candidateIds, findModel, isModelFolder, modelPath, newestFirst, readAll, readStored, readTrue, recordFile, tryReadStored,
} from './catalogue';
import * as checkpoints from './checkpoints';
import type { SavedState, Weights } from './checkpoints';
import { newFolder, sweepLeftovers, trashFolder } from './leftovers';
import { hasWriter, lockWriter, removeWriterLock, withRecordLock, type ModelLock } from './locks';
import * as metricsLog from './metricsLog';
import { ModelDraft } from './modelDraft';
import { changeRecord, checkedName, formatRecord, type ModelRecord, type RecordChanges } from './modelRecord';
import { checkedStateDict } from './stateDict';
import { StoreWatch, type StoreChanges } from './storeWatch';
import { brokenSummary, summaryOf } from './summary';

export type Log = (message: string) => void;

/**
 * The models in a folder, one folder each, named by its id. Any number of processes may use the same store: every file
 * is replaced whole, records are changed under a lock, and each model has at most one writer of its numbers. Whoever
 * trains a model holds {@link lock} while calling the methods that write weights, checkpoints and metrics.
 */
export class Store {
  private constructor(
    /** Absolute path. */
    readonly folder: string,
    private readonly log: Log,
  ) {}

  /**
   * Opens a store, and makes its folder when it is not there. A read-only one opens too; writing to it then says so.
   * `log` is told of what was found wrong and passed over.
   * @throws UserError when there is no such folder and it cannot be made.
   */
  static async open(folder: string, log: Log = () => undefined): Promise<Store> {
    const path = resolve(folder);
    await mkdir(path, { recursive: true }).catch(async (error: unknown) => {
      const status = await stat(path).catch(() => undefined);
      if (status === undefined) throw writeFailure(error, path);
      if (!status.isDirectory()) throw new UserError(`${path} cannot hold models: it is not a folder.`);
    });
    const ids = await candidateIds(path).catch((error: unknown) => {
      throw new UserError(`The models in ${path} cannot be listed: ${messageOf(error)}.`);
    });
    await sweepLeftovers(path, ids);
    return new Store(path, log);
  }

  /** The store of a model named on a command line: its own when a model's folder is given, else that in `folder`. */
  static async openFor(reference: string, folder: string, log?: Log): Promise<Store> {
    return Store.open((await isModelFolder(resolve(reference))) ? dirname(resolve(reference)) : folder, log);
  }

  /** Absolute path of a model's folder. @throws UserError when no model can have this id. */
  pathOf(id: string): string {
    return modelPath(this.folder, id);
  }

  /** Every model that can be read, newest first; those that cannot are logged. */
  async list(): Promise<ModelRecord[]> {
    const found = await readAll(this.folder);
    for (const model of found) if ('problem' in model) this.log(model.problem);
    return found.flatMap(model => ('record' in model ? model.record : [])).sort(newestFirst);
  }

  /** What to show of every model, newest first. One that cannot be read is there as failed, with the reason. */
  async summaries(): Promise<ModelSummary[]> {
    const all = await Promise.all((await readAll(this.folder)).map(model => ('record' in model
      ? this.summary(model.record)
      : brokenSummary(this.pathOf(model.id), model.id, model.problem))));
    return all.sort(newestFirst);
  }

  /**
   * A model's record. One that says it is training, but has no living writer, comes as `interrupted`.
   * @throws UserError when there is no such model, or its record cannot be read.
   */
  read(id: string): Promise<ModelRecord> {
    return readTrue(this.folder, id);
  }

  /** Whether there is a model of this id, readable or not. */
  has(id: string): Promise<boolean> {
    return isModelFolder(this.pathOf(id));
  }

  /**
   * The model that people mean by an id, a name (the newest of equal ones), the beginning of an id, or a folder.
   * @throws UserError with the nearest names, or with the ids that begin alike.
   */
  find(reference: string): Promise<ModelRecord> {
    return findModel(this.folder, reference);
  }

  summary(record: ModelRecord): Promise<ModelSummary> {
    return summaryOf(this.pathOf(record.id), record);
  }

  async details(id: string): Promise<ModelDetails> {
    const record = await this.read(id);
    return {
      summary: await this.summary(record),
      experiment: record.experiment,
      config: record.config,
      parameters: parameterSpecs(record.config).map(({ name, shape, trainable }) => ({ name, shape, trainable })),
      checkpoints: await this.checkpoints(id),
    };
  }

  /**
   * Adds a model, whole or not at all. With `replace`, one of the same id is removed once the new one is ready to take
   * its place.
   * @throws UserError when there is one already, or it is being trained.
   */
  async create(record: ModelRecord, { replace = false }: { readonly replace?: boolean } = {}): Promise<void> {
    const isMade = await this.making(record.id, async made => {
      await writeFileAtomically(join(made, recordFile), formatRecord(record));
      return this.put(made, record.id, replace);
    });
    if (!isMade) throw new UserError(`There is a model ${record.id} already.`);
  }

  /**
   * Adds a model that comes with its numbers, whole or not at all: `fill` writes them. Its id follows from them.
   * @returns the id, and whether the model is new; one of the same numbers that was there stays as it is.
   */
  async add(record: Omit<ModelRecord, 'id'>, fill: (draft: ModelDraft) => Promise<void>): Promise<{ readonly id: string; readonly isNew: boolean }> {
    return this.making('a model', async made => {
      const draft = new ModelDraft(made, record);
      await fill(draft);
      const id = draft.id();
      await writeFileAtomically(join(made, recordFile), formatRecord({ ...record, id }));
      return { id, isNew: !(await this.has(id)) && (await this.put(made, id, false)) };
    });
  }

  /**
   * Changes a model's record and returns it. Changes that other processes make at the same time are kept.
   * @throws UserError when there is no such model, or its folder cannot be written.
   */
  update(id: string, changes: RecordChanges): Promise<ModelRecord> {
    const path = this.pathOf(id);
    return this.writing(id, () => withRecordLock(path, async stillHeld => {
      const record = changeRecord(await readStored(this.folder, id), changes);
      const text = formatRecord(record);
      stillHeld();
      await writeFileAtomically(join(path, recordFile), text);
      return record;
    }));
  }

  /** @throws UserError when the name is empty or too long. */
  async rename(id: string, name: string): Promise<ModelRecord> {
    return this.update(id, { name: checkedName(name) });
  }

  /** Removes a model with all its files. @throws UserError when there is none, or it is being trained. */
  async remove(id: string): Promise<void> {
    const path = this.pathOf(id);
    if (!(await isModelFolder(path))) throw await this.unknown(id);
    await this.removeTrash(await this.writing(id, async () => {
      const trash = await this.setAside(path);
      await syncFolder(this.folder);
      return trash;
    }));
  }

  /**
   * Makes the caller the only writer of a model's numbers, until it disposes the lock or its process ends. The lock of
   * a process that was killed is waited for, for up to 10 s.
   * @throws UserError when there is no such model, or another process is training it.
   */
  lock(id: string): Promise<ModelLock> {
    return this.writing(id, () => lockWriter(this.pathOf(id)));
  }

  /** Whether some process is training the model. One that was killed counts for up to 10 s more. */
  isLocked(id: string): Promise<boolean> {
    return hasWriter(this.pathOf(id));
  }

  /** Removes the lock of a process that the caller saw end, so that nobody needs to wait for it. */
  removeLock(id: string): Promise<void> {
    return removeWriterLock(this.pathOf(id));
  }

  /** Replaces `weights.safetensors`. */
  writeWeights(id: string, weights: Weights): Promise<void> {
    return checkpoints.writeWeights(this.pathOf(id), weights);
  }

  /**
   * The weights at a checkpoint; without one, the newest there are.
   * @throws UserError when there are none, with the nearest steps, or when they are not those of this model.
   */
  async readWeights(id: string, checkpoint?: number): Promise<Weights> {
    const { name, config } = await readStored(this.folder, id);
    const weights = await checkpoints.readWeights(this.pathOf(id), `"${name}"`, checkpoint);
    return checkedStateDict(`"${name}"`, config, weights);
  }

  /** Adds a checkpoint and makes it the state to resume from; the metrics up to it reach the disk first. */
  async writeCheckpoint(id: string, state: SavedState): Promise<void> {
    await metricsLog.syncMetrics(this.pathOf(id));
    await checkpoints.writeCheckpoint(this.pathOf(id), state);
  }

  /** Steps at which the model has a checkpoint, ascending. */
  checkpoints(id: string): Promise<number[]> {
    return checkpoints.checkpointSteps(this.pathOf(id));
  }

  /**
   * The state to resume from. Only the newest checkpoint has one; `step` says that it must be of that step.
   * @throws UserError when there is none, or when it is not one of this model.
   */
  async readCheckpoint(id: string, step?: number): Promise<SavedState> {
    const { name, config } = await readStored(this.folder, id);
    const state = await checkpoints.readResumeState(this.pathOf(id), `"${name}"`);
    if (step !== undefined && step !== state.step) {
      const why = 'only the newest checkpoint keeps the optimizer\'s state';
      throw new UserError(`"${name}" can be resumed from step ${state.step} alone, not from step ${step}: ${why}.`);
    }
    checkedStateDict(`"${name}"`, config, state.parameters);
    return state;
  }

  /** Adds rows to the metrics, without waiting for the disk. */
  appendMetrics(id: string, rows: readonly MetricsRow[]): Promise<void> {
    return metricsLog.appendMetrics(this.pathOf(id), rows);
  }

  /** All that is known at its steps: what its training or its file told, and what was measured since. */
  async readMetrics(id: string): Promise<readonly MetricsRow[]> {
    const came = await this.readLog(id);
    // Of a model whose record is gone or broken the log can still be read.
    const record = await tryReadStored(this.folder, id).catch(() => undefined);
    return record?.measured ? metricsLog.joinedRows(record.measured, came) : came;
  }

  /** What its training or its file told, alone. */
  readLog(id: string): Promise<MetricsRow[]> {
    return metricsLog.readMetrics(this.pathOf(id), this.log);
  }

  /** Forgets the metrics after a step. */
  truncateMetrics(id: string, afterStep: number): Promise<void> {
    return metricsLog.truncateMetrics(this.pathOf(id), afterStep);
  }

  /** Forgets what a run did after a step, checkpoints and metrics, before it resumes from there. */
  async rewind(id: string, step: number): Promise<void> {
    await checkpoints.removeCheckpointsAfter(this.pathOf(id), step);
    await this.truncateMetrics(id, step);
  }

  /**
   * Tells of changes to models, whichever process makes them, at most ten times a second until it is disposed. The
   * first time it tells of every model there is, so that none can change unseen between listing and watching.
   */
  watch(listener: Listener<StoreChanges>): Disposable {
    return new StoreWatch(this.folder, () => candidateIds(this.folder), listener);
  }

  /** Does `work` with a folder in which a model, `name` to people, is made; what `work` leaves of it, done or failed, goes. */
  private async making<T>(name: string, work: (made: string) => Promise<T>): Promise<T> {
    const made = newFolder(this.folder);
    try {
      await mkdir(join(made, checkpoints.checkpointsFolder), { recursive: true }).catch((error: unknown) => {
        throw writeFailure(error, join(this.folder, name));
      });
      return await work(made);
    } finally {
      await rm(made, { recursive: true, force: true }).catch(() => undefined);
    }
  }

  /** Gives a model that is whole its place. @returns whether it got it: `false` where there is a model and it is not to be replaced. */
  private async put(made: string, id: string, replace: boolean): Promise<boolean> {
    const path = this.pathOf(id);
    try {
      // A folder without a record is no model, and must not keep one from being made.
      const trash = replace || !(await isModelFolder(path)) ? await this.setAside(path) : undefined;
      if (!replace && trash !== undefined && (await isModelFolder(trash))) {
        // Another process made the model after the look at it: it comes back, and this one gives way.
        await rename(trash, path);
        return false;
      }
      await rename(made, path);
      await syncFolder(this.folder);
      await this.removeTrash(trash);
      return true;
    } catch (error) {
      if (['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(errorCode(error) ?? '') && (await isModelFolder(path))) return false;
      throw writeFailure(error, path);
    }
  }

  /** Moves what is at `path` out of sight in one step, and returns where to; nothing happens when nothing is there. */
  private async setAside(path: string): Promise<string | undefined> {
    const lock = await lockWriter(path).catch((error: unknown) => {
      if (errorCode(error) !== 'ENOENT') throw error;
    });
    if (lock === undefined) return undefined;
    const trash = trashFolder(this.folder);
    try {
      await rename(path, trash);
    } finally {
      lock.dispose();
    }
    return trash;
  }

  /** The model is gone already; whatever of its files cannot be removed now goes when the store is next opened. */
  private async removeTrash(trash: string | undefined): Promise<void> {
    if (trash === undefined) return;
    await rm(trash, { recursive: true, force: true }).catch((error: unknown) => {
      this.log(`${trash} could not be removed: ${messageOf(error)}`);
    });
  }

  private async writing<T>(id: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (errorCode(error) === 'ENOENT' && !(await isModelFolder(this.pathOf(id)))) throw await this.unknown(id);
      throw writeFailure(error, join(this.pathOf(id), recordFile));
    }
  }

  private async unknown(id: string): Promise<UserError> {
    return unknownName('model', id, (await readAll(this.folder)).map(model => model.id));
  }
}
