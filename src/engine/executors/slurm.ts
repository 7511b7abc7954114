import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { messageOf, UserError } from '../../common/errors';
import type { Device } from '../../protocol/engine';
import type { SweepRunStatus } from '../../protocol/sweep';
import { writeFileAtomically } from '../../store/atomicFile';
import type { ModelRecord } from '../../store/modelRecord';
import type { Store } from '../../store/store';
import type { Executor, SweepHost, SweepJob } from './executor';
import { canBeKept, formatArrays, parseArrays } from './slurmArrays';
import { SlurmCommandError, SlurmCommands } from './slurmCommands';
import { endingOf } from './slurmEndings';
import { SlurmQueue } from './slurmQueue';
import { checkSlurmOptions, logFile, slurmScript, taskFile, type SlurmSetup } from './slurmScript';
import { needsSomebody, standingOf, type TaskReport } from './slurmStates';
import { formatTask } from './slurmTask';

/** Milliseconds. */
export interface SlurmPace {
  /** Between two looks at the queue: right after something has changed, and at most. */
  readonly first: number;
  readonly most: number;
  /** For which an ended job's model may look unfinished, as shared file systems show changes late. */
  readonly settling: number;
  /** For which Slurm may answer nothing. */
  readonly silence: number;
}

const usualPace: SlurmPace = { first: 2000, most: 30_000, settling: 60_000, silence: 15 * 60_000 };

export interface SlurmExecutorOptions extends SlurmSetup {
  /** The store of the sweep, which every node of the cluster sees. */
  readonly store: Store;
  readonly device: Device;
  readonly pace?: Partial<SlurmPace>;
  /** In place of this process' own. */
  readonly environment?: NodeJS.ProcessEnv;
}

/** Runs the jobs of a sweep as arrays of a Slurm cluster. They go on without this process, which can find them again. */
export function slurmExecutor(options: SlurmExecutorOptions): Executor {
  return (jobs, host) => new SlurmSweep(jobs, host, options).toEnd();
}

class SlurmSweep {
  private readonly commands: SlurmCommands;
  private readonly queue: SlurmQueue;
  private readonly pace: SlurmPace;
  /** Aborted when the sweep is cancelled or left. */
  private readonly over: AbortSignal;
  /** Jobs that have not ended. */
  private readonly open: Map<number, SweepJob>;
  private readonly told = new Map<number, SweepRunStatus>();
  private readonly reasons = new Set<string>();
  /** Since when jobs have ended that their models do not tell of. */
  private readonly unsettled = new Map<number, number>();
  private isCancelled = false;
  /** Why Slurm has not taken all of the sweep. */
  private refusal: SlurmCommandError | undefined;

  constructor(jobs: readonly SweepJob[], private readonly host: SweepHost, private readonly options: SlurmExecutorOptions) {
    this.commands = new SlurmCommands(host.left, options.environment);
    this.pace = { ...usualPace, ...options.pace };
    this.queue = new SlurmQueue(this.commands, host, this.pace.silence);
    this.over = AbortSignal.any([host.signal, host.left]);
    this.open = new Map(jobs.map(job => [job.index, job]));
    this.queue.follow(parseArrays(host.kept));
  }

  async toEnd(): Promise<void> {
    checkSlurmOptions(this.options.options);
    const { kept, submits } = this.host;
    const isUnreadable = kept !== undefined && this.queue.arrays.length === 0;
    if (isUnreadable) this.host.log(`What was kept of the jobs at the cluster cannot be read; ${submits ? 'they are submitted again' : 'nothing can be done about them here'}.`);
    if (isUnreadable && !submits) {
      // Whoever wants them cancelled is done with them; anybody else may still want to look at what was kept.
      if (this.host.signal.aborted) await this.host.keep(undefined);
      return;
    }
    if (submits) await this.submit(await this.jobsToSubmit());
    else await this.passOverOthers();
    let delay = 0;
    while (this.open.size > 0 && !this.host.left.aborted) {
      await this.wait(delay);
      const changed = await this.look();
      delay = changed ? this.pace.first : Math.min(Math.max(2 * delay, this.pace.first), this.pace.most);
    }
    if (this.host.left.aborted) return;
    await this.host.keep(undefined);
    if (this.refusal) throw new UserError(`Slurm has not taken all runs: ${this.refusal.said} Resume the sweep to submit the others.`);
  }

