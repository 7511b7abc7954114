import * as vscode from 'vscode';
import { CancelledError, messageOf } from '../common/errors';
import { Lifetime, toDisposable, type Disposable } from '../common/lifetime';
import { checkExperiment } from '../protocol/engine';
import type { Engine } from './engine';
import type { Log } from './engineSession';
import { experimentSuffix, experimentText } from './experimentFiles';
import { isJson, placeProblems, type PlacedProblem } from './experimentProblems';

/** Milliseconds of rest after typing before a file is checked. */
const rest = 300;

/** Marks in open experiment files what the engine could not train. */
export class ExperimentDiagnostics implements Disposable {
  private readonly lifetime = new Lifetime();
  private readonly shown = this.lifetime.add(vscode.languages.createDiagnosticCollection('circuits'));
  /** Document → its check, waiting or under way. */
  private readonly checks = new Map<string, AbortController>();

  constructor(private readonly engine: Engine, private readonly log: Log) {
    const { workspace } = vscode;
    this.lifetime.add(workspace.onDidOpenTextDocument(document => this.schedule(document, 0)));
    this.lifetime.add(workspace.onDidChangeTextDocument(({ document }) => this.schedule(document, rest)));
    this.lifetime.add(workspace.onDidCloseTextDocument(document => this.clear(document)));
    this.lifetime.add(engine.onStateChange(({ kind }) => {
      // What could not be checked while it was down is checked now.
      if (kind === 'ready') this.checkOpen();
    }));
    this.lifetime.add(toDisposable(() => this.checks.forEach(check => check.abort())));
    this.checkOpen();
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private checkOpen(): void {
    for (const document of vscode.workspace.textDocuments) this.schedule(document, 0);
  }

  private schedule(document: vscode.TextDocument, delay: number): void {
    if (!document.uri.path.endsWith(experimentSuffix)) return;
    const id = document.uri.toString();
    this.checks.get(id)?.abort();
    const check = new AbortController();
    this.checks.set(id, check);
    const timer = setTimeout(() => void this.check(document, check.signal), delay);
    check.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  }

  private async check(document: vscode.TextDocument, signal: AbortSignal): Promise<void> {
    const text = document.getText();
    if (!isJson(text)) {
      this.shown.delete(document.uri);
      return;
    }
    try {
      const problems = await this.engine.request(checkExperiment, experimentText(document.uri, text), signal);
      if (signal.aborted) return;
      this.shown.set(document.uri, placeProblems(text, problems).map(problem => diagnostic(document, problem)));
    } catch (error) {
      if (!(error instanceof CancelledError)) this.log.warn(`${document.uri.path} was not checked: ${messageOf(error)}`);
    }
  }

  private clear(document: vscode.TextDocument): void {
    const id = document.uri.toString();
    this.checks.get(id)?.abort();
    this.checks.delete(id);
    this.shown.delete(document.uri);
  }
}

function diagnostic(document: vscode.TextDocument, { start, end, message }: PlacedProblem): vscode.Diagnostic {
  const range = new vscode.Range(document.positionAt(start), document.positionAt(end));
  const made = new vscode.Diagnostic(range, message, vscode.DiagnosticSeverity.Error);
  made.source = 'Circuits';
  return made;
}
