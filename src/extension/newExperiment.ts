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
  const chosen = await vscode.window.showSaveDialog({
    title: 'New Experiment',
    saveLabel: 'Create',
    // VS Code compares the last part alone, and would add the suffix a second time.
    filters: { 'Circuit experiment': ['json'] },
    ...(folder ? { defaultUri: vscode.Uri.joinPath(folder, `my-${name}${experimentSuffix}`) } : {}),
  });
  if (!chosen) return;
  const file = chosen.with({ path: `${chosen.path.replace(/(\.circuit)?\.json$/, '')}${experimentSuffix}` });
  await writeWhole(file, await vscode.workspace.fs.readFile(bundledExperiment(extensionUri, name)));
  await vscode.window.showTextDocument(file);
}
