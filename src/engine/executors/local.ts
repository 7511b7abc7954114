import { setTimeout as wait } from 'node:timers/promises';
import { messageOf, UserError } from '../../common/errors';
import type { Store } from '../../store/store';
import type { Run } from '../run';
import type { Runs } from '../runs';
import type { Executor, SweepHost, SweepJob } from './executor';

export interface LocalOptions {
  /** Runs at the same time; 0 for one a thread. */
  readonly parallel: number;
  /** Whether runs are trained even where that takes days. */
  readonly force?: boolean;
  /** Threads that all of them may use together. */
  readonly threads: number;
  /** The most runs at the same time, whatever was asked for: more processes than cores only cost memory. */
  readonly cores: number;
}

/** Milliseconds between looks at a model that another process trains. */
const lookInterval = 1000;

/** Trains a sweep's runs on this machine, a few processes at a time. */
export function localExecutor(runs: Runs, store: Store, { parallel, force = false, threads, cores }: LocalOptions): Executor {
  return async (jobs, host) => {
    const over = AbortSignal.any([host.signal, host.left]);
    const left = new Promise<void>(resolve => host.left.addEventListener('abort', () => resolve(), { once: true }));
    const asked = parallel === 0 ? threads : parallel;
    if (Math.min(asked, jobs.length) > cores) host.log(`${asked} runs at the same time were asked for; this machine has cores for ${cores}.`);
    let waiting = jobs;
    while (waiting.length > 0 && !over.aborted) {
      const atOnce = Math.min(asked, cores, waiting.length);
      const round = new Round(runs, store, host, { over, left }, { threads: Math.max(1, Math.floor(threads / atOnce)), force });
      await round.run(waiting, atOnce);
      // What another process trained, but not to its end, is trained here.
      waiting = await round.leftByOthers();
    }
  };
}

/** Every job once. */
class Round {
  private readonly elsewhere: SweepJob[] = [];

  constructor(
    private readonly runs: Runs,
    private readonly store: Store,
    private readonly host: SweepHost,
    private readonly ends: { readonly over: AbortSignal; readonly left: Promise<void> },
    /** Of each run. */
    private readonly how: { readonly threads: number; readonly force: boolean },
  ) {}

  async run(jobs: readonly SweepJob[], atOnce: number): Promise<void> {
    const queue = [...jobs];
    const work = async () => {
      for (let job = queue.shift(); job && !this.ends.over.aborted; job = queue.shift()) await this.bring(job);
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  }

  /** Waits until the models that other processes train are left by them, and returns those that are not finished. */
  async leftByOthers(): Promise<readonly SweepJob[]> {
    const left = await Promise.all(this.elsewhere.map(async job => ((await this.finishedElsewhere(job)) ? [] : [job])));
    return left.flat();
  }

  private async bring(job: SweepJob): Promise<void> {
    try {
      const run = await this.begin(job);
      if (run) await this.follow(job, run);
    } catch (error) {
      if (this.host.left.aborted) return;
      if (await this.isElsewhere(job)) {
        this.elsewhere.push(job);
        return this.host.tell(job.index, { status: 'training' });
      }
      if (!(error instanceof UserError)) this.host.log(error instanceof Error ? error.stack ?? error.message : messageOf(error));
      this.host.tell(job.index, { status: 'failed', problem: messageOf(error) });
    }
  }

  /** Starts a run where it stands; nothing when there is nothing to do here. */
  private async begin(job: SweepJob): Promise<Run | undefined> {
    const { model, text, index } = job;
    const { run, cached } = await this.runs.train({ text, ...this.how, ignoreBreakpoints: true });
    if (run || !cached) return run;
    const { status } = await this.store.read(model);
    switch (status) {
      case 'finished':
        this.host.tell(index, { status });
        return undefined;
      case 'training':
      case 'paused':
        this.elsewhere.push(job);
        this.host.tell(index, { status });
        return undefined;
      default: return this.runs.resume(model, { ...this.how, ignoreBreakpoints: true });
    }
  }

  private async follow({ index }: SweepJob, run: Run): Promise<void> {
    this.host.tell(index, { status: 'training' });
    const stop = () => void run.stop();
    this.host.signal.addEventListener('abort', stop, { once: true });
    if (this.host.signal.aborted) stop();
    try {
      const end = await Promise.race([run.ended, this.ends.left]);
      if (end) this.host.tell(index, { status: end.status, ...(end.problem !== undefined && { problem: end.problem }) });
    } finally {
      this.host.signal.removeEventListener('abort', stop);
    }
  }

  private async isElsewhere({ model }: SweepJob): Promise<boolean> {
    return this.runs.get(model) === undefined && (await this.store.has(model)) && this.store.isLocked(model);
  }

  private async finishedElsewhere({ model, index }: SweepJob): Promise<boolean> {
    for (;;) {
      if (this.ends.over.aborted) return false;
      // A model that is removed meanwhile is trained anew.
      const status = (await this.store.has(model)) ? (await this.store.read(model)).status : undefined;
      if (status === 'finished') this.host.tell(index, { status });
      if (status !== 'training' && status !== 'paused') return status === 'finished';
      await wait(lookInterval, undefined, { signal: this.ends.over }).catch(() => undefined);
    }
  }
}
