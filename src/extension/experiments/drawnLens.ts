import * as vscode from 'vscode';

/** A lens over the line of a place in a document; without a command it is plain words. */
export function drawnLens(
  document: vscode.TextDocument, { at, title, tooltip }: { readonly at: number; readonly title: string; readonly tooltip?: string }, click?: Pick<vscode.Command, 'command' | 'arguments'>,
): vscode.CodeLens {
  const place = document.positionAt(at);
  return new vscode.CodeLens(new vscode.Range(place, place), { command: '', ...click, title, ...(tooltip !== undefined && { tooltip }) });
}
