import type { SweepRow } from '../../protocol/sweep';

/** A run that an executor is to bring to its end. */
export interface SweepJob {
  readonly index: number;
  readonly model: string;
  readonly name: string;
  /** The run's own experiment. */
  readonly text: string;
}

/** What a sweep lends to whatever runs its jobs. */
export interface SweepHost {
  /** Aborted to cancel: whatever was started is stopped, and keeps what it has. */
  readonly signal: AbortSignal;
  /**
   * Aborted when this process leaves: nothing that was started is stopped, and no more is looked at. Jobs at a cluster go
   * on; the executor that is given what was kept finds them again.
   */
  readonly left: AbortSignal;
  /** Whether jobs may be started. Otherwise nobody has asked for that, and only what was kept is looked after. */
  readonly submits: boolean;
  /** Says how a run stands now. */
  tell(index: number, news: Partial<Pick<SweepRow, 'status' | 'progress' | 'metrics' | 'problem'>>): void;
  log(message: string): void;
  /** What an executor needs to find its jobs again after a restart (a Slurm array's id), kept with the sweep. */
  keep(state: string | undefined): Promise<void>;
  readonly kept: string | undefined;
  /** A folder of the sweep's own, for files of tasks and logs. */
  readonly folder: string;
}

/**
 * Brings jobs to their end.
 * Resolves when every job has ended; once aborted, when all is stopped; and soon once left. Rejects with a UserError when
 * nothing can run at all.
 */
export type Executor = (jobs: readonly SweepJob[], host: SweepHost) => Promise<void>;
