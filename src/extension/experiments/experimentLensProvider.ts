import * as vscode from 'vscode';
import { Lifetime, type Disposable } from '../../common/lifetime';
import { drawnLens } from './drawnLens';
import { experimentDocuments } from './experimentFiles';
import { lensesOf } from './experimentLenses';
import { outlineOf } from './experimentOutline';
import type { ExperimentStandings } from './experimentStandings';
import { LensChanges } from './lensChanges';
import type { ModelList } from '../models/modelList';

/** Shows over the blocks of experiment files how they stand and what can be done. */
export class ExperimentLensProvider implements vscode.CodeLensProvider, Disposable {
  private readonly lifetime = new Lifetime();
  private readonly changes = this.lifetime.add(new LensChanges());
  readonly onDidChangeCodeLenses = this.changes.event;

  constructor(private readonly standings: ExperimentStandings, private readonly models: ModelList) {
    this.lifetime.add(standings.onChange(() => this.changes.tell()));
    this.lifetime.add(vscode.workspace.onDidGrantWorkspaceTrust(() => this.changes.tell()));
    this.lifetime.add(vscode.languages.registerCodeLensProvider(experimentDocuments, this));
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    this.changes.asked();
    const known = this.standings.of(document.uri.toString());
    const origin = known?.standing.origin;
    const lenses = lensesOf({
      outline: outlineOf(document.getText()), known, trusted: vscode.workspace.isTrusted, base: origin && this.models.find(origin.id),
    });
    return lenses.map(({ click, ...lens }) =>
      drawnLens(document, lens, click && { command: click.command, arguments: [click.argument === 'file' ? document.uri : click.argument] }));
  }

  dispose(): void {
    this.lifetime.dispose();
  }
}
