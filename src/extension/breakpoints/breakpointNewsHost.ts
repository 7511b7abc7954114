import * as vscode from 'vscode';
import { runCommand } from '../contributions';
import type { BreakpointNewsHost } from './breakpointNews';
import type { Engine } from '../engine';
import type { ModelList } from '../models/modelList';
import type { ModelsView } from '../models/modelsView';
import type { Problems } from '../problems';
import type { SweepList } from '../sweeps/sweepList';
import { showInStatusBar, showInformation, showWarning } from '../notifications';

interface Around {
  readonly engine: Engine;
  readonly models: ModelList;
  readonly sweeps: SweepList;
  readonly view: ModelsView;
  readonly problems: Problems;
}

/** The news of breakpoints, as VS Code tells them. */
export function breakpointNewsHost({ engine, models, sweeps, view, problems }: Around): BreakpointNewsHost {
  const { commands } = vscode;
  return {
    engine,
    isOfSweep: model => sweeps.trains(model),
    ask: async (message, ...buttons) => showInformation(message, ...buttons),
    warn: message => void showWarning(message),
    mention: message => showInStatusBar('debug-breakpoint', message),
    guard: work => problems.guard(work),
    openFigure: ({ model, step, breakpoint: { analysis, params } }) => runCommand(commands, 'circuits.openFigure', { model, analysis, params, checkpoint: step }),
    step: model => runCommand(commands, 'circuits.stepToCheckpoint', { model }),
    resume: model => runCommand(commands, 'circuits.resume', { model }),
    show: async model => {
      // Word of a copy may not have come yet.
      if (!models.find(model)) await models.refresh();
      view.show({ kind: 'model', model }, true);
    },
  };
}
