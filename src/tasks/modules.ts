import { UserError } from '../common/errors';
import type { TaskSnapshot } from '../protocol/taskModule';
import { moduleTask } from './moduleTask';
import type { Task } from './task';

/** A task of a module as it was made once. */
export interface KnownModule {
  readonly snapshot: TaskSnapshot;
  readonly task: Task;
}

/** Snapshots that are kept at hand, of those that were asked for last. */
const mostKnown = 200;

/** What this process knows of modules, by the hash of all that decides what they make: there is one thing that a hash can mean. */
const known = new Map<string, KnownModule>();

/** Makes the task of a snapshot known by its hash, for whoever names it. */
export function rememberModule(hash: string, snapshot: TaskSnapshot): KnownModule {
  // Its files may lie in another folder by now, which changes nothing of what it makes.
  const module = { snapshot, task: known.get(hash)?.task ?? moduleTask(snapshot) };
  known.delete(hash);
  known.set(hash, module);
  for (const oldest of [...known.keys()].slice(0, -mostKnown)) known.delete(oldest);
  return module;
}

export function hasModule(hash: string): boolean {
  return known.has(hash);
}

/** @throws UserError where nobody has made it known: its snapshot is not there, or cannot be read. */
export function moduleOf({ name, module: hash }: { readonly name: string; readonly module: string }): KnownModule {
  const module = known.get(hash);
  if (!module) throw new UserError(`What the task module ${name} makes is no longer in the store, so that nothing is known of its task.`);
  return module;
}
