import { CancelledError, messageOf } from '../../common/errors';
import { Emitter } from '../../common/event';
import { Lifetime, type Disposable } from '../../common/lifetime';
import { getBadges } from '../../protocol/engine';
import type { HeadSelection } from '../../protocol/panel';
import type { Engine } from '../engine';
import type { Log } from '../engineSession';
import { isRunning, type ModelList, type ModelListChange } from './modelList';

/** What the analyses say of each head, of the models whose heads are looked at. */
export class HeadBadges implements Disposable {
  private readonly lifetime = new Lifetime();
  private readonly changes = this.lifetime.add(new Emitter<string>());
  /** Model → head → its badges; a model that was asked about and has none yet has no heads. */
  private readonly known = new Map<string, ReadonlyMap<string, readonly string[]>>();
  /** The question whose answer counts, of each model. */
  private readonly asked = new Map<string, AbortController>();
  /** Tells of models whose badges have changed, by their ids. */
  readonly onChange = this.changes.event;

  constructor(
    private readonly engine: Pick<Engine, 'request'>,
    models: Pick<ModelList, 'onChange'>,
    private readonly log: Pick<Log, 'warn'>,
  ) {
    this.lifetime.add(models.onChange(change => this.modelsChanged(change)));
  }

  of({ model, layer, head }: HeadSelection): readonly string[] {
    return this.known.get(model)?.get(`${layer}.${head}`) ?? [];
  }

  /** Asks for the badges of a model unless that has been done, and again whenever its weights or its task have changed. */
  want(model: string): void {
    if (!this.known.has(model)) this.ask(model);
  }

  dispose(): void {
    for (const question of this.asked.values()) question.abort();
    this.lifetime.dispose();
  }

  private ask(model: string): void {
    void this.request(model).catch((error: unknown) => {
      if (!(error instanceof CancelledError)) this.log.warn(`There are no badges for the heads of ${model}: ${messageOf(error)}`);
    });
  }

  private async request(model: string): Promise<void> {
    this.asked.get(model)?.abort();
    const question = new AbortController();
    this.asked.set(model, question);
    this.known.set(model, this.known.get(model) ?? new Map());
    try {
      const badges = await this.engine.request(getBadges, { model }, question.signal);
      if (question.signal.aborted) return;
      const heads = new Map<string, readonly string[]>();
      for (const { layer, head, text } of badges) heads.set(`${layer}.${head}`, [...(heads.get(`${layer}.${head}`) ?? []), text]);
      this.known.set(model, heads);
      this.changes.fire(model);
    } catch (error) {
      // It is asked again when its heads are looked at the next time.
      if (!question.signal.aborted) this.known.delete(model);
      throw error;
    } finally {
      if (this.asked.get(model) === question) this.asked.delete(model);
    }
  }

  /** While a model trains there is nothing to say of its heads. */
  private forget(model: string): void {
    this.asked.get(model)?.abort();
    if (this.known.get(model)?.size === 0) return;
    this.known.set(model, new Map());
    this.changes.fire(model);
  }

  private modelsChanged({ changed, before, removed }: ModelListChange): void {
    for (const id of removed) {
      this.asked.get(id)?.abort();
      this.known.delete(id);
    }
    for (const model of changed) {
      const old = before.get(model.id);
      if (!this.known.has(model.id)) continue;
      if (isRunning(model)) this.forget(model.id);
      else if (!old || isRunning(old) || old.progress.step !== model.progress.step || old.taskKey !== model.taskKey) this.ask(model.id);
    }
  }
}
