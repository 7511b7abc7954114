import * as vscode from 'vscode';
import { CancelledError } from '../../common/errors';
import { hoverText } from './hover';
import { completionPlace, type Completion } from './complete';
import type { HookDocuments } from './documents';
import type { PictureAnswer } from './pictures';
import { resolve, type Found, type KnownTensors } from './resolve';

export interface HookSource {
  readonly documents: HookDocuments;
  /** The pinned model's names, once they are known; nothing when no model is pinned, the engine is down, or it takes longer than `patience` milliseconds. */
  known(patience?: number): Promise<KnownTensors | undefined>;
  /** The pinned model, as the hover names it. */
  model(): { readonly id: string; readonly name: string } | undefined;
  picture(name: string, head: number | undefined, signal: AbortSignal): Promise<PictureAnswer>;
}

/** Milliseconds that somebody waits for the names of the model, which an engine that has to start first exceeds. */
const patience = { hover: 1000, completion: 300 };

/** Commands that a hover may run. */
const linked = ['circuits.revealTensor', 'circuits.openAttention'];

export class HookHovers implements vscode.HoverProvider {
  constructor(private readonly source: HookSource) {}

  async provideHover(document: vscode.TextDocument, position: vscode.Position, token: vscode.CancellationToken): Promise<vscode.Hover | undefined> {
    const reference = this.source.documents.at(document, position);
    const known = reference && await this.source.known(patience.hover);
    const model = this.source.model();
    if (!reference || !known || !model || token.isCancellationRequested) return undefined;
    const found = resolve(reference, known);
    // What is wrong is said by its diagnostic.
    if (found?.kind !== 'found') return undefined;
    try {
      const text = new vscode.MarkdownString(hoverText(found, { ...model, n_layers: known.model.n_layers }, await this.picture(found, token)));
      text.isTrusted = { enabledCommands: linked };
      const { line } = position;
      return new vscode.Hover(text, new vscode.Range(line, reference.start, line, reference.end));
    } catch (error) {
      if (error instanceof CancelledError) return undefined;
      throw error;
    }
  }

  private async picture({ tensors: [first], head }: Found, token: vscode.CancellationToken): Promise<PictureAnswer | undefined> {
    if (!first.drawn) return undefined;
    const controller = new AbortController();
    const listening = token.onCancellationRequested(() => controller.abort());
    try {
      return await this.source.picture(first.name, head, controller.signal);
    } finally {
      listening.dispose();
    }
  }
}

export class HookCompletions implements vscode.CompletionItemProvider {
  constructor(private readonly source: HookSource) {}

  async provideCompletionItems(document: vscode.TextDocument, position: vscode.Position, token: vscode.CancellationToken): Promise<vscode.CompletionItem[] | undefined> {
    const { documents } = this.source;
    const dialect = documents.dialectOf(document);
    const { text } = document.lineAt(position.line);
    const { line, character } = position;
    // Most places are none; then nothing is looked at.
    if (!dialect || !/["'`]|odel|\bht\./.test(text.slice(0, character))) return undefined;
    const place = completionPlace(text, character, documents.line(document, line)?.begin ?? '', dialect);
    const known = place && await this.source.known(patience.completion);
    if (!known || token.isCancellationRequested) return undefined;
    return place.offer(known).map((completion, at) => item(completion, line, character, at));
  }
}

function item({ text, detail, description, partial, start, end }: Completion, line: number, character: number, at: number): vscode.CompletionItem {
  const made = new vscode.CompletionItem(text, partial ? vscode.CompletionItemKind.Module : vscode.CompletionItemKind.Field);
  made.range = { inserting: new vscode.Range(line, start, line, character), replacing: new vscode.Range(line, start, line, Math.max(end, character)) };
  made.filterText = text;
  // In the order of the forward pass.
  made.sortText = String(at).padStart(6, '0');
  if (detail !== undefined) made.detail = detail;
  if (description !== undefined) made.documentation = description;
  if (partial && text.endsWith('.')) made.command = { command: 'editor.action.triggerSuggest', title: 'Suggest' };
  return made;
}

export class HookFixes implements vscode.CodeActionProvider {
  static readonly kinds = [vscode.CodeActionKind.QuickFix];

  constructor(private readonly source: HookSource) {}

  async provideCodeActions(document: vscode.TextDocument, range: vscode.Range, { diagnostics }: vscode.CodeActionContext): Promise<vscode.CodeAction[]> {
    const ours = diagnostics.filter(({ source }) => source === 'Circuits');
    const known = ours.length === 0 ? undefined : await this.source.known();
    const { line } = range.start;
    const references = this.source.documents.line(document, line)?.references ?? [];
    if (!known) return [];
    return references.flatMap(reference => {
      const wrong = resolve(reference, known);
      const about = wrong?.kind === 'wrong' && ours.find(each => each.range.start.line === line && each.range.start.character === wrong.start && each.message === wrong.message);
      if (!about) return [];
      return wrong.nearest.map((name, at) => {
        const fix = new vscode.CodeAction(`Change to "${name}"`, vscode.CodeActionKind.QuickFix);
        fix.edit = new vscode.WorkspaceEdit();
        fix.edit.replace(document.uri, about.range, name);
        fix.diagnostics = [about];
        fix.isPreferred = at === 0;
        return fix;
      });
    });
  }
}
