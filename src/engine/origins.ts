import path from 'node:path';
import { FieldError, UserError } from '../common/errors';
import { unknownName } from '../common/nearest';
import type { ExperimentText } from '../protocol/engine';
import type { FromReference } from '../protocol/experiment';
import { idOf, type ModelRecord } from '../store/modelRecord';
import type { Store } from '../store/store';
import { applyOverrides, parseExperiment, readExperiment, type NamedModels, type Overrides, type PreparedExperiment } from '../training/experiment';
import { modelNameIn, nothingNamed, type Origin } from '../training/origin';
import { experimentSuffix, type BundledExperiments } from './bundled';
import { readExperimentFile } from './experimentFile';
import { namedTasks } from './taskModules/namedTasks';
import type { TaskModules } from './taskModules/taskModules';

/** An experiment that a name stands for. */
interface Meant {
  readonly source: ExperimentText;
  /** It with a seed. @throws UserError when it cannot be trained. */
  read(seed: number): PreparedExperiment;
}

/** The experiments on the way to one that is looked up, each started from by the one before. */
type Trail = readonly { readonly realPath: string; readonly name: string }[];

/** Experiments on a trail: nobody fine-tunes so often, and each of them is read. */
const trailLimit = 20;

/** Finds out what the names in experiments mean: what they start from, and what their claims are about. */
export class Origins {
  /** Without `bundled`, no experiments come with the program. */
  constructor(
    private readonly store: Pick<Store, 'find' | 'has' | 'list' | 'read'>,
    private readonly bundled?: Pick<BundledExperiments, 'folder' | 'names' | 'read'>,
    /** Without them, no experiment's task is a module. */
    readonly modules?: TaskModules,
  ) {}

  /** Looks up all that an experiment names, once it is changed as an order says. What means nothing says so when it is asked for. */
  lookUp({ text, folder, ...overrides }: ExperimentText & Overrides): Promise<NamedModels> {
    return this.namedIn({ text: applyOverrides(text, overrides), ...(folder !== undefined && { folder }) }, []);
  }

  private async namedIn({ text, folder }: ExperimentText, trail: Trail): Promise<NamedModels> {
    const parsed = parseExperiment(text);
    if (!parsed.ok) return nothingNamed;
    const { from, claims } = parsed.experiment;
    // Whoever starts from an experiment asks nothing of its claims: two may start from, and be about, each other.
    const subjects = trail.length > 0 ? [] : [...new Set(claims.flatMap(({ of }) => of ?? []))];
    const others = new Map(await Promise.all(subjects.map(async of => [of, await orRefusal(this.otherOf(of, folder))] as const)));
    return {
      origin: from === undefined ? nothingNamed.origin : await orRefusal(this.originOf(modelNameIn(from), folder, trail)),
      task: await namedTasks(parsed.experiment, folder, this.modules),
      other: (of, seed) => (others.get(of) ?? nothingNamed.other)(of, seed),
    };
  }

  private async originOf(name: string, folder: string | undefined, trail: Trail): Promise<NamedModels['origin']> {
    const meant = await this.experimentOf(name, folder, trail);
    if (meant) return (from, seed) => experimentOrigin(meant.read(seed), { ...meant.source, seed }, from);
    const record = await this.stored(name);
    return from => storedOrigin(record, from);
  }

  private async otherOf(name: string, folder: string | undefined): Promise<NamedModels['other']> {
    const meant = await this.experimentOf(name, folder, []);
    if (!meant) throw unknownName('experiment', name, await this.bundledNames());
    return (_, seed) => ({ experiment: meant.read(seed), source: { ...meant.source, seed } });
  }

