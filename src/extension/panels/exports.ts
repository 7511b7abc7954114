import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import { messageOf, UserError } from '../../common/errors';
import { exportFormats, type ExportFormat } from '../../protocol/panel';
import { tableFormats, type SavedFormat, type SweepExport } from '../../protocol/sweepPanel';
import { exportFileName } from './panelMessages';
import { showInStatusBar } from '../notifications';

const formatNames: Readonly<Record<SavedFormat, string>> = {
  png: 'PNG image', svg: 'SVG image', csv: 'Comma-separated values', json: 'JSON', md: 'Markdown',
};

/** The folder of the last export, where the next one is offered. */
let lastFolder: vscode.Uri | undefined;

/** Asks where to, and writes the file there. */
export async function saveExport(what: string, format: SavedFormat, content: string | Uint8Array, title = 'Save Figure'): Promise<void> {
  const name = exportFileName(what, format);
  const folder = lastFolder ?? vscode.workspace.workspaceFolders?.[0]?.uri;
  const file = await vscode.window.showSaveDialog({
    title,
    saveLabel: 'Save',
    filters: { [formatNames[format]]: [format] },
    ...(folder ? { defaultUri: vscode.Uri.joinPath(folder, name) } : {}),
  });
  if (!file) return;
  lastFolder = vscode.Uri.joinPath(file, '..');
  await writeWhole(file, typeof content === 'string' ? new TextEncoder().encode(content) : content);
  showInStatusBar('check', `Saved ${name}`, 5000);
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
  const formats = exportFormats.map(format => ({ label: format.toUpperCase(), description: formatNames[format], format }));
  const chosen = await vscode.window.showQuickPick(formats, { title: 'Export Figure', placeHolder: 'Format' });
  return chosen && { figure, format: chosen.format };
}

/** Lets the user pick what to export of a sweep. */
export async function pickSweepExport(): Promise<SweepExport | undefined> {
  const item = <E extends SweepExport>(chosen: E) => ({ label: `${chosen.what === 'table' ? 'Runs' : 'Figure'} as ${chosen.format === 'md' ? 'Markdown' : chosen.format.toUpperCase()}`, description: formatNames[chosen.format], chosen });
  const items = [...tableFormats.map(format => item({ what: 'table', format })), ...exportFormats.map(format => item({ what: 'figure', format }))];
  return (await vscode.window.showQuickPick<(typeof items)[number]>(items, { title: 'Export Sweep', placeHolder: 'What to export' }))?.chosen;
}
