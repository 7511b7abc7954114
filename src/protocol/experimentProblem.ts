import { FieldError, UnknownNameError, type UserError } from '../common/errors';
import type { ExperimentProblem } from './experiment';
import { ModuleError } from './moduleError';

/** An error about the field at a path, or about one inside it, as a problem of the experiment. */
export function problemOf(path: ExperimentProblem['path'], error: UserError): ExperimentProblem {
  const { message } = error;
  if (error instanceof FieldError) return { path: [...path, error.field], message, ...nearest('name', error.nearest) };
  const source = error instanceof ModuleError && error.place;
  return { path, message, ...(error instanceof UnknownNameError && nearest('value', error.nearest)), ...(source && { source }) };
}

function nearest(of: 'name' | 'value', names: readonly string[]): Pick<ExperimentProblem, 'nearest'> {
  return names.length > 0 ? { nearest: { of, names } } : {};
}
