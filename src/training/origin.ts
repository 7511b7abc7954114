import { UserError } from '../common/errors';
import { unknownName } from '../common/nearest';
import { formatShape, sameShape } from '../common/tensor';
import { parameterSpecs } from '../model/parameters';
import type { Architecture, ModelConfig } from '../protocol/config';
import type { ExperimentText, TrainRequest } from '../protocol/engine';
import type { FromReference } from '../protocol/experiment';
import type { ModelOrigin, ResolvedExperiment } from '../protocol/model';
import type { Task } from '../tasks/task';

/** A model that another one starts from. */
export interface Origin extends ModelOrigin {
  readonly model: Architecture;
  readonly config: ModelConfig;
  readonly task: ResolvedExperiment['task'];
  /** What trains it; absent for a stored model. */
  readonly source?: TrainingSource;
  /** Whether its weights come from elsewhere; its sizes are then its own, and not those of its task. */
  readonly isUntrained?: boolean;
}

/** The text of an experiment with the seed that it is trained with. */
export interface TrainingSource extends ExperimentText, Required<Pick<TrainRequest, 'seed'>> {}

/**
 * What the names in an experiment were found to mean, once they were looked up.
 * Each throws a UserError for what means nothing, or nothing that can be trained.
 */
export interface Named<Experiment> {
  /** The model that an experiment with this seed starts from. */
  origin(from: FromReference, seed: number): Origin;
  /** The task of a module, by its path as an experiment names it and the values that it gives for parameters. */
  task(name: string, given: Readonly<Record<string, unknown>>): NamedTask;
  /** The other experiment that a claim is about, with this seed. */
  other(of: string, seed: number): { readonly experiment: Experiment; readonly source: TrainingSource };
}

/** A task that a module makes. */
export interface NamedTask {
  readonly resolved: ResolvedExperiment['task'];
  readonly task: Task;
}

/** Where nothing was looked up. */
export const nothingNamed: Named<never> = {
  origin: from => {
    throw unknownName('experiment or model', modelNameIn(from), []);
  },
  task: name => {
    throw new UserError(`"${name}" is a path, and this experiment is in no folder to see it from; save it as a file first.`);
  },
  other: of => {
    throw unknownName('experiment', of, []);
  },
};

export function modelNameIn(from: FromReference): string {
  return typeof from === 'string' ? from : from.model;
}

/** Why a model cannot start from another one: what differs, what it is in both, and what would fit. */
export interface Misfit {
  /** The section of the experiment that would have to be another. */
  readonly section: 'model' | 'task';
  readonly message: string;
}

/**
 * @param config of the model that is to start from `origin`
 * @param task the task that it is to learn
 * @param inherited its config if it had the origin's architecture; absent where it has
 */
export function misfitOf(config: ModelConfig, task: Origin['task'], origin: Origin, inherited?: ModelConfig): Misfit | undefined {
  const difference = differenceOf(config, origin);
  if (difference === undefined) return undefined;
  if (inherited && differenceOf(inherited, origin) === undefined) {
    return { section: 'model', message: `${difference}; leave "model" out to take that of "${origin.name}".` };
  }
  return { section: 'task', message: `${difference}; ${fittingTask(task, origin)}` };
}

/** The first parameter that one of two models lacks, or has in another shape. */
function differenceOf(config: ModelConfig, { config: other, name: origin }: Origin): string | undefined {
  const [here, there] = [config, other].map(each => new Map(parameterSpecs(each).map(({ name, shape }) => [name, shape])));
  if (!here || !there) return undefined;
  for (const name of new Set([...here.keys(), ...there.keys()])) {
    const [one, two] = [here.get(name), there.get(name)];
    if (one && two && sameShape(one, two)) continue;
    return `${name} ${one ? `is ${formatShape(one)}` : 'is missing'} here and ${two ? formatShape(two) : 'missing'} in "${origin}"`;
  }
  return other.biases && !config.biases ? `The biases are left out here and trained in "${origin}"` : undefined;
}

function fittingTask(task: Origin['task'], { task: other, name, config, isUntrained }: Origin): string {
  if (isUntrained) {
    const { d_vocab, d_vocab_out, n_ctx } = config;
    return `the task that fits has ${d_vocab} words, ${d_vocab_out} answers to choose from and ${n_ctx} positions.`;
  }
  const given = Object.entries(other.parameters).filter(([parameter, value]) => task.name !== other.name || task.parameters[parameter] !== value);
  const parameters = given.map(([parameter, value]) => `"${parameter}": ${JSON.stringify(value)}`).join(', ');
  if (task.name !== other.name) return `the task that fits is that of "${name}", "${other.name}" with ${parameters}.`;
  return given.length === 0 ? `take the "model" of "${name}".` : `what fits is the task of "${name}", with ${parameters}.`;
}
