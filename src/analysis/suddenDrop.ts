import { runningMedian } from './runningMedian';

export interface LossAt {
  readonly step: number;
  /** Mean squared error. */
  readonly loss: number;
}

export interface SuddenDrop {
  /** The first checkpoint at which at least half of the drop is done, on a logarithmic scale. */
  readonly step: number;
  /** The losses where it begins and ends. */
  readonly before: number;
  readonly after: number;
}

/** A loss that drops falls to this share: the error itself to half. */
const dropped = 1 / 4;
/** And from above to below the square of half a unit, from where on numbers round to the right one. */
export const learnedLoss = 0.5 ** 2;
/** A drop is sudden within this share of the training. */
const suddenly = 0.1;
/** Before it, the loss falls less than this share as steeply, on a logarithmic scale. */
const plateau = 0.5;
/** The square of what float32 is off by for a number of about ten. */
const leastLoss = 1e-12;

/**
 * Where a loss drops suddenly, as models do that learn in phases: the largest fall, on a logarithmic scale and of checkpoints
 * ascending in steps, which is
 *
 * - *deep*: to a quarter or less, and from above to below 0.25, where answers begin to round to the right number. What is
 *   learned already also falls, as when the learning rate is lowered;
 * - *sudden*: within a tenth of the steps between the first checkpoint and the last, or from one checkpoint to the next where
 *   these are further apart;
 * - *after a plateau*: in as many steps before, as far as there are checkpoints, the loss falls less than half as steeply, so
 *   that a part of a steady decline is none; of a fall from the first checkpoint on, the same is asked of as many steps after it;
 * - *lasting*: there is a later checkpoint, and the loss never again rises above the middle of the fall (the geometric mean
 *   of its ends), as one does that swings from checkpoint to checkpoint.
 *
 * Losses above `guess` count as no more than it, that of the one best answer to everything: what a model gains by no longer
 * answering at random, it learns of all groups at once. The curve is smoothed first by its running median over five
 * checkpoints, so that neither a spike nor a lucky checkpoint counts.
 */
export function suddenDrop(curve: readonly LossAt[], guess: number): SuddenDrop | undefined {
  const steps = curve.map(({ step }) => step);
  const losses = runningMedian(curve.map(({ loss }) => Math.max(leastLoss, Math.min(loss, guess))));
  const logs = losses.map(loss => Math.log(loss));
  const at = (values: readonly number[], index: number) => values[index] ?? Number.NaN;
  const mostSteps = suddenly * (at(steps, steps.length - 1) - at(steps, 0));
  /** As many steps before or behind a stretch as it has, and a checkpoint at least. */
  const stretchBefore = (from: number, to: number) => Math.min(from - 1, steps.findIndex(step => step >= 2 * at(steps, from) - at(steps, to)));
  const stretchAfter = (from: number, to: number) => Math.max(to + 1, steps.findLastIndex(step => step <= 2 * at(steps, to) - at(steps, from)));
  const highestFrom = highestOfRest(logs);

  let [deepest, drop]: [number, SuddenDrop | undefined] = [-Math.log(dropped), undefined];
  for (let from = 0; from < curve.length; from++) {
    for (let to = from + 1; to < curve.length - 1 && (to === from + 1 || at(steps, to) - at(steps, from) <= mostSteps); to++) {
      const fall = at(logs, from) - at(logs, to);
      const middle = (at(logs, from) + at(logs, to)) / 2;
      const steepness = (one: number, other: number) => (at(logs, one) - at(logs, other)) / (at(steps, other) - at(steps, one));
      const beside = from > 0 ? steepness(stretchBefore(from, to), from) : steepness(to, stretchAfter(from, to));
      const isLearned = at(losses, from) >= learnedLoss && at(losses, to) < learnedLoss;
      // A drop that is as deep and ends later is longer.
      if (!isLearned || fall < deepest || (drop && fall === deepest) || !(beside < plateau * steepness(from, to)) || at(highestFrom, to) > middle) continue;
      const half = logs.findIndex((log, index) => index > from && log <= middle);
      [deepest, drop] = [fall, { step: at(steps, half), before: at(losses, from), after: at(losses, to) }];
    }
  }
  return drop;
}

/** For each value the highest of it and all that follow. */
function highestOfRest(values: readonly number[]): readonly number[] {
  let highest = -Infinity;
  return [...values].reverse().map(value => (highest = Math.max(highest, value))).reverse();
}
