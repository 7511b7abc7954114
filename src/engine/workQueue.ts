import { CancelledError, throwIfCancelled, UserError } from '../common/errors';

/** Lets a few pieces of work run at once and a bounded number wait, in order; what is cancelled while it waits never runs. */
export class WorkQueue {
  private readonly waiting: (() => void)[] = [];
  private running = 0;

  /** `what` names the work to people, as in `analyses`. */
  constructor(private readonly what: string, private readonly atOnce: number, private readonly mostWaiting: number) {}

  /**
   * Runs `work` when its turn comes.
   * @throws UserError when too many wait already; CancelledError when `signal` is aborted before its turn.
   */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    throwIfCancelled(signal);
    if (this.running >= this.atOnce) await this.turn(signal);
    else this.running++;
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.running--;
    }
  }

  /** Resolves when a running piece has handed its place on. */
  private turn(signal: AbortSignal): Promise<void> {
    if (this.waiting.length >= this.mostWaiting) {
      throw new UserError(`${this.mostWaiting} ${this.what} are waiting already; try again when some of them are done.`);
    }
    return new Promise((resolve, reject) => {
      const start = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        this.waiting.splice(this.waiting.indexOf(start), 1);
        reject(new CancelledError());
      };
      signal.addEventListener('abort', leave, { once: true });
      this.waiting.push(start);
    });
  }
}
