import path from 'node:path';
import { UserError } from '../common/errors';
import type { TaskBinding } from '../protocol/checkpointFile';
import { parameterValuesFromText } from '../protocol/parameter';
import { findTask } from '../tasks/registry';

/** The options that say what prompts mean to a model. */
export interface BindingOptions {
  /** `NAME[:name=value,…]` */
  readonly task?: string;
  readonly prompts?: string;
  /** That by which the examples were drawn that the model was trained on. */
  readonly splitSeed?: number;
}

/**
 * The binding that options ask for, if they ask for one.
 * @throws UserError for a task that does not exist, for parameters that are not `name=value`, for a task and prompts together, and for a seed without a task.
 */
export function bindingFrom({ task, prompts, splitSeed }: BindingOptions): TaskBinding | undefined {
  if (task !== undefined && prompts !== undefined) throw new UserError('A model has the prompts of one task or those of a file: give --task or --prompts.');
  if (splitSeed !== undefined && task === undefined) throw new UserError('--split-seed says which examples of a task a model was trained on: give it with --task.');
  if (prompts !== undefined) return { kind: 'prompts', file: path.resolve(prompts) };
  if (task === undefined) return undefined;
  const [name = '', given = ''] = task.split(/:(.*)/s);
  const parameters = parameterValuesFromText(findTask(name).params, given.split(',').filter(text => text !== ''));
  return { kind: 'task', name, parameters, ...(splitSeed !== undefined && { seed: splitSeed }) };
}
