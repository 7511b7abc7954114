import type { ExperimentState, KnownExperiment } from './experimentState';
import { claimCounts, claimsText, resultText, stateOf, stateText, sweepText } from './experimentState';
import { stateIcons } from './experimentLenses';
import { countText, escapeMarkdown } from '../format';
import { canFineTune, isRunning } from '../models/modelList';

/** A row of the view of experiments. */
export interface ExperimentRow {
  readonly label: string;
  readonly description: string;
  /** Markdown. */
  readonly tooltip: string;
  readonly icon: { readonly id: string; readonly color?: string };
  /** Words for the `when` clauses of menus. */
  readonly context: string;
  readonly spoken: string;
  /** The model that it trains, where there is one. */
  readonly model?: string;
}

/** A file of the view: its name, its path in the workspace, and whether its text has a sweep or claims. */
export interface RowFile {
  readonly name: string;
  readonly path: string;
  readonly hasSweep: boolean;
  readonly hasClaims: boolean;
}

const colors: Partial<Readonly<Record<ExperimentState, string>>> = {
  trained: 'testing.iconPassed', failed: 'list.errorForeground', wrong: 'list.errorForeground', stale: 'list.warningForeground',
};

export function experimentRow(file: RowFile, known: KnownExperiment | undefined): ExperimentRow {
  const { name, path } = file;
  const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
  const able = [...(file.hasSweep ? ['sweep'] : []), ...(file.hasClaims ? ['claims'] : [])];
  if (!known) {
    return {
      label: name, description: folder, tooltip: escapeMarkdown(path), icon: { id: 'beaker' }, context: ['experiment', 'trainable', ...able].join(' '),
      spoken: `Experiment ${name}`,
    };
  }
  const { standing } = known;
  const { model, sweep } = standing;
  const state = stateOf(standing);
  const counts = claimCounts(known);
  const failing = counts.fail > 0;
  const words = failing ? [`${countText(counts.fail, 'claim')} ${counts.fail === 1 ? 'fails' : 'fail'}`] : [];
  const short = state === 'trained' ? model && resultText(model) : state === 'training' && model ? stateText(known).replace(/^training /, '') : stateText(known);
  const description = [short, ...words, ...(sweep ? [sweepText(sweep)] : []), folder].filter(Boolean).join(' · ');
  const problems = standing.problems.map(({ message }) => message);
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Status', stateText(known)],
    ['Claims', claimsText(counts)],
    ['Sweep', sweep && sweepText(sweep)],
    ['Problem', problems[0]],
    ['Problem', model?.problem],
    ['File', path],
  ];
  const lines = facts.flatMap(([title, value]) => (value === undefined ? [] : [`${title}: ${escapeMarkdown(value)}`]));
  return {
    label: name,
    description,
    tooltip: [`**${escapeMarkdown(name)}**`, lines.join('  \n')].join('\n\n'),
    icon: failing && state === 'trained' ? { id: 'testing-failed-icon', color: 'testing.iconFailed' } : iconOf(state),
    context: [
      'experiment', state,
      ...(state === 'untrained' || state === 'stale' || (state === 'failed' && model?.resumable !== true) || (state === 'stopped' && model?.resumable !== true) ? ['trainable'] : []),
      ...(model ? ['modelled'] : []),
      ...(model && isRunning(model) ? ['running'] : []),
      ...(model && (state === 'paused' || (model.resumable && !isRunning(model))) ? ['resumable'] : []),
      ...(model && canFineTune(model) ? ['tunable'] : []),
      ...(state === 'wrong' ? [] : able),
    ].join(' '),
    spoken: [`Experiment ${name}`, stateText(known), ...words].join(', '),
    ...(model && { model: model.id }),
  };
}

function iconOf(state: ExperimentState): ExperimentRow['icon'] {
  const color = colors[state];
  return { id: stateIcons[state], ...(color !== undefined && { color }) };
}
