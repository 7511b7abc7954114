import { parse as parseJson } from 'jsonc-parser';
import { UserError } from '../common/errors';
import { unknownName } from '../common/nearest';
import type { Claim, Experiment, ExperimentProblem, SweepGrid } from '../protocol/experiment';
import type { ParameterValues } from '../protocol/parameter';
import { runLabel, runsLimit, type JsonValue, type SweptValues } from '../protocol/sweep';
import { findTask } from '../tasks/registry';
import type { Task } from '../tasks/task';
import { applyOverrides, assign, parseExperiment, readExperiment, type MakeTask, type NamedModels, type Overrides, type PreparedExperiment } from './experiment';
import { nothingNamed } from './origin';

/** A run of a sweep: the values that it has, and the experiment that they make. */
export interface SweepRun {
  readonly values: SweptValues;
  /** The text of the run's own experiment, which has no sweep. */
  readonly text: string;
  readonly experiment: PreparedExperiment;
  /** Where its claims stand among those of the whole experiment. */
  readonly claimsAt: readonly number[];
}

export interface Sweep {
  readonly name: string;
  /** The experiment's text, with what was changed in it. */
  readonly text: string;
  /** Paths of the fields that differ between runs, in the file's order. */
  readonly fields: readonly string[];
  readonly runs: readonly SweepRun[];
}

export type SweepReading =
  | { readonly ok: true; readonly sweep: Sweep }
  | {
      readonly ok: false;
      readonly problems: readonly ExperimentProblem[];
      /** How many runs it has, where they are more than were meant and were not looked at. */
      readonly unconfirmed?: Pick<Sweep, 'name' | 'fields'> & { readonly runs: number };
    };

/** What a sweep may vary: what decides a model's numbers. */
const sweptSections = ['task', 'model', 'training', 'seed'];
/** Runs that are wrong before the rest is not looked at any more. */
const wrongRunsLimit = 20;
/** Runs that are read while somebody types. */
const sampledRuns = 60;

/** Whether an experiment's text has a sweep, right or wrong. */
export function hasSweep(text: string): boolean {
  const parsed = parseExperiment(text);
  return parsed.ok && parsed.experiment.sweep !== undefined;
}

/**
 * Reads an experiment's text and all the runs of its sweep; one of more than `most` runs is refused before they are read.
 * `named` are the models that it names, looked up before.
 */
export function readSweep(text: string, overrides: Overrides = {}, most = runsLimit, named: NamedModels = nothingNamed): SweepReading {
  const parsed = parseSweep(applyOverrides(text, overrides), named);
  if (!parsed.ok) return parsed;
  const { name, fields, grids, count } = parsed.source;
  if (count > most) return { ok: false, problems: [], unconfirmed: { name, fields, runs: count } };
  return readRuns(parsed.source, grids.flatMap((grid, index) => [...combinations(grid)].map(values => ({ values, grid: index }))));
}

/** As {@link readSweep}, but of a large sweep it reads the first run of each grid and those that differ from it in one field. */
export function sampleSweep(text: string, named: NamedModels = nothingNamed): SweepReading {
  const parsed = parseSweep(text, named);
  if (!parsed.ok) return parsed;
  const { grids, count } = parsed.source;
  const chosen = grids.flatMap((grid, index) => [...(count <= sampledRuns ? combinations(grid) : variations(grid))].map(values => ({ values, grid: index })));
  return readRuns(parsed.source, chosen.slice(0, sampledRuns));
}

/** An experiment with a sweep, before its runs are read. */
interface Source extends Omit<Sweep, 'runs'> {
  readonly experiment: Experiment;
  /** The experiment as its text has it, without its sweep. */
  readonly base: object;
  readonly grids: readonly SweepGrid[];
  readonly named: NamedModels;
  /** How many runs it has. */
  readonly count: number;
}

type Refusal = Extract<SweepReading, { readonly ok: false }>;

