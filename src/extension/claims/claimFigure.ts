import * as v from 'valibot';
import { UserError } from '../../common/errors';
import { experimentStanding, type ExperimentText } from '../../protocol/engine';
import { claimItems } from './claimItems';
import type { ClaimOutcomes } from './claimOutcomes';
import type { FigureTarget } from '../contributions';
import type { Engine } from '../engine';
import { outlineOf } from '../experiments/experimentOutline';

const FigureOfClaim = v.object({
  analysis: v.pipe(v.string(), v.minLength(1)),
  params: v.fallback(v.record(v.string(), v.union([v.string(), v.number(), v.boolean()])), {}),
  of: v.optional(v.string()),
});

/** The model that a claim is about is not trained yet. */
export class UntrainedClaimError extends UserError {}

/**
 * What measures a claim, on the model that it is about: that of the experiment; where the claim is about another experiment,
 * or about the runs of a sweep, the one that it was last measured on.
 * @throws UserError where there is no such claim; UntrainedClaimError where there is no such model
 */
export async function figureOfClaim(
  { engine, outcomes, exists }: {
    readonly engine: Pick<Engine, 'request'>;
    readonly outcomes: Pick<ClaimOutcomes, 'of'>;
    /** Whether there is still a model of this id. */
    exists(model: string): Promise<boolean>;
  },
  { file, claim, experiment }: { readonly file: string; readonly claim: string; readonly experiment: ExperimentText },
): Promise<FigureTarget> {
  const { text } = experiment;
  const item = claimItems(text).find(({ id }) => id === claim);
  if (!item) throw new UserError('The claim is not there any more.');
  const read = v.safeParse(FigureOfClaim, item.value);
  if (!read.success) throw new UserError(`The claim "${item.label}" names no analysis yet.`);
  const { analysis, params, of } = read.output;
  const isSweep = outlineOf(text).fields.has('sweep');
  const measured = outcomes.of(file, text).find(({ index }) => index === item.index)?.outcome?.model;
  const target = (model: string) => ({ model, analysis, params });
  if (of !== undefined || isSweep) {
    if (measured !== undefined && await exists(measured)) return target(measured);
    throw new UntrainedClaimError(`Run the claim "${item.label}" first: it is about ${of === undefined ? 'the runs of a sweep' : `the model of "${of}"`}.`);
  }
  const { model, trains, problems } = await engine.request(experimentStanding, experiment);
  if (model) return target(model.id);
  const [problem] = problems;
  if (!trains && problem) throw new UserError(`The experiment cannot be trained as it is: ${problem.message}`);
  throw new UntrainedClaimError(`"${trains?.name ?? item.label}" is not trained yet, so that there is no figure of the claim.`);
}
