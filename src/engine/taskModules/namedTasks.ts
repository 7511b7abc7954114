import { UserError } from '../../common/errors';
import type { Experiment, SweepGrid } from '../../protocol/experiment';
import { isTaskModule } from '../../protocol/taskModule';
import type { JsonValue } from '../../protocol/sweep';
import { nothingNamed, type Named, type NamedTask } from '../../training/origin';
import type { TaskModules } from './taskModules';

type Reference = { readonly name: string; readonly given: Readonly<Record<string, unknown>> };

/** Tasks of modules that one experiment may make, by itself and in the runs of its sweep. */
const mostTasks = 100;

/** Looks up the modules that an experiment names as its task, with all the parameters that its sweep gives them. */
export async function namedTasks({ task, sweep }: Pick<Experiment, 'task' | 'sweep'>, folder: string | undefined, modules: Pick<TaskModules, 'find'> | undefined): Promise<Named<never>['task']> {
  const base = typeof task === 'string' ? { name: task } : task;
  const grids = sweep === undefined ? [] : [sweep].flat();
  const references = new Map([base, ...grids.flatMap(grid => sweptTasks(base, grid))].flatMap(({ name, ...given }) =>
    (isTaskModule(name) || 'module' in given ? [[keyOf({ name, given }), { name, given }] as const] : [])));
  if (references.size === 0 || !modules) return nothingNamed.task;
  const found = new Map(await Promise.all([...references].slice(0, mostTasks).map(async ([key, { name, given }]) => [key, await orThrower(modules.find(name, given, folder))] as const)));
  return (name, given) => {
    const task = found.get(keyOf({ name, given }));
    if (!task) throw new UserError(`The runs of a sweep can have at most ${mostTasks} different tasks of modules.`);
    return task();
  };
}

/** The tasks that a grid makes of that of its experiment. */
function sweptTasks(base: { readonly name: string }, grid: SweepGrid): readonly { readonly name: string }[] {
  return Object.entries(grid).reduce<readonly { readonly name: string }[]>((tasks, [field, values]) => {
    const [section, parameter] = field.split('.');
    if (section !== 'task') return tasks;
    return [values].flat().slice(0, mostTasks + 1).flatMap((value: JsonValue) => tasks.map(task => swept(task, parameter, value))).slice(0, mostTasks + 1);
  }, [base]);
}

function swept(task: { readonly name: string }, parameter: string | undefined, value: JsonValue): { readonly name: string } {
  if (parameter !== undefined) return Object.fromEntries([...Object.entries(task), [parameter, value]]) as { readonly name: string };
  if (typeof value === 'string') return { name: value };
  const isTask = typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string';
  return isTask ? { ...value, name: String(value.name) } : task;
}

function keyOf({ name, given }: Reference): string {
  return JSON.stringify([name, Object.entries(given).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

/** What was found; or what throws why nothing was, for whoever asks. */
async function orThrower(finding: Promise<NamedTask>): Promise<() => NamedTask> {
  try {
    const found = await finding;
    return () => found;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return () => {
      throw error;
    };
  }
}
