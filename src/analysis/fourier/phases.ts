import { runningMedian } from '../runningMedian';

/** What was measured at checkpoints, ascending in steps. */
export interface LossCurves {
  readonly steps: readonly number[];
  readonly train: readonly number[];
  readonly test: readonly number[];
  /** Excluded loss; absent where there are no key frequencies to exclude. */
  readonly excluded?: readonly number[];
}

/** The checkpoints at which the phases of grokking end; a phase that did not occur, or has not ended, is absent. */
export interface Phases {
  readonly memorisationEnd?: number;
  readonly circuitFormationEnd?: number;
  readonly cleanupEnd?: number;
  /** Why the first phase that is absent is absent, in a sentence. */
  readonly missing?: string;
}

/** The training pairs are learned once the loss on them is this share of a guess's. */
const learned = 0.01;
/** The test loss falls for good where it passes this share of a guess's, and has fallen at the next. */
const [falling, fallen] = [0.5, 0.1];
/** A loss is at its floor within this factor of its lowest. */
const nearFloor = 10;
/** The excluded loss has risen once it is this many times its lowest. */
const leastRise = 2;

/**
 * The three phases of grokking (Nanda et al. 2023, section 5.1), found from the losses against ln p, the loss of a guess.
 * Every curve is smoothed first by its running median over five checkpoints, so that a spike ends no phase.
 *
 * - *Memorisation*: the training loss falls while the test loss is no better than a guess. It ends at the first checkpoint
 *   where the training loss is within a factor of 10 of its floor, the lowest before the test loss passes half of ln p. It
 *   did not occur where that floor is above ln p / 100, or where the test loss is below ln p by then.
 * - *Circuit formation*: the losses stay where they are while the excluded loss rises, as the model comes to depend on its
 *   key frequencies. It ends at the last checkpoint before that fall whose test loss is at least half of the highest since
 *   memorisation, and at least ln p. It did not occur where the excluded loss is known and by then not twice its
 *   lowest so far.
 * - *Clean-up*: the test loss falls as weight decay takes what was memorised. It ends at the first checkpoint after that
 *   where the test loss is within a factor of 10 of its lowest, which must be below ln p / 10. A run that is stopped while the
 *   test loss still falls has its lowest at its end, and so ends its clean-up shortly before.
 *
 * @param uniform ln p
 */
export function phasesOf(curves: LossCurves, uniform: number): Phases {
  const { steps } = curves;
  const [train, test] = [runningMedian(curves.train), runningMedian(curves.test)];
  const at = (curve: readonly number[], index: number) => curve[index] ?? NaN;

  const fall = test.findIndex(loss => loss < falling * uniform);
  const before = fall < 0 ? steps.length : fall + 1;
  const floor = Math.min(...train.slice(0, before));
  if (!(floor < learned * uniform)) {
    return { missing: fall < 0 ? `The training pairs are not memorised: the loss on them is ${brief(floor)} at best.` : generalisedAtOnce };
  }
  const memorised = train.findIndex(loss => loss <= nearFloor * floor);
  if (at(test, memorised) < uniform) return { missing: generalisedAtOnce };
  const memorisationEnd = at(steps, memorised);

  if (fall < 0) {
    return { memorisationEnd, missing: `The test loss has not fallen yet: it is ${brief(test.at(-1) ?? NaN)} at the last checkpoint, and a guess has ${brief(uniform)}.` };
  }
  const level = Math.max(uniform, Math.max(...test.slice(memorised, before)) / 2);
  const formed = test.slice(0, before).findLastIndex(loss => loss >= level);
  const excluded = curves.excluded && runningMedian(curves.excluded);
  if (excluded && !(at(excluded, formed) >= leastRise * Math.min(...excluded.slice(0, formed + 1)))) {
    return { memorisationEnd, missing: 'The excluded loss does not rise before the test loss falls, so no circuit of the key frequencies was seen to form.' };
  }
  const circuitFormationEnd = at(steps, formed);

  const lowest = Math.min(...test);
  if (!(lowest < fallen * uniform)) {
    return { memorisationEnd, circuitFormationEnd, missing: `The clean-up has not ended: the test loss is ${brief(lowest)} at best.` };
  }
  const cleaned = test.findIndex((loss, index) => index > formed && loss <= nearFloor * lowest);
  return { memorisationEnd, circuitFormationEnd, cleanupEnd: at(steps, cleaned) };
}

const generalisedAtOnce = 'The test loss fell together with the training loss, so there was no memorisation to tell apart.';

function brief(loss: number): string {
  return loss.toPrecision(2);
}
