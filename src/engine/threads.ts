import os from 'node:os';

/** Threads for work beside an editor: as many as were asked for, or, for 0, all cores but one. */
export function backgroundThreads(asked: number): number {
  return asked > 0 ? asked : Math.max(1, os.availableParallelism() - 1);
}

/** Threads for work that somebody waits for at a terminal. */
export function allThreads(): number {
  return os.availableParallelism();
}
