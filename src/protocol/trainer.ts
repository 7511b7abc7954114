import type { Metrics, Progress } from './model';

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
    }
  | { readonly kind: 'pause' }
  | { readonly kind: 'continue' }
  | { readonly kind: 'stop' };

/** What a trainer process tells back. `ended` is its last word; without it the run counts as interrupted. */
export type FromTrainer =
  | { readonly kind: 'progress'; readonly progress: Progress; readonly metrics: Metrics }
  | { readonly kind: 'paused'; readonly paused: boolean }
  | { readonly kind: 'log'; readonly message: string }
  | { readonly kind: 'ended'; readonly status: 'finished' | 'stopped' | 'failed'; readonly problem?: string; readonly userError?: boolean };