  /** The jobs that are neither at the cluster nor done. */
  private async jobsToSubmit(): Promise<readonly SweepJob[]> {
    const reports = await this.reportsOfKept();
    if (!reports) return [];
    const jobs: SweepJob[] = [];
    const followed = new Set(this.open.keys());
    for (const job of [...this.open.values()]) {
      const report = reports.get(job.index);
      if (report && standingOf(report.state, false) !== 'ended') continue;
      followed.delete(job.index);
      const record = await this.recordOf(job);
      if (record?.status === 'finished') this.end(job, 'finished');
      else if (this.host.signal.aborted) this.end(job, record ? 'stopped' : 'cancelled');
      else jobs.push(job);
    }
    this.queue.follow(this.queue.arrays.filter(({ runs }) => runs.some(run => followed.has(run))));
    return jobs;
  }

  /** The jobs that were never submitted wait for somebody to resume the sweep. */
  private async passOverOthers(): Promise<void> {
    for (const job of [...this.open.values()]) {
      if (!this.queue.has(job.index)) this.end(job, (await this.recordOf(job)) ? 'stopped' : 'cancelled');
    }
  }

  /** Nothing when the sweep is cancelled, or left, before Slurm has answered. */
  private async reportsOfKept(): Promise<ReadonlyMap<number, TaskReport> | undefined> {
    if (this.queue.arrays.length === 0) return new Map();
    for (let delay = this.pace.first; ; delay = Math.min(2 * delay, this.pace.most)) {
      const reports = await this.queue.look();
      if (reports || this.over.aborted) return reports;
      await this.wait(delay);
    }
  }

  /** Submits jobs, in as few arrays as the cluster has room for in one. */
  private async submit(jobs: readonly SweepJob[]): Promise<void> {
    if (jobs.length === 0) return;
    const { folder } = this.host;
    // Before anything is written or asked: this is what tells of options and folders that do not do.
    slurmScript(this.options, { runs: jobs.map(({ index }) => index), offset: 0 }, folder);
    const limit = await this.commands.arrayLimit();
    const arrays = arraysOf(jobs, limit);
    if (!canBeKept([...this.queue.arrays, ...arrays.map(({ offset, jobs }) => ({ offset, runs: jobs.map(({ index }) => index) }))])) {
      throw new UserError(`The cluster takes at most ${limit} tasks in an array, so the sweep would be ${arrays.length.toLocaleString('en')} arrays, more than can be followed; make several smaller sweeps of it.`);
    }
    await mkdir(path.join(folder, 'tasks'), { recursive: true });
    await mkdir(path.join(folder, 'logs'), { recursive: true });
    const { store, device, threads } = this.options;
    for (const { index, model, text } of jobs) {
      await writeFileAtomically(taskFile(folder, index), formatTask({ store: store.folder, model, text, device, threads }));
    }
    if (arrays.length > 1) this.host.log(`The cluster takes at most ${limit} tasks in an array, so the sweep is submitted as ${arrays.length} arrays.`);
    for (const { offset, jobs } of arrays) {
      if (this.host.left.aborted) return;
      if (this.host.signal.aborted) for (const job of jobs) this.end(job, 'cancelled');
      else await this.submitArray(jobs, offset);
    }
  }

  private async submitArray(jobs: readonly SweepJob[], offset: number): Promise<void> {
    const runs = jobs.map(({ index }) => index);
    const { folder } = this.host;
    const script = path.join(folder, `array-${offset}.sh`);
    // The limit of runs at a time is one of each array: they take turns.
    const after = this.options.parallel > 0 ? this.queue.arrays.at(-1)?.id : undefined;
    await writeFileAtomically(script, slurmScript(this.options, { runs, offset, ...(after !== undefined && { after }) }, folder));
    const id = await this.submitScript(script);
    if (id === undefined) {
      for (const { index } of jobs) this.open.delete(index);
      return;
    }
    this.queue.follow([...this.queue.arrays, { id, offset, runs }]);
    try {
      await this.host.keep(formatArrays(this.queue.arrays));
    } catch (error) {
      // Nobody would find it again.
      await this.commands.cancel([id]);
      throw error;
    }
    this.host.log(`Slurm has taken ${runs.length === 1 ? 'a run' : `${runs.length} runs`} as the array ${id}.`);
    for (const job of jobs) this.tell(job, 'queued');
  }

