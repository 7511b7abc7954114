import { parse as parseJson, printParseErrorCode, visit, type ParseError } from 'jsonc-parser';
import * as v from 'valibot';
import { FieldError, UserError } from '../common/errors';
import { unknownName } from '../common/nearest';
import { sizeOf } from '../common/tensor';
import { checkArchitecture } from '../model/architecture';
import { checkBreadthFirst } from '../model/breadthFirst';
import { matches, parameterSpecs } from '../model/parameters';
import type { Architecture, ModelConfig } from '../protocol/config';
import { experimentFileLimit, ExperimentSchema, type Claim, type Experiment, type ExperimentProblem, type Training } from '../protocol/experiment';
import { problemOf } from '../protocol/experimentProblem';
import type { ResolvedExperiment } from '../protocol/model';
import { nestingLimit, nestingOf } from '../protocol/nesting';
import { resolveParameters, type ParameterValues } from '../protocol/parameter';
import { isTaskModule } from '../protocol/taskModule';
import { findTask, taskOf } from '../tasks/registry';
import type { Task } from '../tasks/task';
import { misfitOf, nothingNamed, type Named, type NamedTask, type Origin } from './origin';
import { perturbedMatrices } from './perturb';

/** An experiment that can be trained: its defaults written out, its task made, its model's shapes known. */
export interface PreparedExperiment {
  readonly resolved: ResolvedExperiment;
  readonly config: ModelConfig;
  readonly task: Task;
  readonly claims: readonly Claim[];
  /** What it starts from, where that was looked up. */
  readonly origin?: Origin;
}

export type ExperimentReading =
  | { readonly ok: true; readonly experiment: PreparedExperiment }
  | { readonly ok: false; readonly problems: readonly ExperimentProblem[] };

/** What a run may ask of memory and disk before it is refused; a grown study stays far below. */
const memoryLimit = 16 * 2 ** 30;
const checkpointsLimit = 64 * 2 ** 30;

type Refusal = Extract<ExperimentReading, { readonly ok: false }>;

/** Makes the task of a name; whoever reads many experiments keeps what was made. */
export type MakeTask = (name: string, parameters: ParameterValues) => Task;

const makeTask: MakeTask = (name, parameters) => findTask(name).create(parameters);

/** What the names in an experiment mean: that it starts from, and those that its claims are about. */
export type NamedModels = Named<PreparedExperiment>;

/**
 * Reads the text of an experiment file. Comments and trailing commas are allowed; nothing in it runs. `named` are the models
 * that it names, looked up before.
 */
export function readExperiment(text: string, named: NamedModels = nothingNamed, make = makeTask): ExperimentReading {
  const parsed = parseExperiment(text);
  return parsed.ok ? locate(() => prepareParsed(parsed.experiment, named, make)) : parsed;
}

/** What an experiment's text says, as far as its schema can tell whether it makes sense. */
export function parseExperiment(text: string): { readonly ok: true; readonly experiment: Experiment } | Refusal {
  if (text.length > experimentFileLimit) return problem([], `The file is larger than ${experimentFileLimit / 2 ** 20} MB; an experiment is a few kilobytes.`);
  const nesting = nestingOf(text);
  if (nesting > nestingLimit) return problem([], `The file is nested ${nesting} levels deep; an experiment needs fewer than ${nestingLimit}.`);
  const errors: ParseError[] = [];
  const value: unknown = parseJson(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error) {
    const line = text.slice(0, error.offset).split('\n').length;
    return problem([], `Line ${line} is not valid JSON: ${readable(printParseErrorCode(error.error))}.`);
  }
  const prototypes = prototypeFields(text);
  if (prototypes.length > 0) return { ok: false, problems: prototypes };
  const parsed = v.safeParse(ExperimentSchema, value);
  const without = hasNoModel(value) ? [{ path: ['model'], message: '"model" is missing.' }] : [];
  if (!parsed.success) return { ok: false, problems: [...without, ...parsed.issues.map(issue => describe(issue))] };
  return without.length > 0 ? { ok: false, problems: without } : { ok: true, experiment: parsed.output };
}

