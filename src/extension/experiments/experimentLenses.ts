import type { ModelSummary } from '../../protocol/model';
import type { Command, CommandArgument } from '../contributions';
import type { ExperimentOutline } from './experimentOutline';
import { claimCounts, claimsText, resultText, stateOf, stateText, sweepText, type ExperimentState, type KnownExperiment } from './experimentState';
import { countText, formatPercent, withoutIcons } from '../format';
import { canFineTune } from '../models/modelList';

/** A lens over the line of a place in the text: words, and a command where a click does something. */
export interface ExperimentLens {
  /** Offset in UTF-16 units. */
  readonly at: number;
  readonly title: string;
  readonly tooltip?: string;
  readonly click?: Click;
}

/** A command with its argument. `file` stands for the file that the lens is in. */
export type Click = { readonly [C in Command]: { readonly command: C; readonly argument: CommandArgument<C> | 'file' } }[Command];

export interface LensContext {
  readonly outline: ExperimentOutline;
  /** Absent until the engine has said how the file stands. */
  readonly known: KnownExperiment | undefined;
  /** Whether experiments of the workspace can be trained. */
  readonly trusted: boolean;
  /** The model that it starts from, where there is one. */
  readonly base: ModelSummary | undefined;
}

/** What stands over the blocks of an experiment file: how it stands, and what can be done about it now. */
export function lensesOf(context: LensContext): readonly ExperimentLens[] {
  const { outline: { fields }, trusted } = context;
  const over = (field: string, lenses: (context: LensContext) => readonly Omit<ExperimentLens, 'at'>[]) => {
    const start = fields.get(field)?.whole.start;
    return start === undefined ? [] : lenses(context).map(lens => ({ at: start, ...lens }));
  };
  const top = fields.get('name')?.whole.start ?? 0;
  return [
    ...statusLenses(context).map(lens => ({ at: top, ...lens })),
    ...(trusted ? over('training', trainingLenses) : []),
    ...over('from', originLenses),
    ...(trusted ? over('claims', claimLenses) : []),
    ...over('sweep', sweepLenses),
  ];
}

export const stateIcons: Readonly<Record<ExperimentState, string>> = {
  wrong: 'error', untrained: 'circle-outline', stale: 'history', training: 'sync~spin', paused: 'debug-pause', trained: 'pass', stopped: 'debug-stop', failed: 'error',
};

function statusLenses({ known }: LensContext): readonly Omit<ExperimentLens, 'at'>[] {
  if (!known) return [];
  const { standing } = known;
  const state = stateOf(standing);
  const shown = standing.model ?? standing.before;
  const { fail } = claimCounts(known);
  const failing = fail > 0 ? ` · ${countText(fail, 'claim')} ${fail === 1 ? 'fails' : 'fail'}` : '';
  return [{
    title: `$(${stateIcons[state]}) ${stateText(known)}${failing}`,
    ...(shown && { tooltip: `Open the training curves of "${shown.name}"${standing.model ? '' : ', which was trained before the change'}`, click: curvesOf(shown) }),
  }];
}

/** Curves bring the model to the front of the tree as well. */
function curvesOf({ id }: Pick<ModelSummary, 'id'>): Click {
  return { command: 'circuits.openTrainingCurves', argument: { model: id } };
}

function trainingLenses({ known }: LensContext): readonly Omit<ExperimentLens, 'at'>[] {
  const now = { title: '$(play) Train', tooltip: 'Train this experiment as it is', click: { command: 'circuits.trainNow', argument: 'file' } } as const;
  const settle = { title: 'Train…', tooltip: 'Train with other settings', click: { command: 'circuits.trainFile', argument: 'file' } } as const;
  if (!known) return [now, settle];
  const { standing: { model } } = known;
  const state = stateOf(known.standing);
  const on = (title: string, command: 'circuits.resume' | 'circuits.pause' | 'circuits.stop' | 'circuits.fineTune') =>
    model ? [{ title, click: { command, argument: { model: model.id } } }] : [];
  switch (state) {
    case 'wrong': return [];
    case 'untrained':
    case 'stale': return [now, settle];
    case 'training': return [{ title: `$(sync~spin) ${stateText(known)}` }, ...on('$(debug-pause) Pause', 'circuits.pause'), ...on('$(debug-stop) Stop', 'circuits.stop')];
    case 'paused': return [{ title: stateText(known) }, ...on('$(debug-continue) Resume', 'circuits.resume'), ...on('$(debug-stop) Stop', 'circuits.stop')];
    case 'stopped':
    case 'failed': return model?.resumable === true ? [...on('$(debug-continue) Resume', 'circuits.resume'), settle] : [now, settle];
    case 'trained': return [settle, ...(model && canFineTune(model) ? on('$(repo-forked) Fine-Tune…', 'circuits.fineTune') : [])];
    default: return state satisfies never;
  }
}

function originLenses({ known, base, trusted }: LensContext): readonly Omit<ExperimentLens, 'at'>[] {
  const origin = known?.standing.origin;
  if (!origin) return [];
  const name = withoutIcons(base?.name ?? origin.name);
  if (origin.trained) {
    const result = base && resultText(base);
    return [{
      title: `$(pass) starts from ${name}${result === undefined ? '' : ` · ${result}`}`,
      tooltip: `Open the training curves of "${origin.name}"`,
      click: curvesOf(origin),
    }];
  }
  if (base?.status === 'training' || base?.status === 'paused') {
    return [{ title: `$(${stateIcons[base.status]}) starts from ${name}, ${base.status} ${formatPercent(base.progress)}`, click: curvesOf(origin) }];
  }
  const first = { title: '$(play) Train It First', tooltip: 'Train what this experiment starts from, and then this', click: { command: 'circuits.trainNow', argument: 'file' } } as const;
  return [{ title: `$(circle-outline) starts from ${name}, not trained` }, ...(trusted ? [first] : [])];
}

function claimLenses({ known, outline }: LensContext): readonly Omit<ExperimentLens, 'at'>[] {
  if (outline.claims.length === 0 || (known && stateOf(known.standing) === 'wrong')) return [];
  const measured = known && claimsText(claimCounts(known));
  const verify = { title: '$(beaker) Verify', tooltip: 'Measure every claim on the trained model', click: { command: 'circuits.verify', argument: 'file' } } as const;
  return [verify, ...(measured === undefined ? [] : [{ title: measured }])];
}

function sweepLenses({ known, trusted }: LensContext): readonly Omit<ExperimentLens, 'at'>[] {
  if (known && stateOf(known.standing) === 'wrong') return [];
  const sweep = known?.standing.sweep;
  return [
    ...(trusted ? [{ title: '$(run-all) Sweep…', tooltip: 'Train every run of the sweep', click: { command: 'circuits.sweep', argument: 'file' } } as const] : []),
    ...(sweep ? [{ title: sweepText(sweep) }] : []),
    ...(sweep?.id === undefined ? [] : [{ title: 'Open', tooltip: 'Open the table of the sweep', click: { command: 'circuits.openSweep', argument: { sweep: sweep.id } } } as const]),
  ];
}
