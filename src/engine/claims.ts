import type { AnalysisDefinition } from '../analysis/define';
import { promptTokens } from '../analysis/examples';
import { componentsOf, headOf } from '../analysis/heads';
import { findAnalysis } from '../analysis/registry';
import { checkFactor } from '../analysis/weights/weights';
import { throwIfCancelled, UserError } from '../common/errors';
import { unknownName } from '../common/nearest';
import type { AnalysisResult } from '../protocol/analysis';
import { holds, parseBound, type ClaimOutcome } from '../protocol/claim';
import type { Claim, ExperimentProblem, Measurement } from '../protocol/experiment';
import { problemOf } from '../protocol/experimentProblem';
import { parseGraph } from '../protocol/graphText';
import { resolveParameters, type Parameter, type ParameterValues } from '../protocol/parameter';
import { parsePath } from '../protocol/path';
import type { Task } from '../tasks/task';
import { positionOf } from '../tasks/words';
import type { NamedModels, PreparedExperiment } from '../training/experiment';
import { nothingNamed } from '../training/origin';
import type { Analyses } from './analyses';

type Subject = Pick<PreparedExperiment, 'config' | 'task'>;

/**
 * What is wrong with an experiment's claims, as far as it can be known before anything is trained: analyses, parameters,
 * scalars, heads, positions and words that do not exist, and other experiments. `named` are those, looked up before.
 */
export function claimProblems(
  experiment: Pick<PreparedExperiment, 'claims' | 'config' | 'task' | 'resolved'>, named: NamedModels = nothingNamed,
): readonly ExperimentProblem[] {
  return experiment.claims.flatMap((claim, index) => {
    const subject = subjectOf(claim, experiment, named);
    const problems = subject.ok ? problemsWith(claim, subject.value) : [subject.problem];
    return problems.map(problem => ({ ...problem, path: ['claims', index, ...problem.path] }));
  });
}

function subjectOf({ of }: Claim, experiment: Pick<PreparedExperiment, 'config' | 'task' | 'resolved'>, named: NamedModels): Attempt<Subject> {
  return of === undefined ? { ok: true, value: experiment } : attempt(['of'], () => named.other(of, experiment.resolved.seed).experiment);
}

function problemsWith(claim: Claim, subject: Subject): readonly ExperimentProblem[] {
  const others = (claim.or ?? []).flatMap((other, at) => problemsOf(other, subject).map(problem => ({ ...problem, path: ['or', at, ...problem.path] })));
  return [...problemsOf(claim, subject), ...others];
}

function problemsOf(claim: Measurement, subject: Subject): readonly ExperimentProblem[] {
  return [...boundProblems('expect', claim.expect), ...measuringProblems(claim, subject)];
}

/** What is wrong with a bound, the field of this name. */
export function boundProblems(field: string, bound: string): readonly ExperimentProblem[] {
  return problemIn(attempt([field], () => parseBound(bound)));
}

/** What is measured, whatever is expected of it. */
type Measured = Pick<Measurement, 'analysis' | 'params' | 'scalar'>;

/** What is wrong with what is to be measured, as far as it can be known before anything is trained. */
export function measuringProblems(claim: Measured, experiment: Subject): readonly ExperimentProblem[] {
  const analysis = attempt(['analysis'], () => findAnalysis(claim.analysis));
  if (!analysis.ok) return [analysis.problem];
  const scalar = attempt(['scalar'], () => checkScalar(analysis.value, claim.scalar));
  const params = attempt(['params'], () => parametersOf(analysis.value, claim));
  const names = params.ok
    ? Object.entries(params.value).map(([name, value]) => attemptName(['params', name], analysis.value.params[name], value, experiment))
    : [params];
  return [scalar, ...names].flatMap(problemIn);
}

type Attempt<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: ExperimentProblem };

export function attempt<T>(path: readonly string[], work: () => T): Attempt<T> {
  try {
    return { ok: true, value: work() };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { ok: false, problem: problemOf(path, error) };
  }
}

function attemptName(path: readonly string[], parameter: Parameter | undefined, value: ParameterValues[string], subject: Subject): Attempt<void> {
  const checked = attempt(path, () => checkName(parameter, value, subject));
  if (checked.ok || (parameter && wholeNames.includes(parameter.kind))) return checked;
  // What is wrong is one of several names in the value, which no other name can replace.
  const { nearest: _, ...problem } = checked.problem;
  return { ok: false, problem };
}

/** The kinds of parameters whose value is a single name. */
const wholeNames: readonly Parameter['kind'][] = ['head', 'position', 'corruption'];

export function problemIn(attempted: Attempt<unknown>): readonly ExperimentProblem[] {
  return attempted.ok ? [] : [attempted.problem];
}