/** Only what starts from another model may leave its own out. */
function hasNoModel(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !('model' in value) && !('from' in value);
}

/** Makes an experiment that was resolved before, such as a stored model's, ready again. */
export function prepare(resolved: ResolvedExperiment): PreparedExperiment {
  const task = taskOf(resolved.task);
  return { resolved, config: configOf(resolved.model, task), task, claims: resolved.claims };
}

/** What is changed in an experiment before it is read. */
export interface Overrides {
  readonly seed?: number;
  readonly steps?: number;
  /** `path=value`, as in `task.operation=add`, whose values are JSON or plain words. */
  readonly set?: readonly string[];
}

/** Writes values into an experiment's text before it is read. */
export function applyOverrides(text: string, { seed, steps, set = [] }: Overrides): string {
  if (seed === undefined && steps === undefined && set.length === 0) return text;
  // Reading it says what is wrong, here as below.
  if (nestingOf(text) > nestingLimit || prototypeFields(text).length > 0) return text;
  const errors: ParseError[] = [];
  const value: unknown = parseJson(text, errors, { allowTrailingComma: true });
  if (errors.length > 0 || typeof value !== 'object' || value === null) return text;
  if (seed !== undefined) assign(value, 'seed', seed);
  if (steps !== undefined) assign(value, 'training.steps', steps);
  for (const pair of set) {
    const equals = pair.indexOf('=');
    if (equals < 1) throw new UserError(`"${pair}" is not of the form path=value, as in task.operation=add.`);
    assign(value, pair.slice(0, equals), jsonOrText(pair.slice(equals + 1)));
  }
  return JSON.stringify(value, null, 2);
}

/** Sets a field of an experiment by its path, as in `model.d_model`. @throws UserError when there can be no such field. */
export function assign(experiment: object, path: string, assigned: unknown): void {
  const names = path.split('.');
  if (names.includes(prototypeField)) throw new UserError(`"${path}" cannot be set: there is no field "${prototypeField}".`);
  let at = experiment as Record<string, unknown>;
  names.slice(0, -1).forEach(name => {
    // A task given by its name alone gains parameters.
    if (typeof at[name] === 'string' && name === 'task') at[name] = { name: at[name] };
    if (!Object.hasOwn(at, name)) at[name] = {};
    const inner = at[name];
    if (typeof inner !== 'object' || inner === null) throw new UserError(`"${path}" cannot be set: "${name}" holds a single value.`);
    at = inner as Record<string, unknown>;
  });
  Object.defineProperty(at, names.at(-1) ?? '', { value: assigned, enumerable: true, writable: true, configurable: true });
}

function prepareParsed(experiment: Experiment, named: NamedModels, make: MakeTask): PreparedExperiment {
  const { name: given, task: reference, sweep, from, model: own, ...rest } = experiment;
  const { name: taskName, ...parameters } = typeof reference === 'string' ? { name: reference } : reference;
  const nameAt = typeof reference === 'string' ? ['task'] : ['task', 'name'];
  const { task, resolved: resolvedTask } = isTaskModule(taskName)
    ? moduleTask(() => named.task(taskName, parameters), nameAt)
    : builtInTask(taskName, parameters, nameAt, make);
  const origin = from === undefined ? undefined : at(['from'], () => named.origin(from, experiment.seed));
  const model = own ?? origin?.model;
  if (!model) throw new Error('an experiment has a model of its own, or starts from one');
  const config = configOf(model, task);
  const misfit = origin && misfitOf(config, resolvedTask, origin, own && configOf(origin.model, task));
  if (misfit) throw new LocatedError([misfit.section], new UserError(misfit.message));
  at(['model'], () => checkModel(config));
  at(['training'], () => checkTraining(experiment.training, config, task));
  const { perturb } = rest;
  if (perturb) at(['perturb', 'matrices'], () => perturbedMatrices(config, perturb, experiment.seed));
  rest.claims.forEach((claim, index) => at(['claims', index], () => checkSubject(claim, sweep !== undefined)));
  // Claims about some runs of a sweep are none about the experiment by itself.
  const claims = rest.claims.filter(({ where }) => where === undefined);
  const start = origin && { id: origin.id, name: origin.name, ...(origin.checkpoint !== undefined && { checkpoint: origin.checkpoint }) };
  const resolved: ResolvedExperiment = { ...rest, ...(start && { from: start }), model, claims, name: given ?? resolvedTask.name.replace(/\.[mc]?[jt]s$/, ''), task: resolvedTask };
  return { resolved, config, task, claims, ...(origin && { origin }) };
}

