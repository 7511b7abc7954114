import { Emitter } from '../../common/event';
import { Lifetime, type Disposable } from '../../common/lifetime';
import { unknownName } from '../../common/nearest';
import { listSweeps } from '../../protocol/engine';
import type { SweepChange, SweepDetails, SweepSummary } from '../../protocol/sweep';
import type { Engine } from '../engine';
import { totalRuns } from './sweepText';

export function canCancelSweep({ status }: SweepSummary): boolean {
  return status === 'running';
}

/** Whether some of its runs have yet to come to their end, and nothing is at work on it. */
export function canResumeSweep({ status, counts }: SweepSummary): boolean {
  return status !== 'running' && (counts.finished ?? 0) < totalRuns(counts);
}

export interface SweepListChange extends SweepChange {
  /** The sweep as it was before; a new one has none. */
  readonly before: SweepSummary | undefined;
}

/** The sweeps as the engine last told of them. */
export class SweepList implements Disposable {
  private readonly lifetime = new Lifetime();
  private readonly changes = this.lifetime.add(new Emitter<SweepListChange>());
  private readonly summaries = new Map<string, SweepSummary>();
  /** The models that sweeps train, as far as was told of them. */
  private readonly models = new Set<string>();
  private readonly listings = this.lifetime.add(new Emitter<void>());
  readonly onChange = this.changes.event;
  /** Other sweeps are known than before, or they stand otherwise. */
  readonly onListed = this.listings.event;

  constructor(private readonly engine: Pick<Engine, 'request' | 'onSweepChanged' | 'onStateChange'>) {
    this.lifetime.add(engine.onSweepChanged(change => this.take(change)));
    this.lifetime.add(engine.onStateChange(({ kind }) => {
      // What the last engine ran has ended with it; the next one tells anew of what goes on.
      if (kind !== 'ready') this.summaries.clear();
    }));
  }

  /** Those that were told of. */
  get known(): readonly SweepSummary[] {
    return [...this.summaries.values()];
  }

  get running(): readonly SweepSummary[] {
    return this.known.filter(({ status }) => status === 'running');
  }

  /** Whether the model is a run of a sweep that was told of: its sweep says how it goes. */
  trains(model: string): boolean {
    return this.models.has(model);
  }

  /** Every sweep of the store, newest first. */
  async load(): Promise<readonly SweepSummary[]> {
    const sweeps = await this.engine.request(listSweeps);
    for (const sweep of sweeps) this.summaries.set(sweep.id, sweep);
    this.listings.fire();
    return sweeps;
  }

  /** @throws UserError when it is gone. */
  async get(id: string): Promise<SweepSummary> {
    const known = this.summaries.get(id);
    if (known) return known;
    const sweeps = await this.load();
    const found = sweeps.find(sweep => sweep.id === id);
    if (!found) throw unknownName('sweep', id, sweeps.map(sweep => sweep.id));
    return found;
  }

  /** Takes note of a sweep that was asked for. */
  know({ rows, ...summary }: SweepDetails): void {
    this.take({ summary, rows });
  }

  forget(id: string): void {
    this.summaries.delete(id);
    this.listings.fire();
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private take({ summary, rows }: SweepChange): void {
    const before = this.summaries.get(summary.id);
    this.summaries.set(summary.id, summary);
    for (const { model } of rows) this.models.add(model);
    this.changes.fire({ summary, rows, before });
    if (summary.status !== before?.status) this.listings.fire();
  }
}
