import * as vscode from 'vscode';
import { Emitter } from '../../common/event';
import { Lifetime, type Disposable } from '../../common/lifetime';
import type { Dialect } from './lexer';
import { ReferenceLines, type Lines } from './lines';
import { scanLine, type Reference, type ScannedLine } from './references';
import { editedSchemes } from '../schemes';

const dialects: Readonly<Record<string, Dialect>> = {
  python: 'python',
  typescript: 'javascript', typescriptreact: 'javascript', javascript: 'javascript', javascriptreact: 'javascript',
  json: 'json', jsonc: 'json',
};
const schemes = [...editedSchemes, 'vscode-notebook-cell'];

/** Where names of a model are looked for. */
export const hookDocuments: vscode.DocumentSelector = Object.keys(dialects).flatMap(language => schemes.map(scheme => ({ language, scheme })));

/** Larger documents are looked at only where they are in sight. */
const mostLines = 20_000;
const mostCharacters = 2 * 2 ** 20;
/** Lines before what is in sight from which on strings of several lines are known there. */
const linesAhead = 500;

interface Tracked {
  readonly document: vscode.TextDocument;
  readonly dialect: Dialect;
  /** Absent of large documents. */
  lines: ReferenceLines | undefined;
}

/** The references in the open documents, kept as they are changed. */
export class HookDocuments implements Disposable {
  private readonly lifetime = new Lifetime();
  private readonly tracked = new Map<string, Tracked>();
  private readonly changes = this.lifetime.add(new Emitter<vscode.TextDocument>());
  private readonly closes = this.lifetime.add(new Emitter<vscode.TextDocument>());
  readonly onChange = this.changes.event;
  readonly onClose = this.closes.event;

  constructor(private readonly log: Pick<vscode.LogOutputChannel, 'trace' | 'logLevel'>) {
    const { workspace } = vscode;
    this.lifetime.add(workspace.onDidOpenTextDocument(document => this.open(document)));
    this.lifetime.add(workspace.onDidChangeTextDocument(event => this.changed(event)));
    this.lifetime.add(workspace.onDidCloseTextDocument(document => this.close(document)));
    for (const document of workspace.textDocuments) this.open(document);
  }

  get all(): readonly vscode.TextDocument[] {
    return [...this.tracked.values()].map(({ document }) => document);
  }

  dialectOf(document: vscode.TextDocument): Dialect | undefined {
    return this.tracked.get(document.uri.toString())?.dialect;
  }

  /** The line, as it was scanned. */
  line(document: vscode.TextDocument, line: number): ScannedLine | undefined {
    const tracked = this.tracked.get(document.uri.toString());
    if (!tracked) return undefined;
    return tracked.lines ? tracked.lines.at(line) : scanned(tracked, line, line)[0]?.[1];
  }

  /** The reference at a place. */
  at(document: vscode.TextDocument, { line, character }: vscode.Position): Reference | undefined {
    return this.line(document, line)?.references.find(({ start, end }) => character >= start && character <= end);
  }

  /** Lines with references: all there are, or those in sight of a large document. */
  lines(document: vscode.TextDocument): readonly (readonly [number, ScannedLine])[] {
    const tracked = this.tracked.get(document.uri.toString());
    if (!tracked) return [];
    const found = tracked.lines
      ? tracked.lines.all().flatMap((line, at) => (line ? [[at, line] as const] : []))
      : inSight(document).flatMap(range => scanned(tracked, range.start.line, range.end.line));
    return found.filter(([, { references }]) => references.length > 0);
  }

  isLarge(document: vscode.TextDocument): boolean {
    return this.tracked.get(document.uri.toString())?.lines === undefined;
  }

  dispose(): void {
    this.lifetime.dispose();
    this.tracked.clear();
  }

  private open(document: vscode.TextDocument): void {
    const dialect = dialects[document.languageId];
    if (!dialect || !schemes.includes(document.uri.scheme)) return;
    const large = document.lineCount > mostLines || document.getText().length > mostCharacters;
    this.tracked.set(document.uri.toString(), { document, dialect, lines: large ? undefined : new ReferenceLines(linesOf(document), dialect) });
    this.changes.fire(document);
  }

  private close(document: vscode.TextDocument): void {
    if (this.tracked.delete(document.uri.toString())) this.closes.fire(document);
  }

  /** All that happens as the user types. */
  private changed({ document, contentChanges }: vscode.TextDocumentChangeEvent): void {
    const tracked = this.tracked.get(document.uri.toString());
    if (!tracked || contentChanges.length === 0) return;
    const began = performance.now();
    const { lines } = tracked;
    if (lines) {
      // The last one first, so that the places of the others stay as they are.
      for (const { range, text } of [...contentChanges].sort((a, b) => b.range.start.compareTo(a.range.start))) {
        lines.replace(range.start.line, range.end.line, breaksIn(text) + 1);
      }
      if (document.lineCount > mostLines) tracked.lines = undefined;
      else if (lines.length !== document.lineCount) tracked.lines = new ReferenceLines(linesOf(document), tracked.dialect);
      else for (const { range } of contentChanges.slice(0, 1)) lines.at(Math.min(range.start.line, document.lineCount - 1));
    }
    this.changes.fire(document);
    if (this.log.logLevel === vscode.LogLevel.Trace) {
      this.log.trace(`Names of the model after a change: ${(performance.now() - began).toFixed(2)} ms of ${document.lineCount} lines.`);
    }
  }
}

function linesOf(document: vscode.TextDocument): Lines {
  return { get lineCount() { return document.lineCount; }, lineAt: line => document.lineAt(line).text };
}

/** Line ends as VS Code counts them. */
function breaksIn(text: string): number {
  return text.match(/\r\n|\r|\n/g)?.length ?? 0;
}

function inSight(document: vscode.TextDocument): readonly vscode.Range[] {
  return vscode.window.visibleTextEditors.filter(editor => editor.document === document).flatMap(({ visibleRanges }) => visibleRanges);
}

/** Lines `[from, to]` of a large document, from some lines before on, where no string of several lines is taken to be open. */
function scanned({ document, dialect }: Tracked, from: number, to: number): readonly (readonly [number, ScannedLine])[] {
  const found: (readonly [number, ScannedLine])[] = [];
  let state: ScannedLine['end'] = '';
  for (let line = Math.max(0, from - linesAhead); line <= Math.min(to, document.lineCount - 1); line++) {
    const scan = scanLine(document.lineAt(line).text, state, dialect);
    state = scan.end;
    if (line >= from) found.push([line, scan]);
  }
  return found;
}
