import { errorCode, messageOf, UserError } from '../common/errors';
import type { SourcePlace } from '../protocol/experiment';
import { ModuleError } from '../protocol/moduleError';

/** A run that failed, or ended early, although what was asked for was right. */
export class FailedError extends Error {
  override readonly name = 'FailedError';
}

export const outOfMemory = 'The training ran out of memory; a smaller batch, or a smaller model, needs less.';

/** Of a process that the system ended, without a word from it. */
export const killed = 'Its process was killed (SIGKILL), most likely for want of memory; a smaller batch, or a smaller model, needs less.';

/** Whether a message, or a line of a dying process, tells of memory that could not be had. */
export function tellsOfMemory(text: string): boolean {
  return /heap out of memory|std::bad_alloc|bad allocation|allocation failed|failed to allocate memory/i.test(text);
}

/** Why a run failed: one sentence, and whether it is one that people can do something about. */
export interface Failure {
  readonly problem: string;
  readonly userError: boolean;
  /** Where in a file of people's own it failed. */
  readonly source?: SourcePlace;
}

export function failureOf(error: unknown): Failure {
  const message = messageOf(error);
  if (error instanceof UserError) return { problem: message, userError: true, ...(error instanceof ModuleError && error.place && { source: error.place }) };
  if (tellsOfMemory(message)) return { problem: outOfMemory, userError: true };
  switch (errorCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return { problem: 'The disk that holds the models is full.', userError: true };
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return { problem: `The model cannot be written: ${message}.`, userError: true };
    default:
      return { problem: `The training failed: ${message.replace(/\.?\s*$/, '')}.`, userError: false };
  }
}
