import path from 'node:path';
import { errorCode, FieldError, messageOf, UserError } from '../../common/errors';
import { ModuleError } from '../../protocol/moduleError';
import { tellsOfMemory } from '../failure';
import { tooMuchMemory } from './limits';

/** An error as it was in the thread that threw it: on its way from there it keeps its fields and loses its class. */
export function asThrown(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(messageOf(error));
  if (error.name !== 'UserError') return error;
  if ('field' in error && typeof error.field === 'string') return new FieldError(error.field, error.message, 'nearest' in error && Array.isArray(error.nearest) ? error.nearest.map(String) : []);
  if ('place' in error) return new ModuleError(error.message, error.place as ModuleError['place']);
  return new UserError(error.message);
}

/** The error with its place as that of a file of this machine. */
export function placedIn<E>(folder: string, error: E): E | ModuleError {
  if (!(error instanceof ModuleError) || !error.place) return error;
  return new ModuleError(error.message, { ...error.place, file: path.join(folder, error.place.file) });
}

/** As {@link asThrown}, of a thread that runs a module. */
export function asThrownByModule(entry: string, error: unknown): Error {
  const isFull = errorCode(error) === 'ERR_WORKER_OUT_OF_MEMORY' || (!(error instanceof UserError) && tellsOfMemory(messageOf(error)));
  return isFull ? tooMuchMemory(entry) : asThrown(error);
}
