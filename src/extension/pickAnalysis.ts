import * as vscode from 'vscode';
import { byAnalysisGroup, type AnalysisInfo } from '../protocol/analysis';

/** Lets the user choose one of the analyses, under their headings. */
export async function pickAnalysis(title: string, analyses: Promise<readonly AnalysisInfo[]>): Promise<AnalysisInfo | undefined> {
  const items = analyses.then(all => byAnalysisGroup(all, ({ group }) => group).flatMap(({ group, members }) => [
    { label: group, kind: vscode.QuickPickItemKind.Separator, analysis: undefined },
    ...members.map(analysis => ({ label: analysis.title, detail: analysis.description, analysis })),
  ]));
  return (await vscode.window.showQuickPick(items, { title, placeHolder: 'Analysis', matchOnDetail: true }))?.analysis;
}
