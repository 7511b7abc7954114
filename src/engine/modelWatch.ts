import { messageOf } from '../common/errors';
import { Lifetime } from '../common/lifetime';
import type { ModelsChanged } from '../protocol/engine';
import type { ModelSummary } from '../protocol/model';
import type { Store } from '../store/store';
import { GatheredChanges } from './changes';
import type { Runs } from './runs';

/**
 * Tells of models that change, whoever changes them: runs of this process by their messages, and everything else by what
 * is in the store.
 */
export class ModelWatch extends Lifetime {
  /** What the store says of each model. */
  private readonly stored = new Map<string, ModelSummary>();
  /** Models that are being read, and whether they have changed again since. */
  private readonly reading = new Map<string, boolean>();
  private readonly gathered: GatheredChanges;

  constructor(
    private readonly store: Store,
    private readonly runs: Runs,
    private readonly log: (message: string) => void,
    listener: (changes: ModelsChanged) => void,
  ) {
    super();
    this.gathered = this.add(new GatheredChanges(listener));
    this.add(runs.onChange(id => this.runChanged(id)));
    this.add(store.watch(({ changed, removed }) => {
      for (const id of changed) void this.read(id);
      for (const id of removed) this.removed(id);
    }));
  }

  private runChanged(id: string): void {
    const summary = this.stored.get(id);
    const run = this.runs.get(id);
    if (summary && run) this.gathered.change(run.overlay(summary));
    else void this.read(id);
  }

  /** Reads a model, and once more when it has changed meanwhile, so that the last thing told is the last that happened. */
  private async read(id: string): Promise<void> {
    if (this.reading.has(id)) {
      this.reading.set(id, true);
      return;
    }
    do {
      this.reading.set(id, false);
      await this.tell(id);
    } while (this.reading.get(id) && !this.isEnded);
    this.reading.delete(id);
  }

  private async tell(id: string): Promise<void> {
    try {
      const summary = await this.summaryOf(id);
      if (this.isEnded) return;
      if (!summary) return this.removed(id);
      this.stored.set(id, summary);
      this.gathered.change(this.runs.overlaid(summary));
    } catch (error) {
      this.log(`The model ${id} could not be read: ${messageOf(error)}`);
    }
  }

  /** A model whose record cannot be read is still there to be shown, and deleted. */
  private async summaryOf(id: string): Promise<ModelSummary | undefined> {
    try {
      return await this.store.summary(await this.store.read(id));
    } catch {
      return (await this.store.summaries()).find(summary => summary.id === id);
    }
  }

  private removed(id: string): void {
    this.stored.delete(id);
    this.gathered.remove(id);
  }
}
