import { execFile } from 'node:child_process';
import { errorCode, UserError } from '../../common/errors';
import type { SlurmOptions } from '../../protocol/sweep';
import { overridingVariables } from './slurmScript';
import { accountsFormat, parseAccounts, parseQueue, queueFormat, type TaskReport } from './slurmStates';

/** A command of Slurm that did not do what it was asked. */
export class SlurmCommandError extends UserError {
  constructor(readonly command: string, readonly said: string) {
    super(`Slurm's ${command} failed: ${said}`);
  }
}

/** Milliseconds that a command is given; one waits for a controller that is down for as long as the cluster says. */
const commandLimit = 120_000;
/** Tasks in an array of a cluster that does not say. */
const usualArrayLimit = 1001;

interface RunOptions {
  readonly environment?: NodeJS.ProcessEnv;
  readonly folder?: string;
  /** Whether it changes something at the cluster. */
  readonly changes?: boolean;
}

/** Slurm's commands, each one process with arguments of its own, never a shell. */
export class SlurmCommands {
  /** `left`: nobody waits for answers any more. What changes something at the cluster is waited for all the same. */
  constructor(private readonly left: AbortSignal, private readonly environment: NodeJS.ProcessEnv = process.env) {}

  /** Submits a script and returns the id of its array. @throws UserError with what Slurm has against it. */
  async submit(script: string, folder: string, options: SlurmOptions): Promise<string> {
    const environment = without(this.environment, name => overridingVariables(options).includes(name));
    const answer = await this.run('sbatch', ['--parsable', script], { environment, folder, changes: true });
    // With the cluster's name behind it where there are several.
    const [, id] = /^(\d+)(?:;.*)?$/m.exec(answer.trim()) ?? [];
    if (id === undefined) throw new SlurmCommandError('sbatch', `it answered ${JSON.stringify(answer.trim().slice(0, 200))} in place of a job's number.`);
    return id;
  }

  /** What the queue knows of all tasks of these arrays: in one call, and nothing once it has forgotten them. */
  async queue(arrays: readonly string[]): Promise<TaskReport[]> {
    try {
      return parseQueue(await this.run('squeue', ['--array', '--noheader', '--states=all', `--jobs=${arrays.join(',')}`, `--Format=${queueFormat}`]));
    } catch (error) {
      if (error instanceof SlurmCommandError && /invalid job id/i.test(error.said)) return [];
      throw error;
    }
  }

  /** What accounting knows of all tasks of these arrays: in one call. @throws SlurmCommandError where the cluster keeps no accounts. */
  async accounts(arrays: readonly string[]): Promise<TaskReport[]> {
    return parseAccounts(await this.run('sacct', ['--allocations', '--noheader', '--parsable2', `--jobs=${arrays.join(',')}`, `--format=${accountsFormat}`]));
  }

  async cancel(arrays: readonly string[]): Promise<void> {
    try {
      await this.run('scancel', arrays, { changes: true });
    } catch (error) {
      if (!(error instanceof SlurmCommandError && /invalid job id|already completing|already (been )?completed/i.test(error.said))) throw error;
    }
  }

  /** One more than the highest number that a task of an array may have. */
  async arrayLimit(): Promise<number> {
    try {
      const [, limit] = /^MaxArraySize\s*=\s*(\d+)/m.exec(await this.run('scontrol', ['show', 'config'])) ?? [];
      return Number(limit) > 0 ? Number(limit) : usualArrayLimit;
    } catch (error) {
      if (error instanceof SlurmCommandError) return usualArrayLimit;
      throw error;
    }
  }

  private run(command: string, words: readonly string[], { environment = this.environment, folder, changes = false }: RunOptions = {}): Promise<string> {
    // Filters and formats that a person has set for looking at the queue are not meant for this.
    const env = without(environment, name => /^(SQUEUE|SACCT|SCANCEL)_/.test(name));
    return new Promise((resolve, reject) => {
      execFile(command, words, { env, timeout: commandLimit, maxBuffer: 256 << 20, ...(folder !== undefined && { cwd: folder }), ...(!changes && { signal: this.left }) }, (error, out, complaints) => {
        if (!error) return resolve(out);
        if (errorCode(error) === 'ENOENT') {
          return reject(new UserError(`Slurm's command ${command} is not on the PATH of this machine: start the sweep where Slurm is installed, or run it with the executor "local".`));
        }
        reject(new SlurmCommandError(command, complaintOf(complaints) ?? (error.killed ? `it did not answer in ${commandLimit / 1000} s.` : `${error.message.trim()}.`)));
      });
    });
  }
}

/** What a command complained of, at most its last lines, without the names that it puts in front of each. */
function complaintOf(text: string): string | undefined {
  const lines = text.split('\n').map(line => line.trim().replace(/^(\w+: )?(error: |fatal: )?/, '').replace(/\.$/, '')).filter(line => line !== '');
  return lines.length === 0 ? undefined : `${lines.slice(-3).join('; ')}.`;
}

function without(environment: NodeJS.ProcessEnv, isLeftOut: (name: string) => boolean): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !isLeftOut(name)));
}