function parseSweep(text: string, named: NamedModels): { readonly ok: true; readonly source: Source } | Refusal {
  const whole = readExperiment(text, named);
  if (!whole.ok) return whole;
  const parsed = parseExperiment(text);
  if (!parsed.ok) return parsed;
  const { experiment } = parsed;
  if (!experiment.sweep) return refuse(['sweep'], 'This experiment has no sweep: "sweep" names the fields to vary and their values.');
  const grids = gridsOf(experiment.sweep);
  const wrong = grids.flatMap((grid, index) => gridProblems(grid).map(({ path, message }) => ({ path: [...placeOf(experiment, index), ...path], message })));
  if (wrong.length > 0) return { ok: false, problems: wrong };
  const count = grids.reduce((sum, grid) => sum + sizeOf(grid), 0);
  if (count > runsLimit) return refuse(['sweep'], `This sweep has more than ${runsLimit.toLocaleString('en')} runs, which is the most that a sweep may have.`);
  const idle = experiment.claims.flatMap((claim, at) => whereProblems(claim, grids).map(message => ({ path: ['claims', at, 'where'], message })));
  if (idle.length > 0) return { ok: false, problems: idle };
  const { sweep: _, ...base } = parseJson(text, [], { allowTrailingComma: true }) as Record<string, unknown>;
  const fields = [...new Set(grids.flatMap(grid => Object.keys(grid)))];
  return { ok: true, source: { name: whole.experiment.resolved.name, text, experiment, base, grids, named, count, fields } };
}

function readRuns(source: Source, chosen: readonly { readonly values: SweptValues; readonly grid: number }[]): SweepReading {
  const make = rememberingTasks();
  const runs: SweepRun[] = [];
  const problems = new Map<string, ExperimentProblem>();
  let wrong = 0;
  for (const { values, grid } of chosen) {
    const reading = readRun(source, values, make);
    if (reading.ok) {
      runs.push(reading.run);
      continue;
    }
    wrong++;
    for (const { path, message } of reading.problems) {
      const field = Object.keys(values).find(swept => overlap(swept.split('.'), path));
      const where = field === undefined ? ['sweep'] : [...placeOf(source.experiment, grid), field];
      // What is wrong with a value is so in all its combinations, and said once.
      const key = JSON.stringify([where, message]);
      if (!problems.has(key)) problems.set(key, { path: where, message: `With ${runLabel(values)}: ${message}` });
    }
    if (wrong >= wrongRunsLimit) break;
  }
  if (wrong > 0) return { ok: false, problems: [...problems.values()] };
  const { name, text, fields } = source;
  return { ok: true, sweep: { name, text, fields, runs } };
}

type RunReading = { readonly ok: true; readonly run: SweepRun } | Refusal;

function readRun({ base, experiment: { claims }, name, named }: Source, values: SweptValues, make: MakeTask): RunReading {
  const claimsAt = [...claims.keys()].filter(at => claims[at] && isAbout(claims[at], values));
  const own = {
    ...structuredClone(base),
    name: shortened(`${name}: ${runLabel(values)}`),
    claims: claimsAt.map(at => ({ ...claims[at], where: undefined })),
  };
  for (const [path, value] of Object.entries(values)) {
    try {
      assign(own, path, structuredClone(value));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return refuse(path.split('.'), error.message);
    }
  }
  const reading = readExperiment(JSON.stringify(own), named, make);
  if (!reading.ok) return reading;
  // By its id, what it starts from is found wherever the run is trained.
  const { from, task } = reading.experiment.resolved;
  const start = from && { from: { model: from.id, ...(from.checkpoint !== undefined && { checkpoint: from.checkpoint }) } };
  // What its module makes is in the store, whatever becomes of the module.
  const made = task.module === undefined ? {} : { task: { ...task.parameters, name: task.name, module: task.module } };
  return { ok: true, run: { values, text: JSON.stringify({ ...own, ...start, ...made }, null, 2), experiment: reading.experiment, claimsAt } };
}

/** Tasks are made once for all the runs that share them: that of a fixed data set takes longer than all else. */
function rememberingTasks(): MakeTask {
  const made = new Map<string, Task>();
  return (name: string, parameters: ParameterValues) => {
    const key = JSON.stringify([name, parameters]);
    const task = made.get(key) ?? findTask(name).create(parameters);
    made.set(key, task);
    return task;
  };
}

