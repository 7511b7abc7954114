import * as vscode from 'vscode';
import { Lifetime, toDisposable, type Disposable } from '../../common/lifetime';
import { experimentSuffix } from '../experiments/experimentFiles';
import type { HookDocuments } from './documents';
import type { ScannedLine } from './references';
import { resolve, type KnownTensors, type Wrong } from './resolve';

/** Milliseconds of rest after typing before names are checked. */
const rest = 300;

/** Underlines names that the pinned model does not have. */
export class HookDiagnostics implements Disposable {
  private readonly lifetime = new Lifetime();
  private readonly shown = this.lifetime.add(vscode.languages.createDiagnosticCollection('circuits.hooks'));
  private readonly waiting = new Map<string, NodeJS.Timeout>();
  /** What is shown of each document, in one text, so that what has not changed is not shown anew. */
  private readonly last = new Map<string, string>();
  private judged = new WeakMap<ScannedLine, readonly Wrong[]>();
  private judgedBy: KnownTensors | undefined;

  constructor(private readonly documents: HookDocuments, private readonly known: () => Promise<KnownTensors | undefined>) {
    this.lifetime.add(documents.onChange(document => this.schedule(document)));
    this.lifetime.add(documents.onClose(({ uri }) => this.clear(uri)));
    this.lifetime.add(vscode.window.onDidChangeTextEditorVisibleRanges(({ textEditor: { document } }) => {
      if (documents.dialectOf(document) && documents.isLarge(document)) this.schedule(document);
    }));
    this.lifetime.add(toDisposable(() => this.waiting.forEach(timer => clearTimeout(timer))));
    this.checkAll();
  }

  /** Checks everything again, as when another model is pinned. */
  checkAll(): void {
    for (const document of this.documents.all) this.schedule(document, 0);
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private schedule(document: vscode.TextDocument, delay = rest): void {
    // An experiment is about its own model, whatever is pinned.
    if (document.uri.path.endsWith(experimentSuffix)) return;
    const id = document.uri.toString();
    clearTimeout(this.waiting.get(id));
    this.waiting.set(id, setTimeout(() => {
      this.waiting.delete(id);
      void this.check(document);
    }, delay));
  }

  private async check(document: vscode.TextDocument): Promise<void> {
    // The engine is not started for a text that names nothing.
    const known = this.documents.lines(document).length === 0 ? undefined : await this.known();
    if (this.lifetime.isEnded || document.isClosed) return;
    const wrong = known ? this.documents.lines(document).flatMap(([line, scanned]) => this.judge(scanned, known).map(problem => ({ line, problem }))) : [];
    const id = document.uri.toString();
    const text = JSON.stringify(wrong);
    if ((this.last.get(id) ?? '[]') === text) return;
    this.last.set(id, text);
    this.shown.set(document.uri, wrong.map(({ line, problem }) => diagnostic(line, problem)));
  }

  private judge(scanned: ScannedLine, known: KnownTensors): readonly Wrong[] {
    if (this.judgedBy !== known) [this.judged, this.judgedBy] = [new WeakMap(), known];
    const before = this.judged.get(scanned);
    if (before) return before;
    const wrong = scanned.references.flatMap(reference => {
      const found = resolve(reference, known);
      return found?.kind === 'wrong' ? [found] : [];
    });
    this.judged.set(scanned, wrong);
    return wrong;
  }

  private clear(uri: vscode.Uri): void {
    const id = uri.toString();
    clearTimeout(this.waiting.get(id));
    this.waiting.delete(id);
    this.last.delete(id);
    this.shown.delete(uri);
  }
}

function diagnostic(line: number, { start, end, message }: Wrong): vscode.Diagnostic {
  const made = new vscode.Diagnostic(new vscode.Range(line, start, line, end), message, vscode.DiagnosticSeverity.Warning);
  made.source = 'Circuits';
  return made;
}
