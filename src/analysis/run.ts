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
  const result = await definition.run({ ...context, progress: (fraction, partial) => context.progress(fraction, partial && checked(definition, partial)) }, params);
  throwIfCancelled(context.signal);
  return checked(definition, result);
}

function doesNotApply({ id, needs }: AnalysisDefinition, model: string): string {
  const why = needs === undefined ? '' : `; it needs ${needs}`;
  return `The analysis "${id}" does not apply to ${model}${why}.`;
}

function checked(definition: AnalysisDefinition, result: AnalysisResult): AnalysisResult {
  result.figures.forEach(checkFigure);
  for (const [name, value] of Object.entries(result.scalars)) {
    if (!Object.hasOwn(definition.scalars, name)) throw new Error(`analysis "${definition.id}" gave the scalar "${name}", which it did not declare`);
    if (!Number.isFinite(value)) throw new Error(`analysis "${definition.id}" measured ${value} for "${name}"`);
  }
  return result;
}
