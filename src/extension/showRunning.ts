import * as vscode from 'vscode';
import { runCommand } from './contributions';
import type { ModelList } from './models/modelList';
import { withoutIcons } from './format';
import { modelItems } from './models/modelChoices';
import type { ModelsView } from './models/modelsView';
import { sweepItem } from './sweeps/sweepCommands';
import type { SweepList } from './sweeps/sweepList';
import type { SweepPanels } from './sweeps/sweepPanels';
import { showInformation } from './notifications';

interface Running {
  readonly models: ModelList;
  readonly view: ModelsView;
  readonly sweeps: SweepList;
  readonly sweepPanels: SweepPanels;
}

/** What is running: choosing a sweep opens its panel; choosing a training shows it in the tree and opens its curves. */
export async function showRunning({ models, view, sweeps, sweepPanels }: Running): Promise<void> {
  const trainings = modelItems('stop', await models.load());
  const items = [
    ...sweeps.running.map(sweepItem).map(item => ({ ...item, label: `$(run-all) ${withoutIcons(item.label)}`, run: () => sweepPanels.show(item.sweep.id) })),
    ...trainings.map(item => ({
      ...item,
      run: async () => {
        view.show({ kind: 'model', model: item.model }, true);
        await runCommand(vscode.commands, 'circuits.openTrainingCurves', { model: item.model });
      },
    })),
  ];
  if (items.length === 0) {
    void showInformation('No training is running.');
    return;
  }
  await (await vscode.window.showQuickPick(items, { title: 'Running Trainings', placeHolder: 'Show' }))?.run();
}
