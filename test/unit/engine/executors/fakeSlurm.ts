import { chmod, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { shellQuoted } from '../../../../src/engine/executors/slurmScript';

const commands = ['sbatch', 'squeue', 'sacct', 'scancel', 'scontrol'] as const;
type Command = (typeof commands)[number];

/** Executables in a folder that answer as Slurm's commands do, and write down how they were called. */
export class FakeSlurm {
  private constructor(private readonly folder: string) {}

  /** Its folder goes with the test. */
  static async make(): Promise<FakeSlurm> {
    const folder = await mkdtemp(path.join(tmpdir(), 'fake-slurm-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const slurm = new FakeSlurm(folder);
    for (const command of commands) {
      const file = path.join(folder, command);
      await writeFile(file, `#!/bin/sh\nd=${shellQuoted(folder)}\necho "${command} $*" >> "$d/calls"\n. "$d/${command}.answer"\n`);
      await chmod(file, 0o755);
    }
    await slurm.answer('sbatch', 'n=$(cat "$d/arrays" 2>/dev/null || echo 41); n=$((n + 1)); echo $n > "$d/arrays"; echo $n');
    await slurm.answer('squeue', '');
    await slurm.answer('sacct', 'echo "Slurm accounting storage is disabled" >&2; exit 1');
    await slurm.answer('scancel', '');
    await slurm.answer('scontrol', 'echo "MaxArraySize            = 1001"');
    return slurm;
  }

  get environment(): NodeJS.ProcessEnv {
    return { PATH: `${this.folder}:/usr/bin:/bin` };
  }

  /** From now on a command does this, in the words of a shell; `$d` is the folder of the fakes. */
  async answer(command: Command, script: string): Promise<void> {
    const file = path.join(this.folder, `${command}.answer`);
    await writeFile(`${file}.new`, `${script}\n`);
    await rename(`${file}.new`, file);
  }

  /** What the queue says of tasks: `42 0 RUNNING`, with exit status and reason after it where they matter. */
  queue(...tasks: readonly string[]): Promise<void> {
    const lines = tasks.map(task => {
      const [array, number, state, exit = '0', reason = 'None'] = task.split(' ');
      return `${array}|${number}|${state}|${exit}|${reason}|`;
    });
    return this.answer('squeue', lines.length === 0 ? 'echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1' : `cat <<'END'\n${lines.join('\n')}\nEND`);
  }

  /** All calls of a command until now: its arguments, parted by blanks. */
  async calls(command: Command): Promise<readonly string[]> {
    const text = await readFile(path.join(this.folder, 'calls'), 'utf8').catch(() => '');
    return text.split('\n').filter(line => line.startsWith(`${command} `)).map(line => line.slice(command.length + 1));
  }
}
