import type { ExperimentProblem, SourcePlace } from '../../protocol/experiment';

/** A problem at its place in a module, and the experiments that it is a problem of. */
export interface ModuleProblem<Experiment> {
  readonly place: SourcePlace;
  readonly message: string;
  readonly experiments: readonly Experiment[];
}

/** Of all experiments' problems those that come from other files, each once: file → what is wrong in it. */
export function moduleProblems<Experiment>(
  found: Iterable<readonly [Experiment, readonly ExperimentProblem[]]>,
): ReadonlyMap<string, readonly ModuleProblem<Experiment>[]> {
  const files = new Map<string, Map<string, ModuleProblem<Experiment>>>();
  for (const [experiment, problems] of found) {
    for (const { source: place, message } of problems) {
      if (!place) continue;
      const file = files.get(place.file) ?? new Map<string, ModuleProblem<Experiment>>();
      const key = `${place.line}:${place.column} ${message}`;
      const { experiments } = file.get(key) ?? { experiments: [] };
      file.set(key, { place, message, experiments: [...experiments.filter(other => other !== experiment), experiment] });
      files.set(place.file, file);
    }
  }
  return new Map([...files].map(([file, problems]) => [file, [...problems.values()]]));
}