  /** @throws UserError when Slurm takes no array at all. */
  private async submitScript(script: string): Promise<string | undefined> {
    try {
      return await this.commands.submit(script, this.host.folder, this.options.options);
    } catch (error) {
      if (!(error instanceof SlurmCommandError) || this.queue.arrays.length === 0) throw error;
      // What it has taken already goes on: a cluster may let its people have so many jobs and no more.
      this.refusal = error;
      this.host.log(error.message);
      return undefined;
    }
  }

  /** Looks once how all jobs stand; returns whether anything has changed. */
  private async look(): Promise<boolean> {
    const cancelled = this.host.signal.aborted && !this.isCancelled && (await this.queue.cancel());
    this.isCancelled ||= cancelled;
    const reports = await this.queue.look();
    if (!reports || this.host.left.aborted) return false;
    const accounts = await this.queue.accounts([...this.open.keys()].filter(run => !reports.has(run)));
    let changed = cancelled;
    for (const job of [...this.open.values()]) {
      const report = reports.get(job.index) ?? accounts.get(job.index);
      const standing = report && standingOf(report.state, !reports.has(job.index));
      if (standing === undefined || standing === 'ended') {
        changed = (await this.settle(job, report)) || changed;
        continue;
      }
      this.unsettled.delete(job.index);
      if (report?.reason !== undefined && standing === 'queued') this.explainWaiting(report.reason);
      changed = this.tell(job, standing) || changed;
    }
    return changed;
  }

  /** Says how a job has ended, once that is certain; returns whether it is. */
  private async settle(job: SweepJob, report: TaskReport | undefined): Promise<boolean> {
    const record = await this.recordOf(job);
    if (record?.status === 'finished') return this.end(job, 'finished');
    if (this.host.signal.aborted && this.isCancelled) return this.end(job, record ? 'stopped' : 'cancelled');
    // Another process trains the model: what becomes of it is not this job's to say.
    if (!report && record?.status === 'training') return false;
    if ((!report || report.state === 'COMPLETED') && !this.isOverdue(job)) return false;
    const { status, problem } = await endingOf(report, record, logFile(this.host.folder, job.index, this.queue.offsetOf(job.index)));
    return this.end(job, status, problem);
  }

  private isOverdue({ index }: SweepJob): boolean {
    const since = this.unsettled.get(index) ?? performance.now();
    this.unsettled.set(index, since);
    return performance.now() - since >= this.pace.settling;
  }

  private async recordOf({ model }: SweepJob): Promise<ModelRecord | undefined> {
    const { store } = this.options;
    try {
      return (await store.has(model)) ? await store.read(model) : undefined;
    } catch (error) {
      this.host.log(messageOf(error));
      return undefined;
    }
  }

  private end(job: SweepJob, status: SweepRunStatus, problem?: string): true {
    this.open.delete(job.index);
    this.told.set(job.index, status);
    this.host.tell(job.index, { status, ...(problem !== undefined && { problem }) });
    return true;
  }

  private tell({ index }: SweepJob, status: SweepRunStatus): boolean {
    if (this.told.get(index) === status) return false;
    this.told.set(index, status);
    this.host.tell(index, { status });
    return true;
  }

  private explainWaiting(reason: string): void {
    if (!needsSomebody(reason) || this.reasons.has(reason)) return;
    this.reasons.add(reason);
    this.host.log(`Slurm lets runs wait for a reason that somebody has to see to: ${reason}.`);
  }

  /** Waits, or until the sweep is cancelled or left. */
  private async wait(milliseconds: number): Promise<void> {
    await wait(milliseconds, undefined, { signal: this.host.signal.aborted ? this.host.left : this.over }).catch(() => undefined);
  }
}

/** Jobs in arrays that the cluster takes, both in ascending order. */
function arraysOf(jobs: readonly SweepJob[], limit: number): readonly { readonly offset: number; readonly jobs: readonly SweepJob[] }[] {
  const arrays = new Map<number, SweepJob[]>();
  for (const job of [...jobs].sort((a, b) => a.index - b.index)) {
    const offset = job.index - (job.index % limit);
    const some = arrays.get(offset);
    if (some) some.push(job);
    else arrays.set(offset, [job]);
  }
  return [...arrays].map(([offset, jobs]) => ({ offset, jobs }));
}
