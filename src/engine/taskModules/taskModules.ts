import { lstat, readdir, readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { errorCode, FieldError, messageOf, UserError } from '../../common/errors';
import { unknownName } from '../../common/nearest';
import type { ResolvedExperiment } from '../../protocol/model';
import { resolveParameters } from '../../protocol/parameter';
import { isTaskModule, type TaskSnapshot } from '../../protocol/taskModule';
import { hashOf, keepSnapshot, readSnapshot, snapshotHashes } from '../../store/taskSnapshots';
import { hasModule, moduleOf, rememberModule } from '../../tasks/modules';
import { nothingNamed, type Named, type NamedTask } from '../../training/origin';
import { Turns } from '../turns';
import { describeInProcess } from './describer';
import { placedIn } from './thrown';

type Given = Readonly<Record<string, unknown>>;

/** What came of describing a module with some parameters. */
type Described = { readonly snapshot: TaskSnapshot } | { readonly error: unknown; readonly source: string; readonly at: number };

/** Milliseconds for which a module that failed is not run again while its file stays as it is. */
const failureKept = 10_000;
/** Modules with parameters of which is kept what they make. */
const mostDescribed = 200;

/**
 * The task modules that experiments name. None runs here: a process of its own says once what task a module makes, and from
 * then on its snapshot is all that is needed of it; it lies in the store beside the models that are trained on it.
 */
export class TaskModules {
  private readonly described = new Map<string, Described>();
  /** A module is run once at a time. */
  private readonly turns = new Turns();

  /**
   * @param bundle in which modules run
   * @param trusted whether code of the workspace may run
   */
  constructor(private readonly store: string, private readonly bundle: string, public trusted: boolean, private readonly log: (line: string) => void) {}

  /**
   * The task of a module with the parameters that an experiment in `folder` gives. One that names a `module` by its hash is
   * that of the store.
   * @throws UserError where there is none, it does not fit, or it may not run; ModuleError with the place in its file.
   */
  async find(name: string, given: Given, folder: string | undefined): Promise<NamedTask> {
    const { module, ...parameters } = given;
    if (module !== undefined) return this.pinned(name, String(module), parameters);
    if (folder === undefined && !path.isAbsolute(name)) return nothingNamed.task(name, given);
    const file = await moduleFile(name, folder ?? '');
    const snapshot = this.trusted ? await this.describe(file, parameters) : await this.stored(file, parameters);
    if (!snapshot) throw notTrusted(name);
    return named(hashOf(snapshot), snapshot);
  }

  /** Keeps what a task's module makes in the store, before a model is trained on it. */
  async keep({ name, module }: ResolvedExperiment['task']): Promise<void> {
    if (module === undefined) return;
    await this.ready({ name, parameters: {}, module });
    await keepSnapshot(this.store, moduleOf({ name, module }).snapshot);
  }

  /** Makes a stored model's task one that can be made. @throws UserError when what its module makes is gone. */
  ready(task: ResolvedExperiment['task']): Promise<void> {
    return moduleReady(this.store, task);
  }

  /** The tasks that were made once, by the names of their modules; of what is not among them, what it is now. */
  async madeThen(hashes: readonly string[], now: Named<never>['task']): Promise<Named<never>['task']> {
    const made = await Promise.all(hashes.map(async hash => ({ hash, snapshot: await this.snapshotOf(hash).catch(() => undefined) })));
    return (name, given) => {
      const found = made.find(({ snapshot }) => snapshot?.sources.entry === path.basename(name) && isMadeWith(snapshot, given));
      return found?.snapshot ? named(found.hash, found.snapshot) : now(name, given);
    };
  }

  /** @throws UserError when a model of this task needs its module to be trained, and no code may run. */
  async checkRunnable(task: ResolvedExperiment['task']): Promise<void> {
    if (task.module === undefined || this.trusted) return;
    await this.ready(task);
    const { snapshot } = moduleOf({ name: task.name, module: task.module });
    if (snapshot.trainFraction === undefined) throw notTrusted(task.name);
  }

  private async pinned(name: string, hash: string, given: Given): Promise<NamedTask> {
    const snapshot = await this.snapshotOf(hash);
    const parameters = resolveParameters(`task "${name}"`, snapshot.params, given);
    const other = Object.keys(parameters).find(parameter => parameters[parameter] !== snapshot.parameters[parameter]);
    if (other !== undefined) throw new FieldError(other, `"${other}" cannot be another: "module" names the task that ${name} made with ${JSON.stringify(snapshot.parameters[other])}; name the module's file in its place.`);
    return named(hash, snapshot);
  }

  private async snapshotOf(hash: string): Promise<TaskSnapshot> {
    const task = { name: 'a task module', parameters: {}, module: hash };
    await this.ready(task);
    return moduleOf(task).snapshot;
  }

  /** What a module makes: as it was found before, where nothing of it has changed since. @throws what is wrong with it. */
  private describe(file: string, given: Given): Promise<TaskSnapshot> {
    const key = JSON.stringify([file, Object.entries(given).sort(([a], [b]) => (a < b ? -1 : 1))]);
    return this.turns.alone(file, async () => {
      const known = this.described.get(key);
      if (known && (await isCurrent(known, file))) {
        if ('error' in known) throw known.error;
        return known.snapshot;
      }
      // Read before it runs: what is saved meanwhile is looked at anew.
      const source = await textOf(file);
      const described = await describeInProcess(this.bundle, { file, parameters: given }, this.log).then(
        (snapshot): Described => ({ snapshot }),
        (error: unknown): Described => ({ error: placedIn(path.dirname(file), error), source, at: performance.now() }),
      );
      this.described.delete(key);
      this.described.set(key, described);
      for (const oldest of [...this.described.keys()].slice(0, -mostDescribed)) this.described.delete(oldest);
      if ('error' in described) throw described.error;
      return described.snapshot;
    });
  }

  /** What a module made when it was run before, if it still is what it was then. */
  private async stored(file: string, given: Given): Promise<TaskSnapshot | undefined> {
    for (const hash of await snapshotHashes(this.store)) {
      const snapshot = await this.snapshotOf(hash).catch(() => undefined);
      if (snapshot?.sources.entry === path.basename(file) && isMadeWith(snapshot, given) && (await areFilesAsIn(snapshot, file))) return { ...snapshot, folder: path.dirname(file) };
    }
    return undefined;
  }
}

/** Makes a stored model's task one that can be made in this process. @throws UserError when what its module makes is gone. */
export async function moduleReady(store: string, { module }: ResolvedExperiment['task']): Promise<void> {
  if (module !== undefined && !hasModule(module)) rememberModule(module, await readSnapshot(store, module));
}

function named(hash: string, snapshot: TaskSnapshot): NamedTask {
  return { resolved: { name: snapshot.sources.entry, parameters: snapshot.parameters, module: hash }, task: rememberModule(hash, snapshot).task };
}

function notTrusted(name: string): UserError {
  return new UserError(`The task module ${name} runs only in a trusted workspace.`);
}

/** The file of a module, without symbolic links. @throws UserError when there is none. */
async function moduleFile(name: string, folder: string): Promise<string> {
  const file = path.resolve(folder, name);
  try {
    const real = await realpath(file);
    if (!(await lstat(real)).isFile()) throw new UserError(`The task module "${name}" is not a file.`);
    if (!/\.[mc]?[jt]s$/.test(real)) throw new UserError(`The task module "${name}" is no JavaScript or TypeScript file.`);
    return real;
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (errorCode(error) !== 'ENOENT') throw new UserError(`The task module "${name}" cannot be read: ${messageOf(error)}.`);
    const beside = await readdir(path.dirname(file)).catch(() => []);
    const prefix = name.slice(0, name.length - path.basename(name).length);
    throw unknownName('task module', name, beside.filter(isTaskModule).map(other => `${prefix}${other}`));
  }
}

async function isCurrent(described: Described, file: string): Promise<boolean> {
  if ('snapshot' in described) return areFilesAsIn(described.snapshot, file);
  return performance.now() - described.at < failureKept && described.source === (await textOf(file));
}

async function areFilesAsIn({ sources }: TaskSnapshot, file: string): Promise<boolean> {
  const same = await Promise.all(Object.entries(sources.files).map(async ([name, text]) => (await textOf(path.join(path.dirname(file), name))) === text));
  return same.every(Boolean);
}

function isMadeWith({ params, parameters }: TaskSnapshot, given: Given): boolean {
  try {
    return isDeepStrictEqual({ ...resolveParameters('a task', params, given) }, { ...parameters });
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

async function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}
