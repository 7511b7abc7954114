import type { ExperimentProblem } from '../protocol/experiment';
import { readExperiment } from '../training/experiment';
import { hasSweep, sampleSweep, type Sweep } from '../training/sweep';
import { claimProblems } from './claims';

/** What is wrong with an experiment's text; of a large sweep, so much as can be told while somebody types. */
export function experimentProblems(text: string): readonly ExperimentProblem[] {
  if (hasSweep(text)) {
    const reading = sampleSweep(text);
    return reading.ok ? sweepClaimProblems(reading.sweep) : reading.problems;
  }
  const reading = readExperiment(text);
  return reading.ok ? claimProblems(reading.experiment) : reading.problems;
}

/** What is wrong with the claims of a sweep's runs, each thing once, where it stands in the whole experiment. */
export function sweepClaimProblems({ runs }: Sweep): readonly ExperimentProblem[] {
  const problems = runs.flatMap(({ experiment, claimsAt }) => claimProblems(experiment).map(({ path: [claims = '', at, ...inside], message }) =>
    ({ path: [claims, claimsAt[Number(at)] ?? 0, ...inside], message })));
  return [...new Map(problems.map(problem => [JSON.stringify(problem), problem])).values()];
}
