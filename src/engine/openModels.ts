import { UserError } from '../common/errors';
import type { Disposable } from '../common/lifetime';
import type { Runtime, TensorFunction } from '../compile/runtime';
import { initialParameters } from '../model/parameters';
import { RunnableModel } from '../model/runnable';
import type { ModelDetails } from '../protocol/model';
import type { ModelRecord } from '../store/modelRecord';
import type { Store } from '../store/store';
import { taskKeyOf } from '../store/summary';
import type { Task } from '../tasks/task';
import { taskOfModel } from './modelTasks';
import { readOrigin } from './originWeights';

export interface OpenModel {
  readonly details: ModelDetails;
  readonly task: Task;
  readonly model: RunnableModel;
  /**
   * The model as it was at one of its checkpoints; what was compiled for one serves all.
   * @throws UserError for a checkpoint that does not exist or cannot be read.
   */
  atCheckpoint(step: number): Promise<RunnableModel>;
  /**
   * The model that it started from, if it did, as that is now at this checkpoint.
   * @throws UserError when it is gone or being trained again.
   */
  base(): Promise<RunnableModel | undefined>;
}

/** Models kept open, with their compiled graphs. */
const mostOpen = 4;

/** Weights of a model's checkpoints that are kept for the next look at them, in bytes. */
const mostKept = 64 * 2 ** 20;

/** Opens models to be run, and keeps those used last open for the next time. */
export class OpenModels implements Disposable {
  /** The least recently used first. */
  private readonly entries = new Map<string, Entry>();

  /** `openRuntime` is called for each model when it is first run. */
  constructor(private readonly store: Store, private readonly openRuntime: () => Promise<Runtime>) {}

  /**
   * Runs `work` with a model at a checkpoint, or with its newest weights, which stays open meanwhile.
   * @throws UserError for a model or checkpoint that does not exist.
   */
  async use<T>(id: string, checkpoint: number | undefined, work: (opened: OpenModel) => Promise<T>): Promise<T> {
    const record = await this.store.read(id);
    const model = `${id} ${record.createdAt} `;
    const key = model + taskKeyOf(record);
    const entry = this.entries.get(key) ?? (await this.opened(key, record));
    this.entries.delete(key);
    // What was bound to another task since is another model to look at.
    const rebound = [...this.entries].filter(([other]) => other.startsWith(model));
    this.entries.set(key, entry);
    for (const [oldest, old] of [...rebound, ...[...this.entries].slice(0, -mostOpen)]) {
      this.entries.delete(oldest);
      old.close();
    }
    return entry.use(checkpoint, work);
  }

  /** Runs `work` with the newest weights of a model, and with a task that it need not be bound to; neither stays open. */
  async useWith<T>(id: string, task: Task, work: (opened: OpenModel) => Promise<T>): Promise<T> {
    const entry = new Entry(this.store, await this.store.read(id), task, this.openRuntime);
    try {
      return await entry.use(undefined, work);
    } finally {
      entry.close();
    }
  }

  /** A model that was not open, unless another has opened it meanwhile. */
  private async opened(key: string, record: ModelRecord): Promise<Entry> {
    const task = await taskOfModel(this.store, record);
    return this.entries.get(key) ?? new Entry(this.store, record, task, this.openRuntime);
  }

  dispose(): void {
    for (const entry of this.entries.values()) entry.close();
    this.entries.clear();
  }
}

/** A model that is open, with a runtime of its own so that its compiled graphs go when it goes. */
class Entry {
  /** Where it was opened: step of the checkpoint, or `undefined` for `weights.safetensors`. The least recently used first. */
  private readonly opened = new Map<number | undefined, Promise<RunnableModel>>();
  private readonly functions = new Map<string, TensorFunction>();
  /** Its config may be another: whether it is frozen, how its neurons act. */
  private readonly originFunctions = new Map<string, TensorFunction>();
  /** What only reads weights or metrics never waits for a runtime. */
  private readonly lateRuntime: Runtime;
  private runtime: Promise<Runtime> | undefined;
  private users = 0;
  private closed = false;

  constructor(private readonly store: Store, private readonly record: ModelRecord, readonly task: Task, openRuntime: () => Promise<Runtime>) {
    this.lateRuntime = {
      description: 'a model',
      compile: async (name, fn, inputs) => (await (this.runtime ??= openRuntime())).compile(name, fn, inputs),
      dispose: () => undefined,
    };
  }

  /** The model at a checkpoint, or with the weights it came with. */
  async at(step: number | undefined): Promise<RunnableModel> {
    const opened = this.opened.get(step) ?? this.load(step);
    this.opened.delete(step);
    this.opened.set(step, opened);
    opened.catch(() => this.opened.delete(step));
    const model = await opened;
    // A model whose training has not come to its first checkpoint soon has one, under another key.
    const kept = Math.max(1, Math.floor(mostKept / model.size));
    for (const oldest of [...this.opened.keys()].slice(0, -kept)) this.opened.delete(oldest);
    return model;
  }

  /** The model at its newest checkpoint; where that cannot be read, what there is to show without weights. */
  async newest(step: number | undefined): Promise<RunnableModel> {
    try {
      return await this.at(step);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return this.withoutWeights(error);
    }
  }

  /** The model that this one started from, run by the same runtime. */
  async origin(): Promise<RunnableModel | undefined> {
    const { from } = this.record.experiment;
    if (!from) return undefined;
    const { config, weights } = await readOrigin(this.store, from);
    return new RunnableModel(config, weights, this.lateRuntime, this.originFunctions);
  }

  /** Runs `work` with the model at a checkpoint, or with its newest weights, which keeps it open meanwhile. */
  async use<T>(checkpoint: number | undefined, work: (opened: OpenModel) => Promise<T>): Promise<T> {
    this.users++;
    try {
      const details = await this.store.details(this.record.id);
      const model = checkpoint === undefined ? await this.newest(details.checkpoints.at(-1)) : await this.at(checkpoint);
      return await work({ details, task: this.task, model, atCheckpoint: step => this.at(step), base: () => this.origin() });
    } finally {
      this.users--;
      this.end();
    }
  }

  /** Closes it when nobody uses it any more. */
  close(): void {
    this.closed = true;
    this.end();
  }

  private async load(step: number | undefined): Promise<RunnableModel> {
    const { id, config } = this.record;
    return new RunnableModel(config, await this.store.readWeights(id, step), this.lateRuntime, this.functions);
  }

  private withoutWeights(why: UserError): RunnableModel {
    const { config, experiment } = this.record;
    return new ModelWithoutWeights({ config, seed: experiment.seed }, this.lateRuntime, why);
  }

  private end(): void {
    if (!this.closed || this.users > 0) return;
    void this.runtime?.then(runtime => runtime.dispose(), () => undefined);
  }
}

/** A model before its first checkpoint, or whose newest is damaged: there are metrics of it to show, and other checkpoints; to everything else it says why not. */
class ModelWithoutWeights extends RunnableModel {
  constructor({ config, seed }: { readonly config: ModelDetails['config']; readonly seed: number }, runtime: Runtime, private readonly reason: UserError) {
    super(config, initialParameters(config, seed), runtime);
  }

  override parameter(): never {
    throw this.reason;
  }

  override compute(): Promise<never> {
    return Promise.reject(this.reason);
  }
}
