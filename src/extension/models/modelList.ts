import { Emitter } from '../../common/event';
import { Lifetime, type Disposable } from '../../common/lifetime';
import { unknownName } from '../../common/nearest';
import type { ModelPoint } from '../../protocol/analysis';
import { getModel, listModels, type ModelsChanged } from '../../protocol/engine';
import type { ModelDetails, ModelSummary } from '../../protocol/model';
import { distinctName } from '../distinctName';
import type { Engine } from '../engine';
import { ModelFamilies } from './modelFamilies';

/** Whether a process is at work on it, or waits to be. */
export function isRunning({ status }: ModelSummary): boolean {
  return status === 'training' || status === 'paused';
}

/** Whether another model can start from its newest weights: it is trained to its end. From a checkpoint it always can. */
export function canFineTune({ status }: ModelSummary): boolean {
  return status === 'finished';
}

export interface ModelListChange {
  /** Models were added or removed, or all of them read anew. */
  readonly structure: boolean;
  readonly changed: readonly ModelSummary[];
  /** What changed as they were before; a new model has none. */
  readonly before: ReadonlyMap<string, ModelSummary>;
  readonly removed: readonly string[];
}

/**
 * Whether what was found at a point holds no more after a change: with another task it never does. The weights of a checkpoint
 * stay as they are, the newest move with the training if `live`, and otherwise when it pauses, or for good when it ends. What is
 * gone has moved too.
 */
export function isOutdated({ model, checkpoint }: ModelPoint, { changed, before, removed }: ModelListChange, live: boolean): boolean {
  if (removed.includes(model)) return true;
  const now = changed.find(({ id }) => id === model);
  if (!now) return false;
  const old = before.get(model);
  if (old && old.taskKey !== now.taskKey) return true;
  if (checkpoint !== undefined) return false;
  const hasMoved = old?.progress.step !== now.progress.step;
  const ended = old !== undefined && isRunning(old) && !isRunning(now);
  const paused = now.status === 'paused' && (hasMoved || old.status !== 'paused');
  return ended || paused || (live && hasMoved);
}

interface OpenedModel {
  /** The model as it was listed when it was opened. */
  readonly summary: ModelSummary | undefined;
  readonly details: Promise<ModelDetails>;
  readonly at: number;
}

/** The models as the engine last told of them. */
export class ModelList implements Disposable {
  private readonly lifetime = new Lifetime();
  private readonly changes = this.lifetime.add(new Emitter<ModelListChange>());
  private readonly summaries = new Map<string, ModelSummary>();
  private readonly opened = new Map<string, OpenedModel>();
  private reading: Promise<readonly ModelSummary[]> | undefined;
  private wanted = false;
  private loaded = false;
  private kin: ModelFamilies | undefined;
  readonly onChange = this.changes.event;

  constructor(
    private readonly engine: Pick<Engine, 'request' | 'onModelsChanged' | 'onStateChange'>,
    /** Milliseconds since any fixed moment. */
    private readonly now: () => number = () => performance.now(),
  ) {
    this.lifetime.add(engine.onModelsChanged(change => this.take(change)));
    this.lifetime.add(engine.onStateChange(({ kind }) => {
      // An engine that has started again may know other models, and has ended what the last one trained.
      if (kind === 'ready' && this.wanted) void this.refresh().catch(() => undefined);
    }));
  }

  /** Newest first. */
  get models(): readonly ModelSummary[] {
    return [...this.summaries.values()].sort((a, b) => b.createdAt - a.createdAt || a.name.localeCompare(b.name));
  }

  get running(): readonly ModelSummary[] {
    return this.models.filter(isRunning);
  }

  /** Who was fine-tuned from whom; the newest first of those from one. */
  get families(): ModelFamilies {
    return this.kin ??= new ModelFamilies(this.models);
  }

  /** What the model was fine-tuned from, if that is still there. */
  baseOf(id: string): ModelSummary | undefined {
    const base = this.families.baseOf(id);
    return base === undefined ? undefined : this.find(base);
  }

  find(id: string): ModelSummary | undefined {
    return this.summaries.get(id);
  }

  /** What a model is called among all that there are. */
  nameOf(model: ModelSummary): string {
    return distinctName(model, this.summaries.values());
  }

  /** Reads the list if it has not been read. */
  async load(): Promise<readonly ModelSummary[]> {
    return this.loaded ? this.models : this.refresh();
  }

  /** Reads the list anew, once for all that ask together. */
  refresh(): Promise<readonly ModelSummary[]> {
    this.wanted = true;
    return this.reading ??= this.read().finally(() => (this.reading = undefined));
  }

  /** @throws UserError when it is gone. */
  async get(id: string): Promise<ModelSummary> {
    await this.load();
    const found = this.summaries.get(id);
    if (!found) throw unknownName('model', id, [...this.summaries.keys()]);
    return found;
  }

  /** The model opened: as it is now, or, while it trains, as it was less than a second ago. */
  details(id: string): Promise<ModelDetails> {
    const summary = this.summaries.get(id);
    const known = this.opened.get(id);
    if (known && (known.summary === summary || (summary && isRunning(summary) && this.now() - known.at < 1000))) {
      return known.details;
    }
    const details = this.engine.request(getModel, { model: id });
    this.opened.set(id, { summary, details, at: this.now() });
    // What failed is asked again.
    details.catch(() => this.opened.delete(id));
    return details;
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private async read(): Promise<readonly ModelSummary[]> {
    const models = await this.engine.request(listModels);
    const before = new Map(this.summaries);
    this.summaries.clear();
    for (const model of models) this.summaries.set(model.id, model);
    this.loaded = true;
    this.opened.clear();
    const removed = [...before.keys()].filter(id => !this.summaries.has(id));
    this.kin = undefined;
    this.changes.fire({ structure: true, changed: models, before, removed });
    return this.models;
  }

  private take({ changed, removed }: ModelsChanged): void {
    const before = new Map<string, ModelSummary>();
    for (const model of changed) {
      const old = this.summaries.get(model.id);
      if (old) before.set(model.id, old);
      this.summaries.set(model.id, model);
    }
    const gone = removed.filter(id => this.summaries.delete(id));
    for (const id of gone) this.opened.delete(id);
    const structure = gone.length > 0 || before.size < changed.length;
    if (structure) this.kin = undefined;
    this.changes.fire({ structure, changed, before, removed: gone });
  }
}
