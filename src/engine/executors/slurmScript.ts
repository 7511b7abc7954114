import path from 'node:path';
import { UserError } from '../../common/errors';
import type { SlurmOptions } from '../../protocol/sweep';
import { taskList } from './taskList';

/** What Slurm is told of a sweep, beside which of its runs. */
export interface SlurmSetup {
  readonly options: SlurmOptions;
  /** Runs at the same time; 0 for as many as the cluster allows. */
  readonly parallel: number;
  /** Threads of a run; 0 for as many as its job is given. */
  readonly threads: number;
  /** The words that start the command line on a compute node: the path of Node.js and that of its bundle. */
  readonly command: readonly string[];
}

/** Some runs of a sweep as one array of jobs. Task `k` of the array trains the run `k + offset`. */
export interface ArrayOfRuns {
  readonly runs: readonly number[];
  readonly offset: number;
  /** The array that has to end before this one begins. */
  readonly after?: string;
}

/** Seconds before its time limit at which a run is told to keep what it has. Slurm rounds this up by as much again. */
const notice = 60;

/**
 * How each option may look, which is a part of how Slurm lets it look: no blanks, quotes or line breaks, and no dash in
 * front, so that none can be taken for another option or another line.
 */
const forms = {
  partition: { pattern: /^\w[\w.-]*(,\w[\w.-]*)*$/, example: 'gpu', directive: '--partition', variables: ['PARTITION'] },
  time: { pattern: /^(\d{1,6}(:\d{2}){0,2}|\d{1,4}-\d{1,2}(:\d{2}){0,2})$/, example: '2:00:00', directive: '--time', variables: ['TIMELIMIT'] },
  memory: { pattern: /^\d{1,9}[KMGT]?$/, example: '4G', directive: '--mem', variables: ['MEM_PER_NODE', 'MEM_PER_CPU', 'MEM_PER_GPU'] },
  gres: { pattern: /^\w[\w.:-]*(,\w[\w.:-]*)*$/, example: 'gpu:1', directive: '--gres', variables: ['GRES'] },
} as const satisfies Readonly<Record<keyof SlurmOptions, object>>;
const optionNames = ['partition', 'time', 'memory', 'gres'] as const satisfies readonly (keyof SlurmOptions)[];

/** @throws UserError for an option that Slurm could not read, or could read as something else. */
export function checkSlurmOptions(options: SlurmOptions): void {
  for (const name of optionNames) {
    const value = options[name];
    const { pattern, example } = forms[name];
    if (value !== undefined && !pattern.test(value)) {
      throw new UserError(`--${name} ${JSON.stringify(value)} is nothing that Slurm reads; write it as in --${name} ${example}.`);
    }
  }
}

/**
 * The script that `sbatch` is given for an array of runs of the sweep in `folder`.
 * @throws UserError for options that are wrong, and for a folder that Slurm cannot write logs in.
 */
export function slurmScript({ options, parallel, threads, command }: SlurmSetup, { runs, offset, after }: ArrayOfRuns, folder: string): string {
  checkSlurmOptions(options);
  const directives = [
    '--job-name=circuits-sweep',
    `--array=${taskList(runs.map(run => run - offset))}${parallel > 0 ? `%${parallel}` : ''}`,
    ...optionNames.flatMap(name => (options[name] === undefined ? [] : `${forms[name].directive}=${options[name]}`)),
    ...(threads > 0 ? [`--cpus-per-task=${threads}`] : []),
    ...(after === undefined ? [] : [`--dependency=afterany:${after}`]),
    '--requeue',
    '--open-mode=append',
    // To the shell alone, which the command takes the place of: it stops its trainer by itself.
    `--signal=B:USR2@${notice}`,
    `--output="${patternLiteral(path.join(folder, 'logs'))}/${logName('%a', offset)}"`,
  ];
  const index = offset === 0 ? '"$SLURM_ARRAY_TASK_ID"' : `"$((SLURM_ARRAY_TASK_ID + ${offset}))"`;
  return [
    '#!/bin/sh',
    ...directives.map(directive => `#SBATCH ${directive}`),
    `exec ${[...command, 'sweep-task'].map(shellQuoted).join(' ')} ${shellQuoted(`${path.join(folder, 'tasks')}/`)}${index}.json`,
    '',
  ].join('\n');
}

/** Where a run's output goes, in the sweep's folder. */
export function logFile(folder: string, run: number, offset: number): string {
  return path.join(folder, 'logs', logName(String(run - offset), offset));
}

/** The file that tells a task what to train. */
export function taskFile(folder: string, run: number): string {
  return path.join(folder, 'tasks', `${run}.json`);
}

/** Variables that would have their way over the script: `sbatch` takes them for options of its command line. */
export function overridingVariables(options: SlurmOptions): readonly string[] {
  const given = optionNames.filter(name => options[name] !== undefined).flatMap((name): readonly string[] => forms[name].variables);
  return ['ARRAY_INX', 'ERROR', 'INPUT', 'JOB_NAME', 'NO_REQUEUE', 'OPEN_MODE', 'OUTPUT', 'REQUEUE', 'SIGNAL', 'WAIT', ...given].map(name => `SBATCH_${name}`);
}

/** A word of a POSIX shell: nothing in it means anything but itself. */
export function shellQuoted(word: string): string {
  if (word.includes('\0')) throw new UserError('A path with a NUL character cannot be given to a shell.');
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** With its offset in front where two arrays of a sweep have a task of the same number. */
function logName(task: string, offset: number): string {
  return `${offset === 0 ? '' : `${offset}+`}${task}.log`;
}

/** A path within double quotes in a line of options, where `%` begins a pattern. */
function patternLiteral(folder: string): string {
  // A backslash switches patterns off, and nothing brings a line break into such a line.
  if (/[\\\p{Cc}]/u.test(folder)) throw new UserError(`Slurm cannot write logs in ${JSON.stringify(folder)}: the path has a backslash or a control character; choose another folder for the models.`);
  return folder.replaceAll('"', '\\"').replaceAll('%', '%%');
}
