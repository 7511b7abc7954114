import { Emitter } from '../../common/event';
import { Lifetime, toDisposable, type Disposable } from '../../common/lifetime';
import type { TrainRequest } from '../../protocol/engine';
import type { ModelSummary } from '../../protocol/model';
import { isRunning, type ModelList, type ModelListChange } from '../models/modelList';

/** A training that is to begin. */
export interface Training {
  readonly name: string;
  readonly request: TrainRequest;
  /** The id of the model that it trains, where it is known before. */
  readonly model?: string;
}

/** A training with the model that it waits for. */
export interface Waiting {
  readonly base: { readonly id: string; readonly name: string };
  readonly training: Training;
}

interface Dropped extends Waiting {
  /** Ends a sentence about what it waited for: `was deleted`. */
  readonly why: string;
}

/** Trainings that start from models which are still trained, and begin when these are. They wait as long as the window is open. */
export class WaitingTrainings implements Disposable {
  private readonly lifetime = new Lifetime();
  private readonly changes = this.lifetime.add(new Emitter<void>());
  private readonly ready = this.lifetime.add(new Emitter<Training>());
  private readonly drops = this.lifetime.add(new Emitter<Dropped>());
  private waiting: readonly Waiting[] = [];
  readonly onChange = this.changes.event;
  /** Tells of what is to begin now. */
  readonly onReady = this.ready.event;
  /** Tells of what will not begin, for what happened to its base. */
  readonly onDrop = this.drops.event;

  constructor(private readonly models: Pick<ModelList, 'find' | 'onChange'>) {
    this.lifetime.add(models.onChange(change => this.modelsChanged(change)));
    this.lifetime.add(toDisposable(() => (this.waiting = [])));
  }

  /** All that wait, the longest first. */
  get all(): readonly Waiting[] {
    return this.waiting;
  }

  /** What waits for the model, each followed by what waits for that in turn. */
  after(model: string): readonly Waiting[] {
    return this.waiting.filter(({ base }) => base.id === model)
      .flatMap(one => [one, ...(one.training.model === undefined ? [] : this.after(one.training.model))]);
  }

  /** Until disposed of, the training begins when its base is trained: at once, if that has happened meanwhile. */
  add(base: Waiting['base'], training: Training): Disposable {
    const added: Waiting = { base, training };
    this.keep([...this.waiting, added]);
    if (this.models.find(base.id)?.status === 'finished') this.settle(base.id, undefined);
    return toDisposable(() => this.withdraw(added));
  }

  /** It will not begin, nor what waits for it; nothing when it waits no more. */
  withdraw(one: Waiting): void {
    if (!this.waiting.includes(one)) return;
    this.keep(this.waiting.filter(other => other !== one));
    if (one.training.model !== undefined) this.giveUp(one.training.model);
  }

  /** The model will not be trained, and so nothing that waits for it. */
  giveUp(model: string): void {
    this.settle(model, 'was not started');
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private keep(waiting: readonly Waiting[]): void {
    this.waiting = waiting;
    this.changes.fire();
  }

  private modelsChanged({ changed, before, removed }: ModelListChange): void {
    if (this.waiting.length === 0) return;
    for (const model of changed) {
      if (model.status === 'finished') this.settle(model.id, undefined);
      else if (hasEnded(model, before.get(model.id))) this.settle(model.id, model.status === 'failed' ? 'failed' : `was ${model.status}`);
    }
    for (const id of removed) this.settle(id, 'was deleted');
  }

  /** Begins what waits for the model, or drops it and what waits for that in turn. */
  private settle(model: string, why: string | undefined): void {
    const ready = this.waiting.filter(({ base }) => base.id === model);
    if (ready.length === 0) return;
    this.keep(this.waiting.filter(({ base }) => base.id !== model));
    for (const { base, training } of ready) {
      if (why === undefined) {
        this.ready.fire(training);
        continue;
      }
      this.drops.fire({ base, training, why });
      if (training.model !== undefined) this.giveUp(training.model);
    }
  }
}

/** Whether it stopped short just now. What had stopped before may still be resumed, for which is waited. */
function hasEnded(now: ModelSummary, before: ModelSummary | undefined): boolean {
  return !isRunning(now) && (before === undefined || isRunning(before) || before.status !== now.status);
}
