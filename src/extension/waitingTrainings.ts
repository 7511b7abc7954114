import { Lifetime, toDisposable, type Disposable } from '../common/lifetime';
import type { TrainRequest } from '../protocol/engine';
import type { ModelSummary } from '../protocol/model';
import { isRunning, type ModelList, type ModelListChange } from './modelList';

/** A training that is to begin. */
export interface Training {
  readonly name: string;
  readonly request: TrainRequest;
  /** The id of the model that it trains, where it is known before. */
  readonly model?: string;
}

interface WaitingHost {
  begin(training: Training): void;
  /** `why` ends a sentence about what the training waited for: `was deleted`. */
  drop(training: Training, base: string, why: string): void;
}

interface Waiting {
  readonly base: { readonly id: string; readonly name: string };
  readonly training: Training;
}

/** Trainings that start from models which are still trained, and begin when these are. They wait as long as the window is open. */
export class WaitingTrainings implements Disposable {
  private readonly lifetime = new Lifetime();
  private waiting: readonly Waiting[] = [];

  constructor(private readonly models: Pick<ModelList, 'find' | 'onChange'>, private readonly host: WaitingHost) {
    this.lifetime.add(models.onChange(change => this.modelsChanged(change)));
    this.lifetime.add(toDisposable(() => (this.waiting = [])));
  }

  /** Until disposed of, the training begins when its base is trained: at once, if that has happened meanwhile. */
  add(base: Waiting['base'], training: Training): Disposable {
    const added: Waiting = { base, training };
    this.waiting = [...this.waiting, added];
    if (this.models.find(base.id)?.status === 'finished') this.settle(base.id, undefined);
    return toDisposable(() => (this.waiting = this.waiting.filter(one => one !== added)));
  }

  /** The model will not be trained, and so nothing that waits for it. */
  giveUp(model: string): void {
    this.settle(model, 'was not started');
  }

  dispose(): void {
    this.lifetime.dispose();
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
    this.waiting = this.waiting.filter(({ base }) => base.id !== model);
    for (const { base, training } of ready) {
      if (why === undefined) {
        this.host.begin(training);
        continue;
      }
      this.host.drop(training, base.name, why);
      if (training.model !== undefined) this.giveUp(training.model);
    }
  }
}

/** Whether it stopped short just now. What had stopped before may still be resumed, for which is waited. */
function hasEnded(now: ModelSummary, before: ModelSummary | undefined): boolean {
  return !isRunning(now) && (before === undefined || isRunning(before) || before.status !== now.status);
}
