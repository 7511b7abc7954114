import * as vscode from 'vscode';
import type { SourcePlace } from '../../protocol/experiment';

/** A place in a file, where VS Code marks the word that stands there. */
export function locationOf({ file, line, column }: SourcePlace): vscode.Location {
  return new vscode.Location(vscode.Uri.file(file), new vscode.Position(Math.max(0, line - 1), Math.max(0, column - 1)));
}

/** Opens the file with the cursor at the place. */
export async function openPlace(place: SourcePlace): Promise<void> {
  const { uri, range } = locationOf(place);
  await vscode.window.showTextDocument(uri, { selection: range });
}
