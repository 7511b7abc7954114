import * as vscode from 'vscode';
import { runCommand } from './contributions';
import { isRunning, type ModelList } from './modelList';
import { modelItems } from './modelChoices';
import type { ModelsView } from './modelsView';

/** The running trainings; choosing one shows it in the tree and opens its curves. */
export async function showRunning(models: ModelList, view: ModelsView): Promise<void> {
  const items = modelItems('stop', (await models.load()).filter(isRunning));
  if (items.length === 0) {
    void vscode.window.showInformationMessage('No training is running.');
    return;
  }
  const chosen = await vscode.window.showQuickPick(items, { title: 'Running Trainings', placeHolder: 'Show' });
  if (!chosen) return;
  view.show({ kind: 'model', model: chosen.model }, true);
  await runCommand(vscode.commands, 'circuits.openTrainingCurves', { model: chosen.model });
}