/** A module's task; what is wrong stands at its name, or at the parameter that does not fit. */
function moduleTask(make: () => NamedTask, nameAt: readonly string[]): NamedTask {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new LocatedError(error instanceof FieldError ? ['task'] : nameAt, error);
  }
}

function builtInTask(name: string, given: Readonly<Record<string, unknown>>, nameAt: readonly string[], make: MakeTask): NamedTask {
  const definition = at(nameAt, () => findTask(name));
  const parameters = at(['task'], () => resolveParameters(`task "${name}"`, definition.params, given));
  return { resolved: { name, parameters }, task: at(['task'], () => make(name, parameters)) };
}

/** What a claim is about: this experiment's model, those of some runs of its sweep, or another experiment's. */
function checkSubject({ where, of }: Claim, hasSweep: boolean): void {
  if (where !== undefined && !hasSweep) throw new FieldError('where', '"where" names runs of a sweep, and this experiment has none.');
  if (where !== undefined && of !== undefined) throw new FieldError('of', 'A claim is about runs of this sweep ("where") or about another experiment ("of"), not both.');
}

function configOf(model: Architecture, task: Task): ModelConfig {
  return {
    ...model,
    initializer_range: model.initializer_range ?? 0.8 / Math.sqrt(model.d_model),
    d_vocab: (task.parts ?? task.vocabulary).length,
    d_vocab_out: task.outputs.length,
    n_ctx: task.positions.length,
    ...(task.parts && { tokens_per_position: 2 as const }),
    ...(task.padding !== undefined && { padding_token: task.padding }),
  };
}

function checkModel(config: ModelConfig): void {
  const { n_heads, d_head, d_model, d_mlp, attn_only, identity, frozen } = config;
  if (n_heads * d_head > 16 * d_model) throw new FieldError('n_heads', `${n_heads} heads of d_head ${d_head} do not fit a d_model of ${d_model}; together they are usually as wide as it.`);
  if (d_head > d_model) throw new FieldError('d_head', `d_head ${d_head} does not fit a d_model of ${d_model}: a head reads at most the whole residual stream.`);
  if (!attn_only && d_mlp === undefined) throw new UserError('d_mlp is missing; give it, or set attn_only to true for a model without MLPs.');
  if (attn_only && d_mlp !== undefined) throw new FieldError('d_mlp', 'd_mlp has no use when attn_only is true; leave one of them out.');
  checkArchitecture(config);
  const names = parameterSpecs(config).map(spec => spec.name);
  for (const [field, patterns] of Object.entries({ identity, frozen })) {
    const idle = patterns.find(pattern => !names.some(name => matches([pattern], name)));
    if (idle !== undefined) throw new FieldError(field, `No parameter of this model matches "${idle}".`);
  }
  if (config.padding_token !== undefined) checkSight(config);
  checkBreadthFirst(config);
}

/** Where prompts are padded, whoever sees some positions only may see nothing but padding, which is no key: a softmax of nothing. */
function checkSight({ mask, attention_dir }: ModelConfig): void {
  if (mask) throw new FieldError('mask', 'Prompts of this task are padded, and a row of a mask may allow nothing but padding; leave the mask out.');
  if (attention_dir === 'causal') throw new FieldError('attention_dir', 'Prompts of this task are padded, and with causal attention a position may see nothing but padding; set attention_dir to "bidirectional".');
}

