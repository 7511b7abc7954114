import { UserError } from '../../common/errors';
import type { SweepHost } from './executor';
import { arraysByRun, type SubmittedArray } from './slurmArrays';
import { SlurmCommandError, type SlurmCommands } from './slurmCommands';
import type { TaskReport } from './slurmStates';

/** Failures in a row after which people are told. */
const failuresToTell = 3;

/** The arrays of a sweep at the cluster, and what Slurm says of their runs: in one call for all of them. */
export class SlurmQueue {
  private submitted: readonly SubmittedArray[] = [];
  private byRun: ReadonlyMap<number, SubmittedArray> = new Map();
  private hasAccounts = true;
  private silentSince: number | undefined;
  private failures = 0;

  /** `silence`: milliseconds for which Slurm may answer nothing. */
  constructor(private readonly commands: SlurmCommands, private readonly host: SweepHost, private readonly silence: number) {}

  get arrays(): readonly SubmittedArray[] {
    return this.submitted;
  }

  follow(arrays: readonly SubmittedArray[]): void {
    this.submitted = arrays;
    this.byRun = arraysByRun(arrays);
  }

  /** Whether a run was submitted. */
  has(run: number): boolean {
    return this.byRun.has(run);
  }

  /** The offset of the array that a run was submitted in last. */
  offsetOf(run: number): number {
    return this.byRun.get(run)?.offset ?? 0;
  }

  /**
   * Run → what the queue knows of it; nothing at all when Slurm does not answer, as it may for a while.
   * @throws UserError when it has not answered for too long, or its commands are missing.
   */
  async look(): Promise<ReadonlyMap<number, TaskReport> | undefined> {
    const reports = await this.asked(() => this.commands.queue(this.ids));
    return reports && this.ofRuns(reports, this.byRun.keys());
  }

  /** What accounting says of runs that the queue has forgotten. */
  async accounts(runs: readonly number[]): Promise<ReadonlyMap<number, TaskReport>> {
    const arrays = [...new Set(runs.flatMap(run => this.byRun.get(run)?.id ?? []))];
    if (arrays.length === 0 || !this.hasAccounts) return new Map();
    try {
      return this.ofRuns(await this.commands.accounts(arrays), runs);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      // Many clusters keep no accounts; the models say how their runs ended.
      this.hasAccounts = false;
      return new Map();
    }
  }

  /** Cancels all that is there; returns whether Slurm has heard it. */
  async cancel(): Promise<boolean> {
    return (await this.asked(() => this.commands.cancel(this.ids).then(() => true))) ?? false;
  }

  private ofRuns(reports: readonly TaskReport[], runs: Iterable<number>): ReadonlyMap<number, TaskReport> {
    const byTask = new Map(reports.map(report => [`${report.array}_${report.task}`, report]));
    return new Map([...runs].flatMap((run): [number, TaskReport][] => {
      const array = this.byRun.get(run);
      const report = array && byTask.get(`${array.id}_${run - array.offset}`);
      return report ? [[run, report]] : [];
    }));
  }

  private async asked<T>(ask: () => Promise<T>): Promise<T | undefined> {
    try {
      const answer = await ask();
      this.silentSince = undefined;
      this.failures = 0;
      return answer;
    } catch (error) {
      if (this.host.left.aborted) return undefined;
      if (!(error instanceof SlurmCommandError)) throw error;
      this.silentSince ??= performance.now();
      this.failures++;
      if (this.failures === failuresToTell) this.host.log(`${error.message} It is asked again.`);
      if (performance.now() - this.silentSince < this.silence) return undefined;
      throw new UserError(this.host.signal.aborted
        ? `The runs could not be cancelled: ${error.message} Cancel them with: scancel ${this.ids.join(' ')}`
        : `${error.message} The runs go on at the cluster (${this.ids.join(', ')}); resume the sweep to follow them again.`);
    }
  }

  private get ids(): readonly string[] {
    return this.submitted.map(({ id }) => id);
  }
}