  /** The experiment of a name, a bundled one or a path; nothing where it is neither. */
  private async experimentOf(name: string, folder: string | undefined, trail: Trail): Promise<Meant | undefined> {
    const file = await this.fileOf(name, folder);
    if (file === undefined) return undefined;
    if (trail.length >= trailLimit) throw new UserError(`More than ${trailLimit} experiments start from one another; start from a model that one of them has trained.`);
    const { text, realPath } = await readExperimentFile(file);
    const before = trail.findIndex(other => other.realPath === realPath);
    if (before >= 0) throw new UserError(`An experiment cannot start from itself: ${[...trail.slice(before), { name }].map(other => `"${other.name}"`).join(' starts from ')}.`);
    const source = { text, folder: path.dirname(file) };
    const named = await this.namedIn(source, [...trail, { realPath, name }]);
    return { source, read: remembering(seed => readNamed(name, applyOverrides(source.text, { seed }), named)) };
  }

  private async fileOf(name: string, folder: string | undefined): Promise<string | undefined> {
    if (this.bundled && (await this.bundled.names()).includes(name)) return path.join(this.bundled.folder, `${name}${experimentSuffix}`);
    if (!name.endsWith(experimentSuffix)) return undefined;
    if (folder === undefined && !path.isAbsolute(name)) throw new UserError(`"${name}" is a path, and this experiment is in no folder to see it from; save it as a file first.`);
    return path.resolve(folder ?? '', name);
  }

  private async stored(name: string): Promise<ModelRecord> {
    // Jobs of a sweep name models by their ids, many at a time.
    if (/^[0-9a-f]{16}$/.test(name) && (await this.store.has(name))) return this.store.read(name);
    const models = await this.store.list();
    if (models.some(({ id, name: other }) => other === name || id.startsWith(name))) return this.store.find(name);
    throw unknownName('experiment or model', name, [...new Set([...(await this.bundledNames()), ...models.map(model => model.name)])]);
  }

  private async bundledNames(): Promise<readonly string[]> {
    return (await this.bundled?.names()) ?? [];
  }
}

function experimentOrigin({ resolved, config }: PreparedExperiment, source: Required<Origin>['source'], from: FromReference): Origin {
  const { name, model, task, training: { steps, checkpointEvery } } = resolved;
  const { checkpoint } = checkpointIn(from);
  // Before the first step none is written.
  const isAmongThem = checkpoint !== undefined && checkpoint > 0 && checkpoint < steps && checkpointEvery > 0 && checkpoint % checkpointEvery === 0;
  const isKept = checkpoint === undefined || checkpoint === steps || isAmongThem;
  if (!isKept) {
    const kept = checkpointEvery > 0 ? `keeps one every ${checkpointEvery} steps, and one at its end, at step ${steps}` : `keeps one at its end, at step ${steps}`;
    throw new FieldError('checkpoint', `"${name}" has no checkpoint at step ${checkpoint}: it ${kept}.`);
  }
  return { id: idOf(resolved), name, ...checkpointIn(from), model, config, task, source };
}

function storedOrigin({ id, name, experiment: { model, task }, config, source }: ModelRecord, from: FromReference): Origin {
  return { id, name, ...checkpointIn(from), model, config, task, ...(source && { isUntrained: true }) };
}

function checkpointIn(from: FromReference): { readonly checkpoint?: number } {
  return typeof from === 'string' || from.checkpoint === undefined ? {} : { checkpoint: from.checkpoint };
}

function readNamed(name: string, text: string, named: NamedModels): PreparedExperiment {
  const reading = readExperiment(text, named);
  if (reading.ok) return reading.experiment;
  throw new UserError(`"${name}" cannot be trained: ${reading.problems[0]?.message ?? ''}`);
}

/** Every seed is read once: making the data of a task can take a while. */
function remembering<T>(read: (seed: number) => T): (seed: number) => T {
  const known = new Map<number, T>();
  return seed => {
    const value = known.get(seed) ?? read(seed);
    known.set(seed, value);
    return value;
  };
}

/** What was found; or in its place a refusal that says why nothing was, for whoever asks. */
async function orRefusal<F>(finding: Promise<F>): Promise<F | (() => never)> {
  try {
    return await finding;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return () => {
      throw error;
    };
  }
}