function checkTraining(training: Training, config: ModelConfig, task: Task): void {
  const { steps, checkpointEvery, batch, stopWhen, schedule } = training;
  const bytes = 4 * parameterSpecs(config).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  if (bytes * 8 > memoryLimit) throw new UserError(`A model of ${(bytes / 2 ** 30).toFixed(1)} GB does not fit in memory while it is trained.`);
  const checkpoints = checkpointEvery === 0 ? 1 : Math.floor(steps / checkpointEvery) + 1;
  if (bytes * checkpoints > checkpointsLimit) {
    const size = (bytes * checkpoints) / 2 ** 30;
    throw new FieldError('checkpointEvery', `${checkpoints.toLocaleString('en')} checkpoints of this model would take ${size.toFixed(0)} GB; write fewer with a larger checkpointEvery.`);
  }
  if (batch === 'full' && !task.split) throw new FieldError('batch', 'This task has no fixed training set, so batch must be a number of examples.');
  if (stopWhen && (stopWhen.below === undefined) === (stopWhen.above === undefined)) throw new FieldError('stopWhen', 'stopWhen takes one bound: either below or above.');
  if (schedule.kind === 'warm-up' && schedule.steps > steps && steps > 0) throw new FieldError('schedule', `The warm-up of ${schedule.steps} steps is longer than the run of ${steps}.`);
}

/** A problem found below the schema, with where it is. */
class LocatedError extends Error {
  readonly problem: ExperimentProblem;

  constructor(path: ExperimentProblem['path'], reason: UserError) {
    super(reason.message);
    this.problem = problemOf(path, reason);
  }
}

function at<T>(path: ExperimentProblem['path'], work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new LocatedError(path, error);
  }
}

function locate(work: () => PreparedExperiment): ExperimentReading {
  try {
    return { ok: true, experiment: work() };
  } catch (error) {
    if (error instanceof LocatedError) return { ok: false, problems: [error.problem] };
    throw error;
  }
}

function problem(path: ExperimentProblem['path'], message: string): Refusal {
  return { ok: false, problems: [{ path, message }] };
}

function describe(issue: v.BaseIssue<unknown>): ExperimentProblem {
  const path = (issue.path ?? []).map(item => (typeof item.key === 'number' ? item.key : String(item.key)));
  const where = path.length > 0 ? `"${path.join('.')}"` : 'The experiment';
  if (issue.kind === 'schema' && issue.type === 'strict_object' && issue.expected === 'never') {
    const parent = path.slice(0, -1);
    const kind = parent.length > 0 ? `field of "${parent.join('.')}" called` : 'field';
    const field = String(path.at(-1));
    const { message, nearest } = unknownName(kind, field, fieldsAt(ExperimentSchema, parent));
    return problemOf(parent, new FieldError(field, message, nearest));
  }
  if (issue.received === 'undefined') return { path, message: `${where} is missing.` };
  return { path, message: `${where}: ${issue.message.replace(/\.$/, '')}.` };
}

/** Fields of that name: a parser makes them an object's prototype, where no schema sees them as the unknown fields they are. */
const prototypeField = '__proto__';

function prototypeFields(text: string): readonly ExperimentProblem[] {
  const problems: ExperimentProblem[] = [];
  visit(text, {
    onObjectProperty: (name, _offset, _length, _line, _character, parentPath) => {
      if (name === prototypeField) problems.push({ path: [...parentPath(), name], message: `There is no field "${prototypeField}".` });
    },
  }, { allowTrailingComma: true });
  return problems;
}

/** The fields that the schema knows at a path. */
function fieldsAt(schema: unknown, path: ExperimentProblem['path']): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  if ('wrapped' in schema) return fieldsAt(schema.wrapped, path);
  if ('options' in schema && Array.isArray(schema.options)) return [...new Set(schema.options.flatMap(option => fieldsAt(option, path)))];
  const [first, ...rest] = path;
  if ('item' in schema) return first === undefined ? [] : fieldsAt(schema.item, rest);
  if (!('entries' in schema)) return [];
  const entries = schema.entries as Record<string, unknown>;
  return first === undefined ? Object.keys(entries) : fieldsAt(entries[first], rest);
}

/** `InvalidSymbol` → `invalid symbol`. */
function readable(code: string): string {
  return code.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
}

/** A value as a command line gives it: JSON, or a plain word. */
export function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
