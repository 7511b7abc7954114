import { CancelledError, throwIfCancelled, UserError } from '../common/errors';
import type { AnalysisResult } from '../protocol/analysis';
import { checkFigure } from '../protocol/figure';
import { resolveParameters } from '../protocol/parameter';
import { unmetNeed, type AnalysedModel, type AnalysisContext, type AnalysisDefinition } from './define';

/**
 * Runs an analysis with its parameters checked, and checks what it gives: every figure's numbers are finite and fill
 * their shapes, and every scalar is one it declared.
 */
export async function runAnalysis(definition: AnalysisDefinition, context: AnalysisContext, given: Readonly<Record<string, unknown>>): Promise<AnalysisResult> {
  checkApplies(definition, context.details, context.details.summary.name);
  const params = resolveParameters(`analysis "${definition.id}"`, definition.params, given);
  throwIfCancelled(context.signal);
  const progress: AnalysisContext['progress'] = (fraction, partial) => context.progress(fraction, partial && (() => sound(definition, context, partial())));
  try {
    const result = await definition.run({ ...context, progress }, params);
    throwIfCancelled(context.signal);
    return checked(definition, result);
  } catch (error) {
    throw accounted(definition, context, error);
  }
}

/** @throws UserError where an analysis makes no sense for a model, which people call `name`. */
export function checkApplies(analysis: AnalysisDefinition, model: AnalysedModel, name: string): void {
  const need = unmetNeed(analysis, model);
  if (need !== undefined) throw new UserError(`The analysis "${analysis.id}" does not apply to ${name}; it needs ${need}.`);
}

/** Weights that training has driven beyond this can overflow float32 (3e38) where a measure takes some eight of them at once. */
const largestSoundWeight = 1e3;

/** The result as it is. @throws what is wrong with it, {@link accounted} for. */
function sound(definition: AnalysisDefinition, context: AnalysisContext, result: AnalysisResult): AnalysisResult {
  try {
    return checked(definition, result);
  } catch (error) {
    throw accounted(definition, context, error);
  }
}

/** What went wrong; where it is no error for people, and the size of the weights accounts for it, as one that says so. */
function accounted(definition: AnalysisDefinition, { details, model }: AnalysisContext, error: unknown): unknown {
  if (error instanceof UserError || error instanceof CancelledError) return error;
  const { name, source } = details.summary;
  const largest = details.parameters.reduce((most, parameter) => model.parameter(parameter.name).data.reduce((size, weight) => Math.max(size, Math.abs(weight)), most), 0);
  if (largest <= largestSoundWeight) return error;
  const why = source ? '' : '; training has probably diverged, and an earlier checkpoint may be whole';
  return new UserError(`The weights of ${name} reach ${largest.toPrecision(2)}, too large for "${definition.id}" to compute with${why}.`);
}

function checked(definition: AnalysisDefinition, result: AnalysisResult): AnalysisResult {
  result.figures.forEach(checkFigure);
  for (const [name, value] of Object.entries(result.scalars)) {
    if (!Object.hasOwn(definition.scalars, name)) throw new Error(`analysis "${definition.id}" gave the scalar "${name}", which it did not declare`);
    if (!Number.isFinite(value)) throw new Error(`analysis "${definition.id}" measured ${value} for "${name}"`);
  }
  return result;
}
