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
/** A drop is sudden within this share of the training. */
const suddenly = 0.1;
/** Before it, the loss falls by less than this share of it, on a logarithmic scale, in as many steps. */
const plateau = 0.5;
/** The square of what float32 is off by for a number of about ten. */
const leastLoss = 1e-12;

/**
 * Where a loss drops suddenly, as models do that learn in phases: the largest fall, on a logarithmic scale and of checkpoints
 * ascending in steps, which is
 *
 * - *deep*: to a quarter or less;
 * - *sudden*: within a tenth of the steps between the first checkpoint and the last, or from one checkpoint to the next where
 *   these are further apart;
 * - *after a plateau*: in as many steps before, as far as there are checkpoints, the loss falls by less than half as much, so
 *   that the steepest part of a steady decline is none;
 * - *lasting*: the loss never again rises above the middle of the fall (the geometric mean of its ends), as one does that
 *   swings from checkpoint to checkpoint.
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
  const highestFrom = highestOfRest(logs);

  let [deepest, drop]: [number, SuddenDrop | undefined] = [-Math.log(dropped), undefined];
  for (let from = 0; from < curve.length; from++) {
    for (let to = from + 1; to < curve.length && (to === from + 1 || at(steps, to) - at(steps, from) <= mostSteps); to++) {
      const fall = at(logs, from) - at(logs, to);
      const middle = (at(logs, from) + at(logs, to)) / 2;
      const earlier = steps.findIndex(step => step >= 2 * at(steps, from) - at(steps, to));
      const isAfterPlateau = at(logs, earlier) - at(logs, from) < plateau * fall;
      // A drop that is as deep and ends later is longer.
      if (fall < deepest || (drop && fall === deepest) || !isAfterPlateau || at(highestFrom, to) > middle) continue;
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
