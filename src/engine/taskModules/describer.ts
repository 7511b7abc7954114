import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import * as v from 'valibot';
import { FieldError, messageOf, UserError } from '../../common/errors';
import type { SourcePlace } from '../../protocol/experiment';
import { TaskSnapshotSchema, type DescribeOrder, type TaskSnapshot } from '../../protocol/taskModule';
import { ModuleError } from '../../protocol/moduleError';
import { tellsOfMemory } from '../failure';
import { patience, tooMuchMemory } from './limits';

export const DescribeOrderSchema = v.strictObject({
  file: v.string(),
  parameters: v.record(v.string(), v.unknown()),
  parent: v.number(),
});

/** What was thrown, as it crosses to another process. */
export interface ModuleFailure {
  readonly message: string;
  readonly isForPeople: boolean;
  /** The parameter that does not fit. */
  readonly field?: string;
  readonly nearest?: readonly string[];
  readonly place?: SourcePlace;
}

/** What the process tells that describes a module. */
export type FromDescriber = { readonly kind: 'described'; readonly snapshot: TaskSnapshot } | { readonly kind: 'wrong'; readonly failure: ModuleFailure };

/** Milliseconds after which the process is ended that should have ended its module by then. */
const longest = 3 * (patience.making + patience.examples) * 1000;

/**
 * Runs a module in a process of its own, once, to see what task it makes.
 * @param bundle of `taskModule.ts`
 * @throws ModuleError or FieldError one sentence that says what is wrong with the module, whatever it does.
 */
export async function describeInProcess(bundle: string, order: DescribeOrder, log: (line: string) => void): Promise<TaskSnapshot> {
  if (!existsSync(bundle)) throw new UserError(`"${bundle}", which runs task modules, is missing; install Circuit Explorer again.`);
  const entry = path.basename(order.file);
  const child = fork(bundle, [], { serialization: 'advanced', execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  let isFull = false;
  for (const output of [child.stdout, child.stderr]) {
    if (output) createInterface({ input: output }).on('line', line => {
      if (output === child.stderr && tellsOfMemory(line)) isFull = true;
      log(`${entry}: ${line}`);
    });
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), longest);
  try {
    const answer = await new Promise<FromDescriber>((resolve, reject) => {
      child.once('message', message => resolve(message as FromDescriber));
      child.once('error', error => reject(new UserError(`${entry} could not be run: ${messageOf(error)}.`)));
      child.once('close', () => reject(isFull ? tooMuchMemory(entry) : new ModuleError(`${entry} ended its process before it had made its task.`)));
      child.send({ ...order, parent: process.pid }, () => undefined);
    });
    if (answer.kind === 'wrong') throw failed(answer.failure);
    const parsed = v.safeParse(TaskSnapshotSchema, answer.snapshot);
    if (!parsed.success) throw new ModuleError(`${entry} makes no task that can be kept: ${parsed.issues[0].message}.`);
    return parsed.output;
  } finally {
    clearTimeout(timer);
    // A thread that fills an array in one go ends no sooner than its process.
    child.kill('SIGKILL');
  }
}

function failed({ message, isForPeople, field, nearest, place }: ModuleFailure): Error {
  if (!isForPeople) return new Error(message);
  return field === undefined ? new ModuleError(message, place) : new FieldError(field, message, nearest);
}
