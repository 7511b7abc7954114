import * as vscode from 'vscode';
import { UserError } from '../../common/errors';
import { askBreakpoint } from './askBreakpoint';
import { writtenBreakpoint } from './breakpointDraft';
import type { Engine } from '../engine';
import { experimentName } from '../experiments/experimentFiles';
import { pickAnalysis } from '../pickAnalysis';
import { withBreakpoint } from './writtenBreakpoints';

/** Asks for a breakpoint and writes it into an experiment file, by default that of the active editor, where it is then shown. */
export async function addBreakpointToFile(engine: Pick<Engine, 'start'>, given: vscode.Uri | undefined): Promise<void> {
  const file = given ?? vscode.window.activeTextEditor?.document.uri;
  if (!file) throw new UserError('Open an experiment file first.');
  const document = await vscode.workspace.openTextDocument(file);
  const title = `Add Breakpoint: ${experimentName(file)}`;
  const measuring = engine.start().then(({ analyses }) => analyses.filter(({ scalars }) => Object.keys(scalars).length > 0));
  const analysis = await pickAnalysis(title, measuring);
  const breakpoint = analysis && (await askBreakpoint({ title: `${title} · ${analysis.title}`, analysis, params: {} }));
  if (!breakpoint) return;
  const editor = await vscode.window.showTextDocument(document);
  const { tabSize, insertSpaces } = editor.options;
  const text = document.getText();
  const changed = withBreakpoint(text, writtenBreakpoint(breakpoint), {
    tabSize: typeof tabSize === 'number' ? tabSize : 2,
    insertSpaces: insertSpaces !== false,
    eol: document.eol === vscode.EndOfLine.CRLF ? '\r\n' : '\n',
  });
  await editor.edit(edit => edit.replace(new vscode.Range(document.positionAt(0), document.positionAt(text.length)), changed.text));
  editor.selection = new vscode.Selection(document.positionAt(changed.span.start), document.positionAt(changed.span.end));
  editor.revealRange(editor.selection, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}
