import type { ExperimentProblem } from '../protocol/experiment';
import { readExperiment, type NamedModels } from '../training/experiment';
import { nothingNamed } from '../training/origin';
import { hasSweep, sampleSweep, type Sweep } from '../training/sweep';
import { breakpointProblems } from './breakpointProblems';
import { claimProblems } from './claims';

/** What is wrong with an experiment's text; of a large sweep, so much as can be told while somebody types. */
export function experimentProblems(text: string, named: NamedModels = nothingNamed): readonly ExperimentProblem[] {
  if (hasSweep(text)) {
    const reading = sampleSweep(text, named);
    if (!reading.ok) return reading.problems;
    return [...sweepClaimProblems(reading.sweep, named), ...distinct(reading.sweep.runs.flatMap(({ experiment }) => breakpointProblems(experiment)))];
  }
  const reading = readExperiment(text, named);
  return reading.ok ? [...claimProblems(reading.experiment, named), ...breakpointProblems(reading.experiment)] : reading.problems;
}

/** What is wrong with the claims of a sweep's runs, each thing once, where it stands in the whole experiment. */
export function sweepClaimProblems({ runs }: Sweep, named: NamedModels): readonly ExperimentProblem[] {
  return distinct(runs.flatMap(({ experiment, claimsAt }) => claimProblems(experiment, named).map(({ path: [claims = '', at, ...inside], ...problem }) =>
    ({ ...problem, path: [claims, claimsAt[Number(at)] ?? 0, ...inside] }))));
}

function distinct(problems: readonly ExperimentProblem[]): readonly ExperimentProblem[] {
  return [...new Map(problems.map(problem => [JSON.stringify(problem), problem])).values()];
}
