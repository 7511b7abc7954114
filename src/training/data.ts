import { UserError } from '../common/errors';
import { Random } from '../common/random';
import { int32 } from '../common/tensor';
import type { Examples, Task } from '../tasks/task';

/** Where a run has its batches from: drawn in place, or by somebody else meanwhile. */
export interface Batches {
  /** Examples a batch. */
  readonly size: number;
  /** The batch of a step, counted from 1. */
  batch(step: number): Examples | Promise<Examples>;
}

export interface TrainingData extends Batches {
  batch(step: number): Examples;
}

/** All of the training set, or examples drawn from it (or from the task) by the step's own random stream. */
export function trainingData(task: Pick<Task, 'sample' | 'split'>, batch: number | 'full', seed: number): TrainingData {
  const train = task.split?.(seed).train;
  if (batch === 'full') {
    if (!train) throw new UserError('This task has no fixed training set, so batch must be a number of examples.');
    return { size: train.tokens.shape[0] ?? 0, batch: () => train };
  }
  const random = (step: number) => new Random(seed, `batch ${step}`);
  return { size: batch, batch: step => (train ? draw(train, random(step), batch) : task.sample(random(step), batch)) };
}

/** Examples drawn with replacement. */
function draw({ tokens, labels }: Examples, random: Random, count: number): Examples {
  const [size = 0, T = 0] = tokens.shape;
  const A = labels.shape[1] ?? 0;
  const drawn = { tokens: int32([count, T]), labels: int32([count, A]) };
  for (let row = 0; row < count; row++) {
    const from = random.integer(size);
    drawn.tokens.data.set(tokens.data.subarray(from * T, (from + 1) * T), row * T);
    drawn.labels.data.set(labels.data.subarray(from * A, (from + 1) * A), row * A);
  }
  return drawn;
}
