import { open } from 'node:fs/promises';
import * as v from 'valibot';
import { errorCode, UserError } from '../../common/errors';
import { devices, type Device } from '../../protocol/engine';
import { experimentFileLimit } from '../../protocol/experiment';
import { issueText } from '../../store/issueText';
import { idOf } from '../../store/modelRecord';
import type { NamedModels } from '../../training/experiment';
import { experimentOf } from '../runs';

/** What a task of an array is to do, in a file that the node it lands on reads. */
export interface SlurmTask {
  /** Absolute path of the store. */
  readonly store: string;
  readonly model: string;
  /** The run's own experiment. */
  readonly text: string;
  readonly device: Device;
  /** 0 for as many as the job is given. */
  readonly threads: number;
}

const SlurmTaskSchema = v.strictObject({
  store: v.pipe(v.string(), v.minLength(1), v.maxLength(4096)),
  model: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/)),
  text: v.pipe(v.string(), v.maxLength(experimentFileLimit)),
  device: v.picklist(devices),
  threads: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1024)),
}) satisfies v.GenericSchema<unknown, SlurmTask>;

/** Bytes; a character of an experiment takes six in JSON at most. */
const fileLimit = 6 * experimentFileLimit + 65_536;

export function formatTask(task: SlurmTask): string {
  return `${JSON.stringify(task, null, 2)}\n`;
}

/** Threads of a task: what was asked for, or what Slurm has given its job of the node's processors. */
export function taskThreads({ threads }: SlurmTask, environment: NodeJS.ProcessEnv, available: number): number {
  if (threads > 0) return threads;
  const given = Number(environment['SLURM_CPUS_ON_NODE']);
  return given > 0 ? Math.min(given, available) : available;
}

/** @throws UserError when the file is not there, or not a task. */
export async function readTask(file: string): Promise<SlurmTask> {
  const result = v.safeParse(SlurmTaskSchema, await readJson(file));
  if (!result.success) {
    throw new UserError(`${file} is not a task of a sweep${issueText(result.issues[0])}.`);
  }
  return result.output;
}

/** @throws UserError when the experiment of a task does not make its model. `named` is what it names, looked up before. */
export function checkTask(file: string, task: SlurmTask, named?: NamedModels): void {
  const id = idOf(experimentOf({ text: task.text }, named).resolved);
  if (id !== task.model) throw new UserError(`${file} is not a task of a sweep: its experiment trains the model ${id}, not ${task.model}.`);
}

async function readJson(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readSmall(file);
  } catch (error) {
    switch (errorCode(error)) {
      case 'ENOENT': throw new UserError(`There is no task file ${file}; a sweep's folder must be one that every node of the cluster sees.`);
      case 'EISDIR': throw new UserError(`${file} is a folder, not a task file.`);
      case 'EACCES': throw new UserError(`${file} cannot be read: permission denied.`);
      default: throw error;
    }
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new UserError(`${file} is not a task of a sweep: it is not JSON.`);
  }
}

async function readSmall(file: string): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    if (size > fileLimit) throw new UserError(`${file} is too large for a task of a sweep.`);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}
