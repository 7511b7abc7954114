import * as vscode from 'vscode';
import { Lifetime, type Disposable } from '../../common/lifetime';
import { claimItems } from './claimItems';
import { claimLensesOf } from './claimLenses';
import type { ClaimOutcomes } from './claimOutcomes';
import { drawnLens } from '../experiments/drawnLens';
import { experimentDocuments } from '../experiments/experimentFiles';
import { stateOf } from '../experiments/experimentState';
import type { ExperimentStandings } from '../experiments/experimentStandings';
import { LensChanges } from '../experiments/lensChanges';

/** Shows over each claim of an experiment file how it stands, and what can be done with it. */
export class ClaimLensProvider implements vscode.CodeLensProvider, Disposable {
  private readonly lifetime = new Lifetime();
  /** What each file trained when its lenses were made. */
  private readonly shown = new Map<string, string | undefined>();
  private readonly changes = this.lifetime.add(new LensChanges());
  readonly onDidChangeCodeLenses = this.changes.event;

  constructor(private readonly standings: ExperimentStandings, private readonly outcomes: ClaimOutcomes) {
    // Standings change with every step of a training, and what is said here does not.
    this.lifetime.add(standings.onChange(file => {
      if (this.shown.has(file) && this.shown.get(file) !== this.key(file)) this.changes.tell();
    }));
    this.lifetime.add(outcomes.onChange(() => this.changes.tell()));
    this.lifetime.add(vscode.workspace.onDidGrantWorkspaceTrust(() => this.changes.tell()));
    this.lifetime.add(vscode.languages.registerCodeLensProvider(experimentDocuments, this));
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    this.changes.asked();
    const [file, text] = [document.uri.toString(), document.getText()];
    const known = this.standings.of(file);
    this.shown.set(file, this.key(file));
    const measured = this.outcomes.of(file, text, known?.standing.trains?.id);
    const canRun = vscode.workspace.isTrusted && !(known && stateOf(known.standing) === 'wrong');
    return claimLensesOf(file, claimItems(text), measured, canRun).map(({ click, ...lens }) =>
      drawnLens(document, lens, click && { command: click.command, arguments: [click.target] }));
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  /** Empty where nothing can be trained as it is. */
  private key(file: string): string | undefined {
    const known = this.standings.of(file);
    return known && (known.standing.trains?.id ?? '');
  }
}
