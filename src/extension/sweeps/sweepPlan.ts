import { parse } from 'jsonc-parser';
import type { SweepRequest } from '../../protocol/engine';
import { nestingLimit, nestingOf } from '../../protocol/nesting';
import type { ExecutorName, SlurmOptions, SweepPlan } from '../../protocol/sweep';
import type { ChosenExperiment } from '../experiments/experimentPicker';
import { countText, formatCount } from '../format';

/** Sweeps of more runs are asked about before they start. */
export const askedRuns = 100;

/** A sweep as the user puts it together before it starts. */
export interface PlannedSweep extends Pick<ChosenExperiment, 'experiment'> {
  readonly parallel: number;
  readonly executor: ExecutorName;
  readonly slurm: SlurmOptions;
  /** Of every run, in place of what the experiment says. */
  readonly steps?: number;
}

export interface SweepItem {
  readonly label: string;
  readonly description: string;
  /** A codicon. */
  readonly icon: string;
  readonly choice: 'start' | 'parallel' | 'steps' | 'executor' | 'slurm';
}

/** Whether an experiment's text has a sweep. What is wrong with it the engine says. */
export function hasSweep(text: string): boolean {
  if (nestingOf(text) > nestingLimit) return false;
  const experiment: unknown = parse(text, [], { allowTrailingComma: true });
  return typeof experiment === 'object' && experiment !== null && 'sweep' in experiment;
}

/** The rows of the settings pick, the start first. */
export function sweepItems({ runs, finished }: SweepPlan, { parallel, executor, slurm, steps }: PlannedSweep): readonly SweepItem[] {
  const left = runs - finished;
  const begin = finished === 0 ? countText(runs, 'run') : left === 0 ? `all of ${countText(runs, 'run')} are trained; opens the table` : `${countText(left, 'run')}; ${formatCount(finished)} of ${formatCount(runs)} are trained`;
  const options = Object.values(slurm).join(' · ');
  return [
    { label: 'Start Sweep', description: begin, icon: 'run-all', choice: 'start' },
    { label: 'Parallel runs', description: parallel === 0 ? 'automatic' : formatCount(parallel), icon: 'edit', choice: 'parallel' },
    { label: 'Steps', description: steps === undefined ? 'as in the experiment' : `${formatCount(steps)} (changed)`, icon: 'edit', choice: 'steps' },
    { label: 'Executor', description: executorTitles[executor], icon: 'edit', choice: 'executor' },
    ...(executor === 'slurm'
      ? [{ label: 'Slurm options', description: options || "the cluster's own", icon: 'gear', choice: 'slurm' } as const]
      : []),
  ];
}

export const executorTitles: Readonly<Record<ExecutorName, string>> = { local: 'this machine', slurm: 'Slurm cluster' };

/** Why a text is no number for the setting, or nothing. */
export function problemOfSweepNumber(setting: 'parallel' | 'steps', text: string): string | undefined {
  const [least, most] = setting === 'parallel' ? [0, 10_000] : [1, 1e9];
  const value = Number(text);
  const fits = text.trim() !== '' && Number.isInteger(value) && value >= least && value <= most;
  return fits ? undefined : `A whole number from ${formatCount(least)} to ${formatCount(most)}${setting === 'parallel' ? '; 0 for automatic' : ''}.`;
}

/** The options of the cluster that are set. */
export function slurmOptions(all: { readonly [K in keyof SlurmOptions]-?: string }): SlurmOptions {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
}

/** What the engine is asked for. `confirmed`: the number of runs was seen and meant. */
export function sweepRequest({ experiment, parallel, executor, slurm, steps }: PlannedSweep, confirmed: boolean): SweepRequest {
  return {
    experiment,
    ...(steps === undefined ? {} : { steps }),
    options: { executor, parallel, ...(executor === 'slurm' ? { slurm } : {}) },
    ...(confirmed ? { confirmed } : {}),
  };
}
