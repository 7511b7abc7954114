import { CancelledError, throwIfCancelled, UserError } from '../common/errors';

/** Where in a queue. */
type Place = 'first' | 'last';

/**
 * Lets a few pieces of work run at once and a bounded number wait, in order; what is cancelled while it waits never runs.
 * Beside them go pieces that nobody waits for, one at a time, each begun only when there is nothing else to do.
 */
export class WorkQueue {
  private readonly waiting: (() => void)[] = [];
  private readonly waitingForIdle: (() => void)[] = [];
  private running = 0;
  private idleWorkRuns = false;

  /** `what` names the work to people, as in `analyses`. */
  constructor(private readonly what: string, private readonly atOnce: number, private readonly mostWaiting: number) {}

  /**
   * Runs `work` when its turn comes.
   * @throws UserError when too many wait already; CancelledError when `signal` is aborted before its turn.
   */
  run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (this.running >= this.atOnce && this.waiting.length >= this.mostWaiting && !signal.aborted) {
      return Promise.reject(new UserError(`${this.mostWaiting} ${this.what} are waiting already; try again when some of them are done.`));
    }
    return this.runInTurn(signal, work, 'last');
  }

  /** Runs `work`, which something is held up by, before all that waits. @throws CancelledError as above. */
  runFirst<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return this.runInTurn(signal, work, 'first');
  }

  private async runInTurn<T>(signal: AbortSignal, work: () => Promise<T>, place: Place): Promise<T> {
    throwIfCancelled(signal);
    if (this.running >= this.atOnce) {
      await turn(this.waiting, signal, place);
    } else {
      this.running++;
    }
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.running--;
      this.useIdleTime();
    }
  }

  /** Runs `work` when nothing else runs or waits; it keeps no other piece waiting. @throws CancelledError as above. */
  async runWhenIdle<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    throwIfCancelled(signal);
    const begun = turn(this.waitingForIdle, signal);
    this.useIdleTime();
    await begun;
    try {
      return await work();
    } finally {
      this.idleWorkRuns = false;
      this.useIdleTime();
    }
  }

  private useIdleTime(): void {
    if (this.running > 0 || this.idleWorkRuns) return;
    const next = this.waitingForIdle.shift();
    if (!next) return;
    this.idleWorkRuns = true;
    next();
  }
}

/** Resolves when it has been taken from the queue and begun; leaves the queue when it is cancelled before that. */
function turn(queue: (() => void)[], signal: AbortSignal, place: Place = 'last'): Promise<void> {
  return new Promise((resolve, reject) => {
    const start = () => {
      signal.removeEventListener('abort', leave);
      resolve();
    };
    const leave = () => {
      queue.splice(queue.indexOf(start), 1);
      reject(new CancelledError());
    };
    signal.addEventListener('abort', leave, { once: true });
    if (place === 'first') queue.unshift(start);
    else queue.push(start);
  });
}
