import type { SweepRunStatus } from '../../src/protocol/sweep';

interface StatusLook {
  /** A codicon. */
  readonly icon: string;
  readonly title: string;
}

/** How it is shown where a model stands, or a run of a sweep that has none yet. */
export const statusLooks: Readonly<Record<SweepRunStatus, StatusLook>> = {
  finished: { icon: 'check', title: 'Finished' },
  training: { icon: 'sync', title: 'Training' },
  paused: { icon: 'debug-pause', title: 'Paused' },
  queued: { icon: 'server', title: 'Queued' },
  waiting: { icon: 'clockface', title: 'Waiting' },
  stopped: { icon: 'debug-stop', title: 'Stopped' },
  cancelled: { icon: 'circle-slash', title: 'Cancelled' },
  interrupted: { icon: 'debug-disconnect', title: 'Interrupted' },
  failed: { icon: 'error', title: 'Failed' },
};
