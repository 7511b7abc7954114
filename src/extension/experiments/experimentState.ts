import type { ExperimentStanding } from '../../protocol/engine';
import type { ModelSummary } from '../../protocol/model';
import type { MeasuredClaim } from '../claims/claimOutcomes';
import { countText, formatCount, formatFraction, formatLoss, formatMetrics, formatPercent } from '../format';

/** What is known of an experiment file. */
export interface KnownExperiment {
  readonly standing: ExperimentStanding;
  readonly claims: readonly MeasuredClaim[];
  /** The text that the standing is about, which may have been typed on since. */
  readonly about: string;
}

/** `stale`: it was trained, and has been changed since. `wrong`: it cannot be trained as it is. */
export type ExperimentState = 'wrong' | 'untrained' | 'stale' | 'training' | 'paused' | 'trained' | 'stopped' | 'failed';

export function stateOf({ trains, model, before }: ExperimentStanding): ExperimentState {
  if (!trains) return 'wrong';
  if (!model) return before ? 'stale' : 'untrained';
  switch (model.status) {
    case 'training':
    case 'paused':
    case 'failed':
      return model.status;
    case 'finished':
      return 'trained';
    case 'stopped':
    case 'interrupted':
      return 'stopped';
    default:
      return model.status satisfies never;
  }
}

/** Where an experiment stands, in a few words: `training 40 % · loss 0.12`. */
export function stateText({ standing }: Pick<KnownExperiment, 'standing'>): string {
  const { model } = standing;
  switch (stateOf(standing)) {
    case 'wrong': return countText(standing.problems.length, 'problem');
    case 'untrained': return 'not trained';
    case 'stale': return 'changed since it was trained';
    case 'failed': return 'failed';
    case 'trained': return joined(['trained', model && formatMetrics(model.metrics)]);
    case 'stopped': return joined([model && `${model.status} at ${formatPercent(model.progress)}`]);
    case 'training':
    case 'paused': return joined([model && `${model.status} ${formatPercent(model.progress)}`, model && lossText(model)]);
  }
}

/** What was measured last of a trained model, in a word or two: its accuracy, or its loss where it has none. */
export function resultText({ metrics: { testAccuracy, testLoss, trainLoss } }: ModelSummary): string | undefined {
  if (testAccuracy !== undefined) return `accuracy ${formatFraction(testAccuracy)}`;
  const loss = testLoss ?? trainLoss;
  return loss === undefined ? undefined : `loss ${formatLoss(loss)}`;
}

function lossText({ metrics: { trainLoss, testLoss } }: ModelSummary): string | undefined {
  const loss = trainLoss ?? testLoss;
  return loss === undefined ? undefined : `loss ${formatLoss(loss)}`;
}

/** How many of the claims hold and how many fail, of those that were measured on the model that the experiment trains now. */
export function claimCounts({ claims }: Pick<KnownExperiment, 'standing' | 'claims'>): { readonly all: number; readonly hold: number; readonly fail: number } {
  const measured = claims.flatMap(({ outcome, isStale }) => (outcome && !isStale ? outcome.ok : []));
  const hold = measured.filter(ok => ok).length;
  return { all: claims.length, hold, fail: measured.length - hold };
}

/** `11 of 12 hold`; nothing where none was measured. */
export function claimsText({ all, hold, fail }: ReturnType<typeof claimCounts>): string | undefined {
  return hold + fail === 0 ? undefined : `${formatCount(hold)} of ${formatCount(all)} hold`;
}

/** `3 of 24 trained`, or `24 runs` where nobody has counted. */
export function sweepText({ runs, finished }: NonNullable<ExperimentStanding['sweep']>): string {
  return finished === undefined ? countText(runs, 'run') : `${formatCount(finished)} of ${formatCount(runs)} trained`;
}

function joined(parts: readonly (string | undefined)[]): string {
  return parts.filter(part => part !== undefined).join(' · ');
}
