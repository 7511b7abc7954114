import type { HostTensor } from '../common/tensor';
import type { Metrics, MetricsRow, Progress } from '../protocol/model';

/** Everything that continues a run exactly: what a checkpoint holds. */
export interface TrainingState {
  /** Steps done. */
  readonly step: number;
  /** Seconds of training so far. */
  readonly seconds: number;
  /** Evaluations in a row for which the stop rule has held. */
  readonly streak: number;
  /** State-dict name → value. */
  readonly parameters: ReadonlyMap<string, HostTensor<'float32'>>;
  /** `first.<name>` and `second.<name>`: the optimizer's moments of every trained parameter. */
  readonly moments: ReadonlyMap<string, HostTensor<'float32'>>;
}

/** What a run reports, and what steers it. */
export interface RunHost {
  /** Aborted to stop at the next step. */
  readonly signal: AbortSignal;
  /** Resolves at once, or when a pause ends. Asked before every step. */
  ready(): Promise<void> | undefined;
  /** After every step; must be cheap. */
  progress(progress: Progress, metrics: Metrics): void;
  /** After every evaluation (and for the training loss between them, thinned), in ascending steps. */
  metrics(row: MetricsRow): void;
  /** The state is valid until the promise resolves. Called at checkpoints, when stopped and at the end. */
  checkpoint(state: TrainingState): Promise<void>;
}

export interface RunOutcome {
  readonly status: 'finished' | 'stopped';
  readonly state: TrainingState;
  readonly metrics: Metrics;
  /** Median seconds of one training step, without evaluation and checkpoints. */
  readonly secondsPerStep: number;
}
