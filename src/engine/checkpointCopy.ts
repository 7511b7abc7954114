import { UserError } from '../common/errors';
import type { Breakpoint, Training } from '../protocol/experiment';
import type { ResolvedExperiment } from '../protocol/model';
import type { ModelRecord } from '../store/modelRecord';
import { applyOverrides, readExperiment, type PreparedExperiment } from '../training/experiment';
import { nothingNamed } from '../training/origin';

/** The longest name that a model may have. */
const nameLimit = 100;

/**
 * The text of the experiment whose model is a copy of a model at a checkpoint: as it was there for a snapshot; trained on
 * for the steps that were left, changed as the breakpoint says, for a fork. A fork starts with the weights alone: the
 * optimizer's moments begin anew, as with every model that starts from another.
 * @throws UserError for a change of another form than path=value
 */
export function copyOf({ id, name, experiment }: Pick<ModelRecord, 'id' | 'name' | 'experiment'>, step: number, { action, set = [] }: Pick<Breakpoint, 'action' | 'set'>): string {
  const isFork = action === 'fork';
  const suffix = isFork ? ` from ${step}${set.length > 0 ? ` (${set.join(', ')})` : ''}` : ` @ ${step}`;
  const text = textOf(experiment, {
    name: `${name.slice(0, Math.max(1, nameLimit - suffix.length))}${suffix}`.slice(0, nameLimit),
    from: { model: id, checkpoint: step },
    training: isFork ? remaining(experiment.training, step) : { ...experiment.training, steps: 0 },
  });
  return applyOverrides(text, { set });
}

/** @throws UserError for changes that a copy cannot have, as far as that can be told before there is a checkpoint to copy. */
export function checkFork({ resolved, task }: Pick<PreparedExperiment, 'resolved' | 'task'>, action: Breakpoint['action'], set: readonly string[]): void {
  if (action !== 'fork') throw new UserError('"set" changes what is trained on, which a fork is alone; set "action" to "fork", or leave "set" out.');
  // A module's task is there already.
  const named = { ...nothingNamed, task: () => ({ resolved: resolved.task, task }) };
  const reading = readExperiment(applyOverrides(textOf(resolved, {}), { set }), named);
  if (!reading.ok) throw new UserError(reading.problems.map(({ message }) => message).join(' '));
}

/** The experiment without what is about its own model alone: where it starts, its claims, its breakpoints. */
function textOf({ name, seed, task, model, training }: ResolvedExperiment, changes: object): string {
  return JSON.stringify({ name, seed, task: { ...task.parameters, name: task.name, ...(task.module !== undefined && { module: task.module }) }, model, training, ...changes });
}

/** What is left of a training after a step: its schedule goes on where it was. */
function remaining(training: Training, step: number): Training {
  const { schedule, learningRate } = training;
  const left = { ...training, steps: training.steps - step };
  switch (schedule.kind) {
    case 'constant': return left;
    // Within the warm-up the learning rate rises from 0 again, over the steps that were left of it.
    case 'warm-up': return { ...left, schedule: schedule.steps > step ? { kind: 'warm-up', steps: schedule.steps - step } : { kind: 'constant' } };
    case 'steps': return {
      ...left,
      learningRate: learningRate * schedule.factor ** schedule.at.filter(at => at <= step).length,
      schedule: { ...schedule, at: schedule.at.filter(at => at > step).map(at => at - step) },
    };
  }
}
