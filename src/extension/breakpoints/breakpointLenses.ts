import * as vscode from 'vscode';
import { Lifetime, type Disposable } from '../../common/lifetime';
import type { BreakpointHits } from './breakpointHits';
import { commandLink } from '../contributions';
import { experimentDocuments } from '../experiments/experimentFiles';
import type { ExperimentStandings } from '../experiments/experimentStandings';
import { LensChanges } from '../experiments/lensChanges';
import { isRunning, type ModelList } from '../models/modelList';
import { breakpointLenses, type BreakpointFacts, type PlacedLens } from './writtenBreakpoints';

/** Says over the breakpoints of experiment files whether they were reached, and lets one be added. */
export class BreakpointLenses implements vscode.CodeLensProvider, Disposable {
  private readonly lifetime = new Lifetime();
  private readonly changes = this.lifetime.add(new LensChanges());
  /** Which model each file trained, and whether it ran, when its lenses were made. */
  private readonly shown = new Map<string, string>();
  readonly onDidChangeCodeLenses = this.changes.event;

  constructor(private readonly standings: ExperimentStandings, private readonly models: ModelList, private readonly hits: BreakpointHits) {
    this.lifetime.add(vscode.languages.registerCodeLensProvider(experimentDocuments, this));
    this.lifetime.add(hits.onChange(() => this.changes.tell()));
    // Standings change with every step of a training, and what is said here seldom.
    this.lifetime.add(standings.onChange(file => {
      if (this.shown.has(file) && this.shown.get(file) !== this.key(file)) this.changes.tell();
    }));
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    this.changes.asked();
    const file = document.uri.toString();
    this.shown.set(file, this.key(file));
    return breakpointLenses(document.getText(), this.facts(file)).map(({ span, ...lens }) =>
      new vscode.CodeLens(new vscode.Range(document.positionAt(span.start), document.positionAt(span.end)), command(document.uri, lens)));
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private key(file: string): string {
    const model = this.modelOf(file);
    return model === undefined ? '' : `${model} ${this.runs(model)}`;
  }

  /** What is known of the model that the file trains; nothing where it cannot be trained as it is. */
  private facts(file: string): BreakpointFacts | undefined {
    const model = this.modelOf(file);
    return model === undefined ? undefined : { isRunning: this.runs(model), hitOf: breakpoint => this.hits.of(model, breakpoint) };
  }

  private modelOf(file: string): string | undefined {
    return this.standings.of(file)?.standing.trains?.id;
  }

  private runs(id: string): boolean {
    const model = this.models.find(id);
    return model !== undefined && isRunning(model);
  }
}

function command(file: vscode.Uri, { title, does }: Omit<PlacedLens, 'span'>): vscode.Command {
  // Without a command a lens is plain words.
  if (does === 'nothing') return { title, command: '' };
  if (does === 'add') return commandLink('circuits.addBreakpointToFile', title, file);
  const { model, step, breakpoint: { analysis, params } } = does.show;
  return commandLink('circuits.openFigure', title, { model, analysis, params, checkpoint: step });
}
