import * as vscode from 'vscode';
import { UserError } from '../../common/errors';
import { experimentSuffix } from '../experiments/experimentFiles';
import { exists, shippedText, writeMissing } from '../newFiles';
import { problemOfTaskModuleName, renamedParity, taskModuleName } from './taskModuleDraft';

/** Makes a task module that runs, with its typings and an experiment that trains it beside it, and opens both. */
export async function newTask(extensionUri: vscode.Uri): Promise<void> {
  if (!vscode.workspace.isTrusted) throw new UserError('Trust the workspace to make a task module: an experiment runs its code.');
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  if (!folder) throw new UserError('Open a folder first: a task module lies in the workspace that its experiments are in.');
  const chosen = await vscode.window.showSaveDialog({
    title: 'New Task Module',
    saveLabel: 'Create',
    filters: { TypeScript: ['ts'] },
    defaultUri: vscode.Uri.joinPath(folder, 'parity.ts'),
  });
  if (!chosen) return;
  const name = taskModuleName(chosen.path.slice(chosen.path.lastIndexOf('/') + 1));
  const problem = problemOfTaskModuleName(name);
  if (problem !== undefined) throw new UserError(problem);
  const beside = (file: string) => vscode.Uri.joinPath(chosen, '..', file);
  const [module, experiment] = [beside(`${name}.ts`), beside(`${name}${experimentSuffix}`)];
  if (!vscode.workspace.getWorkspaceFolder(module)) throw new UserError('Choose a place in the workspace: a task module outside of it is not run.');
  for (const file of [module, experiment]) {
    if (await exists(file)) throw new UserError(`"${vscode.workspace.asRelativePath(file)}" is there already; choose another name for the task module.`);
  }
  const example = async (file: string) => renamedParity(await shippedText(extensionUri, 'task-module', file), name);
  await writeMissing([
    { file: beside('task-module.d.ts'), text: await shippedText(extensionUri, 'task-module.d.ts') },
    { file: module, text: await example('parity.ts') },
    { file: experiment, text: await example(`parity${experimentSuffix}`) },
  ]);
  await vscode.window.showTextDocument(module, { preview: false });
  await vscode.window.showTextDocument(experiment, { preview: false, viewColumn: vscode.ViewColumn.Beside });
}
