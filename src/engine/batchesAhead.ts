import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { messageOf, UserError } from '../common/errors';
import type { Disposable } from '../common/lifetime';
import type { ResolvedExperiment } from '../protocol/model';
import type { Examples } from '../tasks/task';
import { trainingData, type Batches } from '../training/data';
import type { PreparedExperiment } from '../training/experiment';

/** What the thread is made of. */
export interface SamplerStart {
  readonly task: ResolvedExperiment['task'];
  readonly batch: ResolvedExperiment['training']['batch'];
  readonly seed: number;
}

/**
 * How many batches beyond the one that is taken have been ordered, at least and at most. They are ordered several at a time:
 * a message wakes the thread, which costs the loop more than a small batch does.
 */
const [least, most] = [2, 5];

/** A batch that the thread is asked for. */
interface Order {
  resolve(examples: Examples): void;
  reject(error: Error): void;
}

/**
 * The batches of a run drawn in a thread of their own, ahead of the steps that take them; each is bit for bit what
 * `trainingData` draws in place. What goes wrong in the thread, or its end, rejects every batch that is still to come.
 */
export class BatchesAhead implements Batches, Disposable {
  readonly size: number;
  private readonly worker: Worker;
  /** In the order in which they were made, which is that in which they are answered. */
  private readonly orders: Order[] = [];
  /** Step → its batch, from the newest that was taken on. */
  private readonly drawn = new Map<number, Promise<Examples>>();
  private failure: Error | undefined;

  /**
   * @param file the bundle of `sampler.ts`
   * @throws UserError when it is not there
   */
  constructor({ task, resolved }: Pick<PreparedExperiment, 'task' | 'resolved'>, file: string) {
    const { seed, training: { batch } } = resolved;
    this.size = trainingData(task, batch, seed).size;
    if (!existsSync(file)) throw new UserError(`"${file}", which draws the batches, is missing; install Circuit Explorer again.`);
    this.worker = new Worker(file, { workerData: { task: resolved.task, batch, seed } satisfies SamplerStart });
    this.worker.on('message', (examples: Examples) => this.orders.shift()?.resolve(examples));
    this.worker.on('error', error => this.fail(asThrown(error)));
    this.worker.on('messageerror', error => this.fail(error));
    this.worker.on('exit', () => this.fail(new Error('the thread that draws the batches has ended')));
  }

  batch(step: number): Promise<Examples> {
    for (const other of this.drawn.keys()) if (other < step || other > step + most) this.drawn.delete(other);
    if (!this.drawn.has(step) || !this.drawn.has(step + least)) this.order(step, step + most);
    const batch = this.drawn.get(step);
    if (!batch) throw new Error(`the batch of step ${step} has been ordered`);
    return batch;
  }

  dispose(): void {
    void this.worker.terminate();
  }

  private order(from: number, to: number): void {
    const steps: number[] = [];
    for (let step = from; step <= to; step++) if (!this.drawn.has(step)) steps.push(step);
    for (const step of steps) {
      const batch = new Promise<Examples>((resolve, reject) => {
        if (this.failure) reject(this.failure);
        else this.orders.push({ resolve, reject });
      });
      // Of what went wrong with a batch that nobody takes nobody needs to hear.
      batch.catch(() => undefined);
      this.drawn.set(step, batch);
    }
    this.worker.postMessage(steps);
  }

  /** The first reason counts: what follows is its consequence. */
  private fail(error: Error): void {
    this.failure ??= error;
    for (const order of this.orders.splice(0)) order.reject(this.failure);
  }
}

/** An error as it was in the thread: on its way from there it loses its class. */
function asThrown(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(messageOf(error));
  return error.name === 'UserError' ? new UserError(error.message) : error;
}
