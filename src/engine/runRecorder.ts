import type { Disposable } from '../common/lifetime';
import type { Metrics, MetricsRow, Progress } from '../protocol/model';
import type { TrainingState } from '../training/run';

/** What a run writes of its model: of the store, and only of this model. */
export interface RunFiles {
  appendMetrics(rows: readonly MetricsRow[]): Promise<void>;
  writeCheckpoint(state: TrainingState): Promise<void>;
  update(changes: { readonly progress: Progress; readonly metrics: Metrics }): Promise<void>;
}

/** Milliseconds between two changes to the record while nothing else is written; other windows see the run through them. */
const recordInterval = 2000;

/**
 * Writes what a run reports, in the order in which it was reported, without holding the run up. The first thing that
 * cannot be written is the last that is tried: it is handed to `failed`, and again to whoever waits.
 */
export class RunRecorder implements Disposable {
  private rows: MetricsRow[] = [];
  private latest: { readonly progress: Progress; readonly metrics: Metrics } | undefined;
  private recordIsDue = false;
  private writing: Promise<void> | undefined;
  private problem: { readonly error: unknown } | undefined;
  private readonly clock: NodeJS.Timeout;

  constructor(private readonly files: RunFiles, private readonly failed: (error: unknown) => void) {
    this.clock = setInterval(() => {
      this.recordIsDue = true;
      void this.writeSoon();
    }, recordInterval);
    this.clock.unref();
  }

  progress(progress: Progress, metrics: Metrics): void {
    this.latest = { progress, metrics };
  }

  metrics(row: MetricsRow): void {
    this.rows.push(row);
    void this.writeSoon();
  }

  /** The rows before a checkpoint are written before it, so that whoever continues from it has them all. */
  async checkpoint(state: TrainingState): Promise<void> {
    await this.flush();
    await this.attempt(() => this.files.writeCheckpoint(state));
    this.throwProblem();
  }

  /** Resolves when everything reported so far is written; throws what could not be. */
  async flush(): Promise<void> {
    while (this.writing || this.rows.length > 0) await this.writeSoon();
    this.throwProblem();
  }

  dispose(): void {
    clearInterval(this.clock);
  }

  /** One write at a time; what comes meanwhile goes with the next. */
  private writeSoon(): Promise<void> {
    return this.writing ??= this.attempt(async () => {
      const rows = this.rows;
      this.rows = [];
      if (rows.length > 0) await this.files.appendMetrics(rows);
      if (!this.recordIsDue || !this.latest) return;
      const latest = this.latest;
      this.latest = undefined;
      this.recordIsDue = false;
      await this.files.update(latest);
    }).finally(() => (this.writing = undefined));
  }

  private async attempt(write: () => Promise<void>): Promise<void> {
    if (this.problem) {
      this.rows = [];
      return;
    }
    try {
      await write();
    } catch (error) {
      this.problem = { error };
      this.rows = [];
      this.failed(error);
    }
  }

  private throwProblem(): void {
    if (this.problem) throw this.problem.error;
  }
}
