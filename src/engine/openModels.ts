import { UserError } from '../common/errors';
import type { Disposable } from '../common/lifetime';
import type { Runtime } from '../compile/runtime';
import { initialParameters } from '../model/parameters';
import { RunnableModel } from '../model/runnable';
import type { ModelDetails } from '../protocol/model';
import type { Store } from '../store/store';
import type { Task } from '../tasks/task';
import { prepare } from '../training/experiment';

export interface OpenModel {
  readonly details: ModelDetails;
  readonly task: Task;
  readonly model: RunnableModel;
}

/** Models kept open, with their weights and compiled graphs. */
const mostOpen = 4;

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
    const { createdAt } = await this.store.read(id);
    const step = checkpoint ?? (await this.store.checkpoints(id)).at(-1);
    const key = `${id} ${createdAt} ${step ?? 'weights'}`;
    const entry = this.entries.get(key) ?? new Entry(this.openRuntime, runtime => this.load(id, step, runtime));
    this.entries.delete(key);
    this.entries.set(key, entry);
    for (const [oldest, old] of [...this.entries].slice(0, -mostOpen)) {
      this.entries.delete(oldest);
      old.close();
    }
    return entry.use(async opened => work({ ...(await opened), details: await this.store.details(id) }), () => this.entries.delete(key));
  }

  dispose(): void {
    for (const entry of this.entries.values()) entry.close();
    this.entries.clear();
  }

  private async load(id: string, checkpoint: number | undefined, runtime: Runtime): Promise<Omit<OpenModel, 'details'>> {
    const { experiment, config } = await this.store.read(id);
    const { task } = prepare(experiment);
    try {
      return { task, model: new RunnableModel(config, await this.store.readWeights(id, checkpoint), runtime) };
    } catch (error) {
      if (checkpoint !== undefined || !(error instanceof UserError)) throw error;
      return { task, model: new ModelWithoutWeights({ config, seed: experiment.seed }, runtime, error) };
    }
  }
}

/** A model that is open, with a runtime of its own so that its compiled graphs go when it goes. */
class Entry {
  private readonly opened: Promise<Omit<OpenModel, 'details'>>;
  private runtime: Promise<Runtime> | undefined;
  private users = 0;
  private closed = false;

  constructor(openRuntime: () => Promise<Runtime>, load: (runtime: Runtime) => Promise<Omit<OpenModel, 'details'>>) {
    // What only reads weights or metrics never waits for a runtime.
    this.opened = load({
      description: 'a model',
      compile: async (name, fn, inputs) => (await (this.runtime ??= openRuntime())).compile(name, fn, inputs),
      dispose: () => undefined,
    });
  }

  async use<T>(work: (opened: Promise<Omit<OpenModel, 'details'>>) => Promise<T>, failed: () => void): Promise<T> {
    this.users++;
    this.opened.catch(failed);
    try {
      return await work(this.opened);
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

  private end(): void {
    if (!this.closed || this.users > 0) return;
    void this.runtime?.then(runtime => runtime.dispose(), () => undefined);
  }
}

/** A model before its first checkpoint: there are metrics of it to show, and to everything else it says why not. */
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
