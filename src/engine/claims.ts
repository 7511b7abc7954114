import type { AnalysisDefinition } from '../analysis/define';
import { promptTokens } from '../analysis/examples';
import { componentsOf, headOf } from '../analysis/heads';
import { findAnalysis } from '../analysis/registry';
import { checkFactor } from '../analysis/weights/weights';
import { FieldError, throwIfCancelled, UserError } from '../common/errors';
import { unknownName } from '../common/nearest';
import type { AnalysisResult } from '../protocol/analysis';
import { holds, parseBound, type ClaimOutcome } from '../protocol/claim';
import type { Claim, ExperimentProblem, Measurement } from '../protocol/experiment';
import { parseGraph } from '../protocol/graphText';
import { resolveParameters, type Parameter, type ParameterValues } from '../protocol/parameter';
import { parsePath } from '../protocol/path';
import { positionOf } from '../tasks/words';
import type { PreparedExperiment } from '../training/experiment';
import type { Analyses } from './analyses';

type Subject = Pick<PreparedExperiment, 'claims' | 'config' | 'task'>;

/**
 * What is wrong with an experiment's claims, as far as it can be known before anything is trained: analyses, parameters,
 * scalars, heads, positions and words that do not exist.
 */
export function claimProblems(experiment: Subject): readonly ExperimentProblem[] {
  return experiment.claims.flatMap((claim, index) => [
    ...problemsOf(claim, experiment).map(({ path, message }) => ({ path: ['claims', index, ...path], message })),
    ...(claim.or ?? []).flatMap((other, at) =>
      problemsOf(other, experiment).map(({ path, message }) => ({ path: ['claims', index, 'or', at, ...path], message }))),
  ]);
}

function problemsOf(claim: Measurement, experiment: Subject): readonly ExperimentProblem[] {
  const bound = attempt(['expect'], () => parseBound(claim.expect));
  const analysis = attempt(['analysis'], () => findAnalysis(claim.analysis));
  if (!analysis.ok) return [...problemIn(bound), analysis.problem];
  const scalar = attempt(['scalar'], () => checkScalar(analysis.value, claim.scalar));
  const params = attempt(['params'], () => parametersOf(analysis.value, claim));
  const names = params.ok
    ? Object.entries(params.value).map(([name, value]) => attempt(['params', name], () => checkName(analysis.value.params[name], value, experiment)))
    : [params];
  return [bound, scalar, ...names].flatMap(problemIn);
}

type Attempt<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: ExperimentProblem };

function attempt<T>(path: readonly string[], work: () => T): Attempt<T> {
  try {
    return { ok: true, value: work() };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { ok: false, problem: { path: error instanceof FieldError ? [...path, error.field] : path, message: error.message } };
  }
}

function problemIn(attempted: Attempt<unknown>): readonly ExperimentProblem[] {
  return attempted.ok ? [] : [attempted.problem];
}

function checkScalar({ id, scalars }: AnalysisDefinition, scalar: string): void {
  if (!Object.hasOwn(scalars, scalar)) throw unknownName(`scalar of analysis "${id}" called`, scalar, Object.keys(scalars));
}

function parametersOf({ id, params }: AnalysisDefinition, claim: Measurement): ParameterValues {
  return resolveParameters(`analysis "${id}"`, params, claim.params);
}

/** Names of parts of the model and of words of its task; empty stands for what the analysis takes by itself. */
function checkName(parameter: Parameter | undefined, value: ParameterValues[string], { config, task }: Subject): void {
  if (typeof value !== 'string' || value.trim() === '') return;
  switch (parameter?.kind) {
    case 'head': headOf(config, value); return;
    case 'components': componentsOf(config, value); return;
    case 'position': positionOf(task, value); return;
    case 'prompt': promptTokens(task, value); return;
    case 'path': parsePath(value).forEach(factor => checkFactor(config, factor)); return;
    case 'graph': parseGraph(value); return;
    case 'corruption':
      if (!Object.hasOwn(task.corruptions, value.trim())) throw unknownName('corruption', value.trim(), Object.keys(task.corruptions));
      return;
    default:
  }
}

export interface Verifying {
  readonly signal: AbortSignal;
  /** Told of an analysis before it runs. */
  readonly onRun?: (analysis: AnalysisDefinition) => void;
}

/**
 * Measures claims on a trained model, in their order. Claims about the same analysis with the same parameters share one
 * run of it. What keeps a claim from being measured is its problem, and no other's. Of a claim with alternatives the first
 * that holds is the outcome, under what it found; where none holds, it is the claim's own measurement.
 * @throws CancelledError; and whatever is a defect of an analysis.
 */
export async function verifyClaims(
  analyses: Pick<Analyses, 'run'>,
  model: string,
  claims: readonly Claim[],
  { signal, onRun }: Verifying,
): Promise<readonly ClaimOutcome[]> {
  const measurements = new Map<string, AnalysisResult | UserError>();

  async function measure(claim: Measurement): Promise<AnalysisResult | UserError> {
    const analysis = findAnalysis(claim.analysis);
    const params = parametersOf(analysis, claim);
    // With every default written out, in the order of their definition.
    const key = JSON.stringify([analysis.id, params]);
    const before = measurements.get(key);
    if (before) return before;
    onRun?.(analysis);
    const measured = await analyses.run({ model, analysis: analysis.id, params }, { signal, progress: () => undefined }).catch(asUserError);
    measurements.set(key, measured);
    return measured;
  }

  async function settle(claim: Claim): Promise<ClaimOutcome> {
    const own = outcomeOf(claim.claim, claim, await measure(claim));
    if (own.ok) return own;
    for (const other of claim.or ?? []) {
      const outcome = outcomeOf(claim.claim, other, await measure(other));
      if (outcome.ok) return outcome;
    }
    return own;
  }

  const outcomes: ClaimOutcome[] = [];
  for (const claim of claims) {
    throwIfCancelled(signal);
    outcomes.push(await settle(claim));
  }
  return outcomes;
}

/** A claim that could not be measured. */
export function unmeasured(claim: string, { expect }: Measurement, problem: string): ClaimOutcome {
  return { claim, measured: null, expect, ok: false, problem };
}

function outcomeOf(claim: string, measurement: Measurement, result: AnalysisResult | UserError): ClaimOutcome {
  if (result instanceof UserError) return unmeasured(claim, measurement, result.message);
  const { analysis, scalar, expect, found } = measurement;
  const measured = result.scalars[scalar];
  if (measured === undefined) return unmeasured(claim, measurement, `The analysis "${analysis}" has no "${scalar}" of this model with these parameters.`);
  const ok = holds(parseBound(expect), measured);
  const finding = (ok ? found : undefined) ?? result.finding;
  return { claim, measured, expect, ok, ...(finding !== undefined && { finding }) };
}

function asUserError(error: unknown): UserError {
  if (error instanceof UserError) return error;
  throw error;
}