function gridsOf(sweep: NonNullable<Experiment['sweep']>): readonly SweepGrid[] {
  return Array.isArray(sweep) ? sweep : [sweep];
}

/** Where a grid stands in the experiment. */
function placeOf({ sweep }: Experiment, index: number): readonly (string | number)[] {
  return Array.isArray(sweep) ? ['sweep', index] : ['sweep'];
}

function gridProblems(grid: SweepGrid): readonly ExperimentProblem[] {
  return Object.entries(grid).flatMap(([field, values]) => {
    const [section = '', ...inside] = field.split('.');
    if (!sweptSections.includes(section)) {
      const isFixed = inside.length > 0 || fixedFields.includes(section);
      const message = isFixed
        ? `"${field}" cannot be swept: a sweep varies ${sweptSections.map(name => `"${name}"`).join(', ')} and what is in them.`
        : unknownName('field called', field, sweptSections).message;
      return [{ path: [field], message }];
    }
    if (Array.isArray(values) && values.length === 0) return [{ path: [field], message: `This sweep has no runs: "${field}" is given no values.` }];
    return [];
  });
}

/** Fields of an experiment that decide no number of its model. */
const fixedFields = ['$schema', 'name', 'description', 'claims', 'sweep'];

function valuesOf(value: JsonValue): readonly JsonValue[] {
  return Array.isArray(value) ? value : [value];
}

function listsOf(grid: SweepGrid): readonly (readonly [field: string, values: readonly JsonValue[]])[] {
  return Object.entries(grid).map(([field, values]) => [field, valuesOf(values)]);
}

function sizeOf(grid: SweepGrid): number {
  return Object.values(grid).reduce<number>((product, values) => product * valuesOf(values).length, 1);
}

/** Every combination of a grid's values; the last field varies fastest. */
function* combinations(grid: SweepGrid): Generator<SweptValues> {
  const lists = listsOf(grid);
  const size = sizeOf(grid);
  for (let at = 0; at < size; at++) {
    // Combinations in a row that have the same values so far.
    let alike = size;
    yield Object.fromEntries(lists.map(([field, values]) => {
      alike /= values.length;
      return [field, values[Math.floor(at / alike) % values.length] ?? null];
    }));
  }
}

/** The first combination of a grid's values, and those that differ from it in one field: the second values first. */
function* variations(grid: SweepGrid): Generator<SweptValues> {
  const lists = listsOf(grid);
  const first = Object.fromEntries(lists.map(([field, values]) => [field, values[0] ?? null]));
  yield first;
  for (let at = 1; at < Math.max(...lists.map(([, values]) => values.length)); at++) {
    for (const [field, values] of lists) {
      const value = values[at];
      if (value !== undefined) yield { ...first, [field]: value };
    }
  }
}

function isAbout({ where = {} }: Claim, values: SweptValues): boolean {
  return Object.entries(where).every(([field, value]) => equal(values[field], value));
}

function whereProblems({ where = {} }: Claim, grids: readonly SweepGrid[]): readonly string[] {
  const fields = [...new Set(grids.flatMap(grid => Object.keys(grid)))];
  const unknown = Object.keys(where).filter(field => !fields.includes(field));
  if (unknown.length > 0) return unknown.map(field => unknownName('swept field', field, fields).message);
  const hasRuns = grids.some(grid => Object.entries(where).every(([field, value]) => field in grid && valuesOf(grid[field] ?? null).some(one => equal(one, value))));
  return hasRuns ? [] : ['No run of the sweep has these values.'];
}

function equal(one: JsonValue | undefined, other: JsonValue): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Whether one path leads to the other, or to something in it. */
function overlap(one: readonly string[], other: ExperimentProblem['path']): boolean {
  return one.slice(0, other.length).every((name, at) => name === String(other[at])) && other.length > 0;
}

function shortened(name: string): string {
  return name.length <= 100 ? name : `${name.slice(0, 99)}…`;
}

function refuse(path: ExperimentProblem['path'], message: string): Refusal {
  return { ok: false, problems: [{ path, message }] };
}
