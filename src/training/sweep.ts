import { parse as parseJson } from 'jsonc-parser';
import { UserError } from '../common/errors';
import { unknownName } from '../common/nearest';
import type { Claim, Experiment, ExperimentProblem, SweepGrid } from '../protocol/experiment';
import { runLabel, runsLimit, type JsonValue, type SweptValues } from '../protocol/sweep';
import { applyOverrides, parseExperiment, readExperiment, type Overrides, type PreparedExperiment } from './experiment';

/** A run of a sweep: the values that it has, and the experiment that they make. */
export interface SweepRun {
  readonly values: SweptValues;
  /** The text of the run's own experiment, which has no sweep. */
  readonly text: string;
  readonly experiment: PreparedExperiment;
}

export interface Sweep {
  readonly name: string;
  /** Paths of the fields that differ between runs, in the file's order. */
  readonly fields: readonly string[];
  readonly runs: readonly SweepRun[];
}

export type SweepReading =
  | { readonly ok: true; readonly sweep: Sweep }
  | { readonly ok: false; readonly problems: readonly ExperimentProblem[]; /** Its runs, where they are more than were meant. */ readonly unconfirmed?: number };

/** What a sweep may vary: what decides a model's numbers. */
const sweptSections = ['task', 'model', 'training', 'seed'];
/** Runs that are wrong before the rest is not looked at any more. */
const wrongRunsLimit = 20;

/** Reads an experiment's text and all the runs of its sweep; one of more than `most` runs is refused before they are read. */
export function readSweep(text: string, overrides: Overrides = {}, most = runsLimit): SweepReading {
  const changed = applyOverrides(text, overrides);
  const whole = readExperiment(changed);
  if (!whole.ok) return whole;
  const parsed = parseExperiment(changed);
  if (!parsed.ok) return parsed;
  const { experiment } = parsed;
  if (!experiment.sweep) return refuse(['sweep'], 'This experiment has no sweep: "sweep" names the fields to vary and their values.');
  const grids = gridsOf(experiment.sweep);
  const problems = grids.flatMap((grid, index) => gridProblems(grid).map(({ path, message }) => ({ path: [...placeOf(experiment, index), ...path], message })));
  if (problems.length > 0) return { ok: false, problems };
  const count = grids.reduce((sum, grid) => sum + sizeOf(grid), 0);
  if (count > runsLimit) return refuse(['sweep'], `This sweep has ${inWords(count)} runs; the most is ${inWords(runsLimit)}.`);
  if (count > most) return { ok: false, problems: [], unconfirmed: count };
  return readRuns(changed, experiment, whole.experiment.resolved.name, grids);
}

function readRuns(text: string, experiment: Experiment, name: string, grids: readonly SweepGrid[]): SweepReading {
  const runs: SweepRun[] = [];
  const problems = new Map<string, ExperimentProblem>();
  let wrong = 0;
  for (const [index, grid] of grids.entries()) {
    for (const values of combinations(grid)) {
      const reading = attempt(() => readRun(text, experiment, name, values));
      if (reading.ok) {
        runs.push(reading.run);
        continue;
      }
      wrong++;
      for (const { path, message } of reading.problems) {
        const field = Object.keys(grid).find(swept => overlap(swept.split('.'), path));
        const where = field === undefined ? ['sweep'] : [...placeOf(experiment, index), field];
        // What is wrong with a value is so in all its combinations, and said once.
        const key = JSON.stringify([where, message]);
        if (!problems.has(key)) problems.set(key, { path: where, message: `With ${runLabel(values)}: ${message}` });
      }
      if (wrong >= wrongRunsLimit) return { ok: false, problems: [...problems.values()] };
    }
  }
  if (wrong > 0) return { ok: false, problems: [...problems.values()] };
  const fields = [...new Set(grids.flatMap(grid => Object.keys(grid)))];
  const idle = experiment.claims.flatMap((claim, at) => whereProblems(claim, fields, runs).map(message => ({ path: ['claims', at, 'where'], message })));
  return idle.length > 0 ? { ok: false, problems: idle } : { ok: true, sweep: { name, fields, runs } };
}

type RunReading = { readonly ok: true; readonly run: SweepRun } | { readonly ok: false; readonly problems: readonly ExperimentProblem[] };

function readRun(text: string, { claims }: Experiment, name: string, values: SweptValues): RunReading {
  const base = parseJson(applyOverrides(text, { values })) as Record<string, unknown>;
  const { sweep: _, ...rest } = base;
  const own = {
    ...rest,
    name: shortened(`${name}: ${runLabel(values)}`),
    claims: claims.filter(claim => isAbout(claim, values)).map(({ where: _, ...claim }) => claim),
  };
  const ownText = JSON.stringify(own, null, 2);
  const reading = readExperiment(ownText);
  return reading.ok ? { ok: true, run: { values, text: ownText, experiment: reading.experiment } } : reading;
}

/** A field that cannot be set is a problem of the run, as one with a wrong value is. */
function attempt(work: () => RunReading): RunReading {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { ok: false, problems: [{ path: [], message: error.message }] };
  }
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
    const [section = ''] = field.split('.');
    if (!sweptSections.includes(section)) {
      const message = field.includes('.') || section in { claims: 0, name: 0, description: 0, sweep: 0 }
        ? `"${field}" cannot be swept: a sweep varies ${sweptSections.map(name => `"${name}"`).join(', ')} and what is in them.`
        : unknownName('field called', field, sweptSections).message;
      return [{ path: [field], message }];
    }
    if (Array.isArray(values) && values.length === 0) return [{ path: [field], message: `This sweep has no runs: "${field}" is given no values.` }];
    return [];
  });
}

function valuesOf(value: JsonValue): readonly JsonValue[] {
  return Array.isArray(value) ? value : [value];
}

function sizeOf(grid: SweepGrid): number {
  return Object.values(grid).reduce<number>((product, values) => product * valuesOf(values).length, 1);
}

/** Every combination of a grid's values; the last field varies fastest. */
function* combinations(grid: SweepGrid): Generator<SweptValues> {
  const [first, ...rest] = Object.entries(grid);
  if (!first) {
    yield {};
    return;
  }
  const [field, values] = first;
  for (const value of valuesOf(values)) {
    for (const others of combinations(Object.fromEntries(rest))) yield { [field]: value, ...others };
  }
}

function isAbout({ where = {} }: Claim, values: SweptValues): boolean {
  return Object.entries(where).every(([field, value]) => JSON.stringify(values[field]) === JSON.stringify(value));
}

function whereProblems(claim: Claim, fields: readonly string[], runs: readonly SweepRun[]): readonly string[] {
  const unknown = Object.keys(claim.where ?? {}).filter(field => !fields.includes(field));
  if (unknown.length > 0) return unknown.map(field => unknownName('swept field', field, fields).message);
  return runs.some(({ values }) => isAbout(claim, values)) ? [] : ['No run of the sweep has these values.'];
}

/** Whether one path leads to the other, or to something in it. */
function overlap(one: readonly string[], other: ExperimentProblem['path']): boolean {
  return one.slice(0, other.length).every((name, at) => name === String(other[at])) && other.length > 0;
}

function inWords(count: number): string {
  return count.toLocaleString('en');
}

function shortened(name: string): string {
  return name.length <= 100 ? name : `${name.slice(0, 99)}…`;
}

function refuse(path: ExperimentProblem['path'], message: string): SweepReading {
  return { ok: false, problems: [{ path, message }] };
}
