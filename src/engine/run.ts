import { UserError } from '../common/errors';
import { Emitter } from '../common/event';
import type { Disposable } from '../common/lifetime';
import type { Metrics, ModelSummary, Progress } from '../protocol/model';
import type { Checkpoint } from '../protocol/trainer';
import type { TrainerEnd, TrainerProcess } from './trainerProcess';

/** One run that goes on in a trainer process, as whoever started it sees it. */
export class Run implements Disposable {
  private readonly changes = new Emitter<void>();
  private paused = false;
  private now: { readonly progress: Progress; readonly metrics: Metrics };
  private begun = false;
  /** Its progress, or whether it is paused, has changed. */
  readonly onChange = this.changes.event;
  private readonly checkpoints = new Emitter<Checkpoint>();
  /** It holds at a checkpoint, until it is told to go on from there. */
  readonly onCheckpoint = this.checkpoints.event;

  constructor(
    readonly id: string,
    private readonly trainer: TrainerProcess,
    start: { readonly progress: Progress; readonly metrics: Metrics },
    /** Resolves when the process is gone and the store says how it ended. */
    readonly ended: Promise<TrainerEnd>,
  ) {
    this.now = start;
    trainer.onMessage(message => {
      if (message.kind === 'progress') {
        this.begun = true;
        this.now = message;
      } else if (message.kind === 'paused') {
        this.paused = message.paused;
      } else if (message.kind === 'checkpoint') {
        return this.checkpoints.fire(message);
      } else {
        return;
      }
      this.changes.fire();
    });
    void ended.then(() => this.changes.fire());
  }

  get progress(): Progress {
    return this.now.progress;
  }

  get metrics(): Metrics {
    return this.now.metrics;
  }

  get isPaused(): boolean {
    return this.paused;
  }

  /** Whether the trainer has, or had, its model to itself. */
  get hasBegun(): boolean {
    return this.begun;
  }

  /** Resolves when the trainer has its model to itself. @throws UserError when it could not get so far. */
  async started(): Promise<void> {
    const end = await this.until(() => this.begun);
    if (end?.problem !== undefined && !this.begun) throw new UserError(end.problem);
  }

  /** Pauses the run, or lets it go on; resolves when it does so. */
  async setPaused(paused: boolean): Promise<void> {
    this.trainer.send({ kind: paused ? 'pause' : 'continue' });
    await this.until(() => this.paused === paused);
  }

  /** Lets a paused run go on to its next checkpoint, where it pauses; resolves when it goes on. */
  async step(): Promise<void> {
    this.trainer.send({ kind: 'step' });
    await this.until(() => !this.paused);
  }

  /** Whether the run holds at its checkpoints from now on. */
  setWatched(watched: boolean): void {
    this.trainer.send({ kind: 'watch', watched });
  }

  /** Lets the run go on from a checkpoint that it holds at. */
  goOn({ step }: Checkpoint): void {
    this.trainer.send({ kind: 'go-on', step });
  }

  /** Pauses the run at a checkpoint that it holds at; resolves when it is paused, or has ended. */
  async pauseAt(checkpoint: Checkpoint): Promise<void> {
    const paused = this.setPaused(true);
    this.goOn(checkpoint);
    await paused;
  }

  /** Stops the run, which keeps what it has; resolves when it has ended. */
  async stop(): Promise<void> {
    this.trainer.stop();
    await this.ended;
  }

  /** The stored summary with what the run has told since it was stored. */
  overlay(summary: ModelSummary): ModelSummary {
    const { problem: _, problemSource: __, ...rest } = summary;
    return { ...rest, status: this.paused ? 'paused' : 'training', progress: this.progress, metrics: this.metrics, resumable: false };
  }

  /** Lets go of the process, which ends by itself and leaves the model resumable. */
  dispose(): void {
    this.changes.dispose();
    this.checkpoints.dispose();
    this.trainer.dispose();
  }

  /** Resolves when `holds` does, or with the run's end. */
  private until(holds: () => boolean): Promise<TrainerEnd | undefined> {
    if (holds()) return Promise.resolve(undefined);
    const changed = new Promise<undefined>(resolve => {
      const listening = this.onChange(() => {
        if (!holds()) return;
        listening.dispose();
        resolve(undefined);
      });
    });
    return Promise.race([changed, this.ended]);
  }
}
