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
import { arraysByRun, formatArrays, parseArrays, type SubmittedArray } from './slurmArrays';
import { SlurmCommandError, SlurmCommands } from './slurmCommands';
import { endingOf } from './slurmEndings';
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
  private readonly pace: SlurmPace;
  private arrays: readonly SubmittedArray[] = [];
  private byNumber: ReadonlyMap<number, SubmittedArray> = new Map();
  /** Jobs that have not ended. */
  private readonly open: Map<number, SweepJob>;
  private readonly told = new Map<number, SweepRunStatus>();
  private readonly reasons = new Set<string>();
  /** Since when jobs have ended that their models do not tell of. */
  private readonly unsettled = new Map<number, number>();
  private hasAccounts = true;
  private isCancelled = false;
  /** Why Slurm has not taken all of the sweep. */
  private refusal: SlurmCommandError | undefined;
  private silentSince: number | undefined;
  private failures = 0;

  constructor(jobs: readonly SweepJob[], private readonly host: SweepHost, private readonly options: SlurmExecutorOptions) {
    this.commands = new SlurmCommands(options.environment);
    this.pace = { ...usualPace, ...options.pace };
    this.open = new Map(jobs.map(job => [job.index, job]));
    this.follow(parseArrays(host.kept));
    if (host.kept !== undefined && this.arrays.length === 0) host.log('What was kept of the jobs at the cluster cannot be read; they are submitted again.');
  }

  async toEnd(): Promise<void> {
    checkSlurmOptions(this.options.options);
    await this.submit(await this.jobsToSubmit());
    let delay = 0;
    while (this.open.size > 0) {
      await this.wait(delay);
      const changed = await this.look();
      delay = changed ? this.pace.first : Math.min(Math.max(2 * delay, this.pace.first), this.pace.most);
    }
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
    this.follow(this.arrays.filter(({ runs }) => runs.some(run => followed.has(run))));
    return jobs;
  }

  /** Nothing when the sweep is cancelled before Slurm has answered. */
  private async reportsOfKept(): Promise<ReadonlyMap<number, TaskReport> | undefined> {
    if (this.arrays.length === 0) return new Map();
    for (let delay = this.pace.first; ; delay = Math.min(2 * delay, this.pace.most)) {
      const reports = await this.queue();
      if (reports || this.host.signal.aborted) return reports;
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
    await mkdir(path.join(folder, 'tasks'), { recursive: true });
    await mkdir(path.join(folder, 'logs'), { recursive: true });
    const { store, device, threads } = this.options;
    for (const { index, model, text } of jobs) {
      await writeFileAtomically(taskFile(folder, index), formatTask({ store: store.folder, model, text, device, threads }));
    }
    const offsets = [...new Set(jobs.map(({ index }) => index - (index % limit)))].sort((a, b) => a - b);
    if (offsets.length > 1) this.host.log(`The cluster takes at most ${limit} tasks in an array, so the sweep is submitted as ${offsets.length} arrays.`);
    for (const offset of offsets) {
      const some = jobs.filter(({ index }) => index - (index % limit) === offset);
      if (this.host.signal.aborted) for (const job of some) this.end(job, 'cancelled');
      else await this.submitArray(some, offset);
    }
  }

  private async submitArray(jobs: readonly SweepJob[], offset: number): Promise<void> {
    const runs = jobs.map(({ index }) => index).sort((a, b) => a - b);
    const { folder } = this.host;
    const script = path.join(folder, `array-${offset}.sh`);
    // The limit of runs at a time is one of each array: they take turns.
    const after = this.options.parallel > 0 ? this.arrays.at(-1)?.id : undefined;
    await writeFileAtomically(script, slurmScript(this.options, { runs, offset, ...(after !== undefined && { after }) }, folder));
    const id = await this.submitScript(script);
    if (id === undefined) {
      for (const { index } of jobs) this.open.delete(index);
      return;
    }
    this.follow([...this.arrays, { id, offset, runs }]);
    await this.host.keep(formatArrays(this.arrays));
    this.host.log(`Slurm has taken ${runs.length === 1 ? 'a run' : `${runs.length} runs`} as the array ${id}.`);
    for (const job of jobs) this.tell(job, 'queued');
  }

  /** @throws UserError when Slurm takes no array at all. */
  private async submitScript(script: string): Promise<string | undefined> {
    try {
      return await this.commands.submit(script, this.host.folder, this.options.options);
    } catch (error) {
      if (!(error instanceof SlurmCommandError) || this.arrays.length === 0) throw error;
      // What it has taken already goes on: a cluster may let its people have so many jobs and no more.
      this.refusal = error;
      this.host.log(error.message);
      return undefined;
    }
  }

  /** Looks once how all jobs stand; returns whether anything has changed. */
  private async look(): Promise<boolean> {
    const cancelling = this.host.signal.aborted && !this.isCancelled && (await this.cancel());
    const reports = await this.queue();
    if (!reports) return false;
    const accounts = await this.accountsOf([...this.open.values()].filter(({ index }) => !reports.has(index)));
    let changed = cancelling;
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

  private async cancel(): Promise<boolean> {
    const done = await this.asked(() => this.commands.cancel(this.ids).then(() => true));
    this.isCancelled = done ?? false;
    return this.isCancelled;
  }

  private async queue(): Promise<ReadonlyMap<number, TaskReport> | undefined> {
    const reports = await this.asked(() => this.commands.queue(this.ids));
    return reports && this.byRun(reports);
  }

  /** What accounting says of jobs that the queue has forgotten. */
  private async accountsOf(jobs: readonly SweepJob[]): Promise<ReadonlyMap<number, TaskReport>> {
    if (jobs.length === 0 || !this.hasAccounts) return new Map();
    try {
      return this.byRun(await this.commands.accounts([...new Set(jobs.flatMap(({ index }) => this.byNumber.get(index)?.id ?? []))]));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      // Many clusters keep no accounts; the models say how their runs ended.
      this.hasAccounts = false;
      return new Map();
    }
  }

  private byRun(reports: readonly TaskReport[]): ReadonlyMap<number, TaskReport> {
    const byTask = new Map(reports.map(report => [`${report.array}_${report.task}`, report]));
    return new Map([...this.open.keys()].flatMap((run): [number, TaskReport][] => {
      const array = this.byNumber.get(run);
      const report = array && byTask.get(`${array.id}_${run - array.offset}`);
      return report ? [[run, report]] : [];
    }));
  }

  /** Asks Slurm something; `undefined` when it does not answer, which it may do for a while. */
  private async asked<T>(ask: () => Promise<T>): Promise<T | undefined> {
    try {
      const answer = await ask();
      this.silentSince = undefined;
      this.failures = 0;
      return answer;
    } catch (error) {
      if (!(error instanceof SlurmCommandError)) throw error;
      this.silentSince ??= performance.now();
      this.failures++;
      if (this.failures === 3) this.host.log(`${error.message} It is asked again.`);
      if (performance.now() - this.silentSince < this.pace.silence) return undefined;
      const arrays = this.ids.join(' ');
      throw new UserError(this.host.signal.aborted
        ? `The runs could not be cancelled: ${error.message} Cancel them with: scancel ${arrays}`
        : `${error.message} The runs go on at the cluster (${arrays}); resume the sweep to follow them again.`);
    }
  }

  /** Says how a job has ended, once that is certain; returns whether it is. */
  private async settle(job: SweepJob, report: TaskReport | undefined): Promise<boolean> {
    const record = await this.recordOf(job);
    if (record?.status === 'finished') return this.end(job, 'finished');
    if (this.host.signal.aborted && this.isCancelled) return this.end(job, record ? 'stopped' : 'cancelled');
    // Another process trains the model: what becomes of it is not this job's to say.
    if (!report && record?.status === 'training') return false;
    if ((!report || report.state === 'COMPLETED') && !this.isOverdue(job)) return false;
    const { offset = 0 } = this.byNumber.get(job.index) ?? {};
    const { status, problem } = await endingOf(report, record, logFile(this.host.folder, job.index, offset));
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

  private follow(arrays: readonly SubmittedArray[]): void {
    this.arrays = arrays;
    this.byNumber = arraysByRun(arrays);
  }

  /** Waits, or until the sweep is cancelled. */
  private async wait(milliseconds: number): Promise<void> {
    const { signal } = this.host;
    await wait(milliseconds, undefined, signal.aborted ? {} : { signal }).catch(() => undefined);
  }

  private get ids(): readonly string[] {
    return this.arrays.map(({ id }) => id);
  }
}
