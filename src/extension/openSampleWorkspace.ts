import * as vscode from 'vscode';
import { shippedText, writeMissing, type NewFile } from './newFiles';

/** Writes the sample workspace into a folder that the user chooses, where it is not there yet, and opens it. */
export async function openSampleWorkspace({ extensionUri, globalStorageUri }: vscode.ExtensionContext): Promise<void> {
  const folder = await chooseFolder(vscode.Uri.joinPath(globalStorageUri, sampleName));
  if (!folder) return;
  await vscode.workspace.fs.createDirectory(folder);
  await writeMissing([
    ...await shipped(extensionUri, ['sample'], folder),
    ...await shipped(extensionUri, ['task-module'], folder),
    { file: vscode.Uri.joinPath(folder, 'task-module.d.ts'), text: await shippedText(extensionUri, 'task-module.d.ts') },
  ]);
  const hasFolder = (vscode.workspace.workspaceFolders?.length ?? 0) > 0;
  await vscode.commands.executeCommand('vscode.openFolder', folder, { forceNewWindow: hasFolder });
}

const sampleName = 'circuits-sample';

/**
 * Shows the README of the sample workspace, where what to try stands, in a window of it that has nothing open. The setting
 * `workbench.startupEditor` of a folder would do the same, but only in windows that read their settings early enough.
 */
export async function showSampleReadme(): Promise<void> {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  const hasTabs = vscode.window.tabGroups.all.some(({ tabs }) => tabs.length > 0);
  if (!folder?.uri.path.endsWith(`/${sampleName}`) || hasTabs) return;
  await vscode.commands.executeCommand('markdown.showPreview', vscode.Uri.joinPath(folder.uri, 'README.md'));
}

async function chooseFolder(usual: vscode.Uri): Promise<vscode.Uri | undefined> {
  const [kept, other] = [{ label: 'Keep It with the Extension', detail: usual.fsPath }, { label: 'Choose a Folder…', detail: `A folder ${sampleName} is made in it` }];
  const choice = await vscode.window.showQuickPick([kept, other], { title: 'Open Sample Workspace', placeHolder: 'Where its files are kept' });
  if (choice !== other) return choice && usual;
  const [chosen] = await vscode.window.showOpenDialog({ title: 'Open Sample Workspace', openLabel: 'Choose', canSelectFiles: false, canSelectFolders: true }) ?? [];
  return chosen && vscode.Uri.joinPath(chosen, sampleName);
}

/** The files of a folder that comes with the extension, as they are to be in another one. */
async function shipped(extensionUri: vscode.Uri, path: readonly string[], folder: vscode.Uri): Promise<readonly NewFile[]> {
  const entries = await vscode.workspace.fs.readDirectory(vscode.Uri.joinPath(extensionUri, 'media', ...path));
  return Promise.all(entries.map(async ([name]) => ({ file: vscode.Uri.joinPath(folder, name), text: await shippedText(extensionUri, ...path, name) })));
}
