import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { UserError } from '../common/errors';
import type { Disposable } from '../common/lifetime';
import type { ResolvedExperiment } from '../protocol/model';
import type { Examples } from '../tasks/task';
import { trainingData, type Batches } from '../training/data';
import type { PreparedExperiment } from '../training/experiment';
import type { TaskSnapshot } from '../protocol/taskModule';
import { moduleOf } from '../tasks/modules';
import { Limits, ModuleProgress, patience, resourceLimits } from './taskModules/limits';
import type { ModuleThreadStart } from './taskModules/thread';
import { asThrown, asThrownByModule, placedIn } from './taskModules/thrown';

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
  private limits: Limits | undefined;

  /**
   * @param bundles of `sampler.ts`, and of `taskModules/taskModule.ts` for the tasks of modules
   * @throws UserError when the one that is needed is not there
   */
  constructor({ task, resolved }: Pick<PreparedExperiment, 'task' | 'resolved'>, bundles: { readonly sampler: string; readonly taskModule: string }) {
    const { seed, training: { batch } } = resolved;
    this.size = trainingData(task, batch, seed).size;
    const { module } = resolved.task;
    const file = module === undefined ? bundles.sampler : bundles.taskModule;
    if (!existsSync(file)) throw new UserError(`"${file}", which draws the batches, is missing; install Circuit Explorer again.`);
    const thread = module === undefined
      ? { options: { workerData: { task: resolved.task, batch, seed } satisfies SamplerStart }, thrown: asThrown }
      : this.moduleThread(moduleOf({ ...resolved.task, module }).snapshot, { batch: this.size, seed });
    this.worker = new Worker(file, thread.options);
    this.worker.on('message', (examples: Examples) => this.orders.shift()?.resolve(examples));
    this.worker.on('error', error => this.fail(thread.thrown(error)));
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
    this.limits?.dispose();
    void this.worker.terminate();
  }

  /** A thread that runs a module, whose every call is held to its limits. */
  private moduleThread({ sources, parameters, folder }: TaskSnapshot, draw: { readonly batch: number; readonly seed: number }) {
    const progress = new ModuleProgress();
    let seen = 0;
    const began = () => {
      const last = seen;
      seen = progress.done;
      return this.orders.length === 0 || seen === 0 || seen !== last;
    };
    this.limits = new Limits(sources.entry, { seconds: patience.call, for: 'to draw an example' }, progress, began, error => {
      this.fail(error);
      void this.worker.terminate();
    });
    const workerData: ModuleThreadStart = { kind: 'draw', sources, parameters, progress: progress.shared, ...draw };
    return { options: { workerData, resourceLimits }, thrown: (error: unknown) => placedIn(folder, asThrownByModule(sources.entry, error)) };
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
