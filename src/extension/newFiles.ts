import * as vscode from 'vscode';
import { writeWhole } from './panels/exports';

export interface NewFile {
  readonly file: vscode.Uri;
  readonly text: string;
}

export async function exists(file: vscode.Uri): Promise<boolean> {
  return vscode.workspace.fs.stat(file).then(() => true, () => false);
}

/** Writes those that are not there; what is there stays as it is. */
export async function writeMissing(files: readonly NewFile[]): Promise<void> {
  for (const { file, text } of files) {
    if (!await exists(file)) await writeWhole(file, new TextEncoder().encode(text));
  }
}

/** The text of a file that comes with the extension. */
export async function shippedText(extensionUri: vscode.Uri, ...path: readonly string[]): Promise<string> {
  return new TextDecoder().decode(await vscode.workspace.fs.readFile(vscode.Uri.joinPath(extensionUri, 'media', ...path)));
}
