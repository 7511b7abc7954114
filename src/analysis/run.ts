import { throwIfCancelled, UserError } from '../common/errors';
import type { AnalysisResult } from '../protocol/analysis';
import { checkFigure } from '../protocol/figure';
import { resolveParameters } from '../protocol/parameter';
import type { AnalysisContext, AnalysisDefinition } from './define';

/**
 * Runs an analysis with its parameters checked, and checks what it gives: every figure's numbers are finite and fill
 * their shapes, and every scalar is one it declared.
 */
export async function runAnalysis(definition: AnalysisDefinition, context: AnalysisContext, given: Readonly<Record<string, unknown>>): Promise<AnalysisResult> {
  if (!definition.appliesTo(context.details)) throw new UserError(doesNotApply(definition, context.details.summary.name));
  const params = resolveParameters(`analysis "${definition.id}"`, definition.params, given);
  throwIfCancelled(context.signal);
  const progress: AnalysisContext['progress'] = (fraction, partial) => context.progress(fraction, partial && (() => sound(definition, context, partial())));
  const result = await definition.run({ ...context, progress }, params);
  throwIfCancelled(context.signal);
  return sound(definition, context, result);
}

function doesNotApply({ id, needs }: AnalysisDefinition, model: string): string {
  const why = needs === undefined ? '' : `; it needs ${needs}`;
  return `The analysis "${id}" does not apply to ${model}${why}.`;
}

/** Weights that training has driven beyond this can overflow float32 (3e38) where a measure takes some eight of them at once. */
const largestSoundWeight = 1e3;

/** The result as it is. @throws whatever is wrong with it; where the size of the weights accounts for that, as a UserError. */
function sound(definition: AnalysisDefinition, { details, model }: AnalysisContext, result: AnalysisResult): AnalysisResult {
  try {
    return checked(definition, result);
  } catch (error) {
    const largest = details.parameters.reduce((most, { name }) => model.parameter(name).data.reduce((size, weight) => Math.max(size, Math.abs(weight)), most), 0);
    if (largest <= largestSoundWeight) throw error;
    throw new UserError(`The weights of ${details.summary.name} reach ${largest.toPrecision(2)}, too large for "${definition.id}" to compute with; training has probably diverged, and an earlier checkpoint may be whole.`);
  }
}

function checked(definition: AnalysisDefinition, result: AnalysisResult): AnalysisResult {
  result.figures.forEach(checkFigure);
  for (const [name, value] of Object.entries(result.scalars)) {
    if (!Object.hasOwn(definition.scalars, name)) throw new Error(`analysis "${definition.id}" gave the scalar "${name}", which it did not declare`);
    if (!Number.isFinite(value)) throw new Error(`analysis "${definition.id}" measured ${value} for "${name}"`);
  }
  return result;
}
