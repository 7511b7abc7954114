import { findAnalysis } from '../analysis/registry';
import { checkApplies } from '../analysis/run';
import { UserError } from '../common/errors';
import type { Breakpoint, ExperimentProblem } from '../protocol/experiment';
import type { PreparedExperiment } from '../training/experiment';
import { checkFork } from './checkpointCopy';
import { attempt, boundProblems, measuringProblems, problemIn } from './claims';

type Subject = Pick<PreparedExperiment, 'config' | 'task' | 'resolved'>;

/** What is wrong with an experiment's breakpoints, as far as it can be known before anything is trained. */
export function breakpointProblems(experiment: Subject): readonly ExperimentProblem[] {
  const { breakpoints = [], training: { checkpointEvery } } = experiment.resolved;
  if (breakpoints.length === 0) return [];
  const never = checkpointEvery > 0 ? [] : [{ path: [], message: 'Breakpoints are looked at at checkpoints, and this experiment writes none before its end; set checkpointEvery.' }];
  const wrong = breakpoints.flatMap((breakpoint, index) => problemsOf(breakpoint, experiment).map(problem => ({ ...problem, path: [index, ...problem.path] })));
  return [...never, ...wrong].map(problem => ({ ...problem, path: ['breakpoints', ...problem.path] }));
}

/** @throws UserError one sentence, on a line of its own, for each thing that is wrong with the breakpoints. */
export function checkBreakpoints(experiment: Subject): void {
  const problems = breakpointProblems(experiment);
  if (problems.length > 0) throw new UserError(problems.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'));
}

function problemsOf(breakpoint: Breakpoint, experiment: Subject): readonly ExperimentProblem[] {
  const { when, changesBy, set, action } = breakpoint;
  const measuring = measuringProblems(breakpoint, experiment);
  return [
    ...((when === undefined) === (changesBy === undefined) ? [{ path: [], message: 'A breakpoint takes one condition: either "when", a bound to cross, or "changesBy", how far the number moves.' }] : []),
    ...(when === undefined ? [] : boundProblems('when', when)),
    ...measuring,
    ...(measuring.length > 0 ? [] : problemIn(attempt(['analysis'], () => checkMakesSense(breakpoint, experiment)))),
    ...(set === undefined ? [] : problemIn(attempt(['set'], () => checkFork(experiment, action, set)))),
  ];
}

function checkMakesSense({ analysis }: Breakpoint, { config, resolved }: Subject): void {
  checkApplies(findAnalysis(analysis), { config, experiment: resolved }, `"${resolved.name}"`);
}