function checkScalar({ id, scalars }: AnalysisDefinition, scalar: string): void {
  if (!Object.hasOwn(scalars, scalar)) throw unknownName(`scalar of analysis "${id}" called`, scalar, Object.keys(scalars));
}

export function parametersOf({ id, params }: AnalysisDefinition, claim: Measured): ParameterValues {
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
    case 'graph': checkGraph(task, value); return;
    case 'corruption':
      if (!Object.hasOwn(task.corruptions, value.trim())) throw unknownName('corruption', value.trim(), Object.keys(task.corruptions));
      return;
    default:
  }
}

/** Vertex 2 is a target that every task can pose. */
function checkGraph({ graphs }: Task, text: string): void {
  const edges = parseGraph(text);
  if (!graphs) throw new UserError('The prompts of this task are no graphs, so that none can be given.');
  graphs.write({ vertices: graphs.vertices, edges, target: 2 });
}

export interface Verifying {
  readonly signal: AbortSignal;
  /** The other experiments that claims are about → their models, or what keeps one from being there. */
  readonly others?: ReadonlyMap<string, string | UserError>;
  /** The step of the checkpoint of the model that it is measured at; absent: its end. Other models are measured at theirs. */
  readonly checkpoint?: number;
  /** Told of an analysis before it runs. */
  readonly onRun?: (analysis: AnalysisDefinition) => void;
  /** Told of each outcome, with its claim's place in the list. */
  readonly onOutcome?: (outcome: ClaimOutcome, at: number) => void;
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
  { signal, others = new Map(), checkpoint, onRun, onOutcome }: Verifying,
): Promise<readonly ClaimOutcome[]> {
  const measurements = new Map<string, AnalysisResult | UserError>();

  async function measure(claim: Measurement, subject: string | UserError): Promise<AnalysisResult | UserError> {
    if (subject instanceof UserError) return subject;
    const analysis = findAnalysis(claim.analysis);
    const params = parametersOf(analysis, claim);
    const isAtCheckpoint = checkpoint !== undefined && subject === model;
    if (isAtCheckpoint && analysis.atCheckpoint === false) return new UserError(`The analysis "${analysis.id}" is about the whole training, and not about one checkpoint.`);
    // With every default written out, in the order of their definition.
    const key = JSON.stringify([subject, analysis.id, params]);
    const before = measurements.get(key);
    if (before) return before;
    onRun?.(analysis);
    const measured = await analyses.run({ model: subject, analysis: analysis.id, params, ...(isAtCheckpoint && { checkpoint }) }, { signal, progress: () => undefined }).catch(asUserError);
    measurements.set(key, measured);
    return measured;
  }

  async function settle(claim: Claim, subject: string | UserError): Promise<ClaimOutcome> {
    const own = outcomeOf(claim, claim, await measure(claim, subject));
    if (own.ok) return own;
    for (const other of claim.or ?? []) {
      const outcome = outcomeOf(claim, other, await measure(other, subject));
      if (outcome.ok) return outcome;
    }
    return own;
  }

  const outcomes: ClaimOutcome[] = [];
  for (const [at, claim] of claims.entries()) {
    throwIfCancelled(signal);
    const subject = claim.of === undefined ? model : others.get(claim.of);
    if (subject === undefined) throw new Error(`there is no model of ${claim.of}`);
    const outcome = { ...await settle(claim, subject), ...(typeof subject === 'string' && claim.of !== undefined && { model: subject }) };
    outcomes.push(outcome);
    onOutcome?.(outcome, at);
  }
  return outcomes;
}

/** A claim that could not be measured. */
export function unmeasured(claim: Claim, { expect }: Measurement, problem: string): ClaimOutcome {
  return { ...whatIsClaimed(claim), measured: null, expect, ok: false, problem };
}

function whatIsClaimed({ claim, of }: Claim): Pick<ClaimOutcome, 'claim' | 'of'> {
  return { claim, ...(of !== undefined && { of }) };
}

function outcomeOf(claim: Claim, measurement: Measurement, result: AnalysisResult | UserError): ClaimOutcome {
  if (result instanceof UserError) return unmeasured(claim, measurement, result.message);
  const { analysis, scalar, expect, found } = measurement;
  const measured = result.scalars[scalar];
  if (measured === undefined) return unmeasured(claim, measurement, `The analysis "${analysis}" has no "${scalar}" of this model with these parameters.`);
  const ok = holds(parseBound(expect), measured);
  const finding = (ok ? found : undefined) ?? result.finding;
  return { ...whatIsClaimed(claim), measured, expect, ok, ...(finding !== undefined && { finding }) };
}

function asUserError(error: unknown): UserError {
  if (error instanceof UserError) return error;
  throw error;
}
