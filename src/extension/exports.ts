import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import { messageOf, UserError } from '../common/errors';
import type { ExportFormat } from '../protocol/panel';
import { exportFileName } from './panelMessages';

const formatNames: Readonly<Record<ExportFormat, string>> = {
  png: 'PNG image', svg: 'SVG image', csv: 'Comma-separated values', json: 'JSON',
};

/** The folder of the last export, where the next one is offered. */
let lastFolder: vscode.Uri | undefined;

/** Asks where to, and writes the file there. */
export async function saveExport(figure: string, format: ExportFormat, content: string | Uint8Array): Promise<void> {
  const name = exportFileName(figure, format);
  const folder = lastFolder ?? vscode.workspace.workspaceFolders?.[0]?.uri;
  const file = await vscode.window.showSaveDialog({
    title: 'Save Figure',
    saveLabel: 'Save',
    filters: { [formatNames[format]]: [format] },
    ...(folder ? { defaultUri: vscode.Uri.joinPath(folder, name) } : {}),
  });
  if (!file) return;
  lastFolder = vscode.Uri.joinPath(file, '..');
  await writeWhole(file, typeof content === 'string' ? new TextEncoder().encode(content) : content);
  vscode.window.setStatusBarMessage(`$(check) Saved ${name}`, 5000);
}

/** Writes beside the file first, so that a full disk leaves what was there. */
export async function writeWhole(file: vscode.Uri, bytes: Uint8Array): Promise<void> {
  const unfinished = file.with({ path: `${file.path}.${randomUUID()}.tmp` });
  try {
    await vscode.workspace.fs.writeFile(unfinished, bytes);
    await vscode.workspace.fs.rename(unfinished, file, { overwrite: true });
  } catch (error) {
    await vscode.workspace.fs.delete(unfinished).then(undefined, () => undefined);
    throw new UserError(`"${file.fsPath}" could not be written: ${messageOf(error)}`);
  }
}

/** Lets the user pick a format, and a figure where there are several. */
export async function pickExport(
  figures: readonly { readonly title: string }[],
): Promise<{ readonly figure: number; readonly format: ExportFormat } | undefined> {
  const figure = figures.length > 1
    ? (await vscode.window.showQuickPick(figures.map(({ title }, index) => ({ label: title, index })), { title: 'Export Figure' }))?.index
    : 0;
  if (figure === undefined) return undefined;
  const formats = (Object.keys(formatNames) as ExportFormat[]).map(format => ({ label: format.toUpperCase(), description: formatNames[format], format }));
  const chosen = await vscode.window.showQuickPick(formats, { title: 'Export Figure', placeHolder: 'Format' });
  return chosen && { figure, format: chosen.format };
}
