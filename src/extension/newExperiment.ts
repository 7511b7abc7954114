import * as vscode from 'vscode';
import type { Engine } from './engine';
import { bundledExperiment, experimentSuffix } from './experimentFiles';
import { writeWhole } from './exports';

/** Makes an experiment file of a bundled one, and opens it. */
export async function newExperiment(engine: Engine, extensionUri: vscode.Uri): Promise<void> {
  const names = engine.start().then(({ experiments }) => [...experiments]);
  const name = await vscode.window.showQuickPick(names, { title: 'New Experiment', placeHolder: 'Experiment to start from' });
  if (name === undefined) return;
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const file = await vscode.window.showSaveDialog({
    title: 'New Experiment',
    saveLabel: 'Create',
    filters: { 'Circuit experiment': [experimentSuffix.slice(1)] },
    ...(folder ? { defaultUri: vscode.Uri.joinPath(folder, `my-${name}${experimentSuffix}`) } : {}),
  });
  if (!file) return;
  await writeWhole(file, await vscode.workspace.fs.readFile(bundledExperiment(extensionUri, name)));
  await vscode.window.showTextDocument(file);
}
