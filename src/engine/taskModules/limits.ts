import type { ResourceLimits } from 'node:worker_threads';
import type { Disposable } from '../../common/lifetime';
import { ModuleError } from '../../protocol/moduleError';

/** Seconds that a module may take: to be loaded and make its task, for its examples besides, and for one call in training. */
export const patience = { making: 5, examples: 10, call: 10 };

/** Bytes that a module may take. */
const memoryLimit = 2 ** 30;
/** Of what its values take; arrays of numbers lie elsewhere, and {@link Limits} sees those. */
export const resourceLimits: ResourceLimits = { maxOldGenerationSizeMb: memoryLimit / 2 ** 20 };
const interval = 50;

/** Examples after which a thread says anew what its arrays take: asking costs more than drawing a small one. */
const saidEvery = 64;

/** What a thread that runs a module says of it all the while, in memory that it shares with whoever waits for it. */
export class ModuleProgress {
  private readonly numbers: Int32Array;

  constructor(readonly shared = new SharedArrayBuffer(8)) {
    this.numbers = new Int32Array(shared);
  }

  /** How much it has done; 0 until it has begun. */
  get done(): number {
    return Atomics.load(this.numbers, 0);
  }

  /** Bytes that its arrays of numbers take. */
  get held(): number {
    return Atomics.load(this.numbers, 1) * 2 ** 20;
  }

  /** Called in the thread. */
  advance(): void {
    if (Atomics.add(this.numbers, 0, 1) % saidEvery === 0) Atomics.store(this.numbers, 1, process.memoryUsage().arrayBuffers / 2 ** 20);
  }
}

/** Tells of the time or the memory that work takes too much of; it looks from outside, for whoever loops for ever never looks. */
export class Limits implements Disposable {
  private readonly timer: NodeJS.Timeout;
  private begun = { at: performance.now(), memory: process.memoryUsage.rss() };

  /**
   * @param progress of the thread
   * @param began whether other work has begun, or none is being done, since it was last asked
   * @param exceeded is told once
   */
  constructor(
    private readonly entry: string,
    private limit: { readonly seconds: number; readonly for: string },
    private readonly progress: ModuleProgress,
    private readonly began: () => boolean,
    exceeded: (error: ModuleError) => void,
  ) {
    this.timer = setInterval(() => {
      const problem = this.look();
      if (!problem) return;
      this.dispose();
      exceeded(problem);
    }, interval);
  }

  /** Gives what comes next another time. */
  next(limit: Limits['limit']): void {
    this.limit = limit;
    this.begun = { ...this.begun, at: performance.now() };
  }

  dispose(): void {
    clearInterval(this.timer);
  }

  private look(): ModuleError | undefined {
    const now = { at: performance.now(), memory: process.memoryUsage.rss() };
    if (this.began()) this.begun = now;
    // What the process takes may grow by other things while the work goes on; what grows little at a time the thread says itself.
    if (now.memory - this.begun.memory > memoryLimit || this.progress.held > memoryLimit) return tooMuchMemory(this.entry);
    if (now.at - this.begun.at > this.limit.seconds * 1000) return new ModuleError(`${this.entry} took longer than ${this.limit.seconds} s ${this.limit.for}.`);
    return undefined;
  }
}

export function tooMuchMemory(entry: string): ModuleError {
  return new ModuleError(`${entry} takes more than ${memoryLimit / 2 ** 30} GB of memory.`);
}
