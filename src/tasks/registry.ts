import { unknownName } from '../common/nearest';
import type { TaskInfo } from '../protocol/analysis';
import { resolveParameters } from '../protocol/parameter';
import { arrayUpdate } from './arrayUpdate';
import { listCopy } from './listCopy';
import { max } from './max';
import { median } from './median';
import { modularArithmetic } from './modularArithmetic';
import { moduleOf } from './modules';
import { shortestPaths } from './shortestPaths';
import { shortestPathsAdjacency } from './shortestPathsAdjacency';
import { sort } from './sort';
import type { Task, TaskDefinition } from './task';
import { notTrainable, tokensName } from './tokens';

/** Every built-in task. A new one is a file of its own and a line here. */
export const tasks: readonly TaskDefinition[] = [arrayUpdate, modularArithmetic, max, median, sort, listCopy, shortestPaths, shortestPathsAdjacency];

/** @throws UserError for a task that does not exist, with the nearest names. */
export function findTask(id: string): TaskDefinition {
  if (id === tokensName) throw notTrainable();
  const task = tasks.find(candidate => candidate.id === id);
  if (!task) throw unknownName('task', id, tasks.map(candidate => candidate.id));
  return task;
}

/**
 * Makes a task anew of its name and parameters, such as a resolved experiment's; that of a module is the one that was made known.
 * @throws UserError when these make none.
 */
export function taskOf({ name, parameters, module }: { readonly name: string; readonly parameters: Readonly<Record<string, unknown>>; readonly module?: string }): Task {
  if (module !== undefined) return moduleOf({ name, module }).task;
  const definition = findTask(name);
  return definition.create(resolveParameters(`task "${name}"`, definition.params, parameters));
}

export function describeTask({ id, title, description, params }: TaskDefinition): TaskInfo {
  return { id, title, description, params };
}
