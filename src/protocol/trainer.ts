import type { Metrics, Progress } from './model';

/** A checkpoint that a run has come to, or that it goes on from. */
export interface Checkpoint {
  readonly step: number;
  /** Whether the run has just written it; otherwise it was resumed there. */
  readonly isNew: boolean;
}

/** What the engine (or the command line) tells a trainer process. One run a process; the first message starts it. */
export type ToTrainer =
  | {
      readonly kind: 'start';
      readonly store: string;
      readonly model: string;
      readonly device: string;
      /** Threads for the arithmetic. */
      readonly threads: number;
      /** Whether to give way to other processes: lower priority, and threads that sleep while they wait. */
      readonly background: boolean;
      /** The process whose end ends the run. */
      readonly parent: number;
      /** Whether the run holds at its checkpoints until it is told to go on, so that somebody can look at them. */
      readonly watched: boolean;
    }
  /** Of a run that holds at a checkpoint it takes effect when that has been looked at. */
  | { readonly kind: 'pause' }
  | { readonly kind: 'continue' }
  /** Goes on to the next checkpoint that it writes, and pauses there. */
  | { readonly kind: 'step' }
  | { readonly kind: 'watch'; readonly watched: boolean }
  /** The checkpoint of this step has been looked at. */
  | { readonly kind: 'go-on'; readonly step: number }
  | { readonly kind: 'stop' };

/** What a trainer process tells back. `ended` is its last word; without it the run counts as interrupted. */
export type FromTrainer =
  | { readonly kind: 'progress'; readonly progress: Progress; readonly metrics: Metrics }
  | { readonly kind: 'paused'; readonly paused: boolean }
  /** The run holds at a checkpoint. */
  | ({ readonly kind: 'checkpoint' } & Checkpoint)
  | { readonly kind: 'log'; readonly message: string }
  | { readonly kind: 'ended'; readonly status: 'finished' | 'stopped' | 'failed'; readonly problem?: string; readonly userError?: boolean };
