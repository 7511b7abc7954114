import { Lifetime, type Disposable } from '../../common/lifetime';
import { controlModel, train, type TrainAnswer } from '../../protocol/engine';
import type { ModelSummary } from '../../protocol/model';
import { baseFirst } from './baseFirst';
import type { Engine } from '../engine';
import type { ModelList } from '../models/modelList';
import { TooLongError, UntrainedOriginError } from '../refusals';
import type { Training, WaitingTrainings } from './waitingTrainings';

/** What came of the wish to train: an answer, or that it waits until another model is trained. */
export type Beginning = { readonly answer: TrainAnswer } | 'waits';

interface BeginningHost {
  readonly engine: Pick<Engine, 'request'>;
  readonly models: Pick<ModelList, 'load' | 'find'>;
  readonly waiting: WaitingTrainings;
  /** Whether the user wants what the button says. */
  ask(question: string, detail: string, button: string): Promise<boolean>;
  /** Nothing was started, as the model is there already. */
  opened(training: Training, model: ModelSummary): void;
  /** The training waits for its base, until `leaving` is disposed of. */
  waits(training: Training, base: string, leaving: Disposable): void;
  /** It has begun, after it had waited. */
  begun(answer: TrainAnswer): Promise<void>;
  /** It will not begin, for what happened to its base, as in `was deleted`. */
  dropped(training: Training, base: string, why: string): void;
  /** Runs work whose error nobody else waits for. */
  guard(work: () => unknown): void;
}

/** Begins trainings: at once, after the model that they start from, or when the user insists. */
export class BeginTraining implements Disposable {
  private readonly lifetime = new Lifetime();

  constructor(private readonly host: BeginningHost) {
    this.lifetime.add(host.waiting.onReady(training => host.guard(() => this.beginWaiting(training))));
    this.lifetime.add(host.waiting.onDrop(({ training, base, why }) => host.dropped(training, base.name, why)));
  }

  /** Nothing when the user gives up. */
  async begin(training: Training): Promise<Beginning | undefined> {
    const { engine, ask, opened } = this.host;
    try {
      const answer = await engine.request(train, training.request);
      if (answer.cached) opened(training, answer.model);
      return { answer };
    } catch (error) {
      if (error instanceof UntrainedOriginError) return this.beginAfter(error, training);
      if (!(error instanceof TooLongError)) throw error;
      const detail = 'It can be paused, and stopped to be resumed later.';
      const insists = await ask(error.message, detail, 'Train Anyway');
      return insists ? this.begin({ ...training, request: { ...training.request, force: true } }) : undefined;
    }
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  /** Has the model trained first that the training starts from; the answer is then about that one. */
  private async beginAfter(refusal: UntrainedOriginError, training: Training): Promise<Beginning | undefined> {
    const { engine, models, waiting, ask, waits } = this.host;
    const { id, name, request } = refusal.origin;
    await models.load();
    const first = baseFirst(refusal.origin, models.find(id));
    if (!first) throw refusal;
    const detail = `"${training.name}" then starts by itself when "${name}" is trained, if this window is still open.`;
    if (!await ask(refusal.message, detail, first.title)) return undefined;
    let begun: Beginning = 'waits';
    if (first.how === 'send' && request) {
      const { device } = training.request;
      const base = await this.begin({ name, model: id, request: { ...request, ...(device && { device }) } });
      if (!base) return undefined;
      begun = base;
    } else if (first.how === 'resume' || first.how === 'retrain') {
      await engine.request(controlModel, { model: id, action: first.how });
    }
    waits(training, name, waiting.add({ id, name }, training));
    return begun;
  }

  private async beginWaiting(training: Training): Promise<void> {
    let begun: Beginning | undefined;
    try {
      begun = await this.begin(training);
    } finally {
      if (!begun && training.model !== undefined) this.host.waiting.giveUp(training.model);
    }
    if (begun && begun !== 'waits') await this.host.begun(begun.answer);
  }
}
