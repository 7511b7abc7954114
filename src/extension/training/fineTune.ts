import { homedir } from 'node:os';
import * as vscode from 'vscode';
import type { ModelSummary } from '../../protocol/model';
import { experimentSuffix } from '../experiments/experimentFiles';
import { fineTuneDraft } from './fineTuneDraft';
import type { ModelList } from '../models/modelList';

/** Opens a new experiment beside that goes on from the model, ready to be changed, and to be trained or saved. */
export async function fineTune(models: Pick<ModelList, 'details'>, { id }: ModelSummary, checkpoint: number | undefined): Promise<void> {
  const { name, text, place: [start, end] } = fineTuneDraft(await models.details(id), checkpoint);
  const document = await vscode.workspace.openTextDocument(await freePlace(name));
  const viewColumn = vscode.window.activeTextEditor ? vscode.ViewColumn.Beside : vscode.ViewColumn.Active;
  const editor = await vscode.window.showTextDocument(document, { viewColumn });
  await editor.edit(edit => edit.insert(new vscode.Position(0, 0), text));
  editor.selection = new vscode.Selection(document.positionAt(start), document.positionAt(end));
  editor.revealRange(editor.selection);
}

/** An untitled document by the name of which there is none yet, and which is saved to where files are made. */
async function freePlace(name: string): Promise<vscode.Uri> {
  const folder = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file')?.uri ?? vscode.Uri.file(homedir());
  const base = name.replace(/[\p{Cc}\\/:*?"<>|]+/gu, '-');
  for (let number = 1; ; number++) {
    const file = vscode.Uri.joinPath(folder, `${base}${number === 1 ? '' : `-${number}`}${experimentSuffix}`);
    const untitled = file.with({ scheme: 'untitled' });
    const isOpen = vscode.workspace.textDocuments.some(({ uri }) => uri.toString() === untitled.toString());
    if (!isOpen && !(await exists(file))) return untitled;
  }
}

async function exists(file: vscode.Uri): Promise<boolean> {
  return vscode.workspace.fs.stat(file).then(() => true, () => false);
}
