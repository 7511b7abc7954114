import { posix } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as vscode from 'vscode';
import { Lifetime, type Disposable } from '../../common/lifetime';
import type { Engine } from '../engine';
import { experimentGlob } from './experimentFiles';
import type { ExperimentStandings } from './experimentStandings';
import { type ExperimentWord, type KnownWords, wordAt, wordsAt, type WordsHere } from './experimentWords';
import { escapeMarkdown } from '../format';
import type { ModelList } from '../models/modelList';
import type { WorkspaceExperiments } from './workspaceExperiments';

interface CompletionHost {
  readonly engine: Pick<Engine, 'start' | 'state'>;
  readonly models: Pick<ModelList, 'models'>;
  readonly experiments: WorkspaceExperiments;
  readonly standings: ExperimentStandings;
}

/** Completes and explains in experiment files what only the engine and the workspace know; the JSON schema does the fields. */
export class ExperimentCompletion implements vscode.CompletionItemProvider, vscode.HoverProvider, Disposable {
  private readonly lifetime = new Lifetime();

  constructor(private readonly host: CompletionHost) {
    const files = { pattern: experimentGlob };
    this.lifetime.add(vscode.languages.registerCompletionItemProvider(files, this, '"', ':', ' '));
    this.lifetime.add(vscode.languages.registerHoverProvider(files, this));
  }

  async provideCompletionItems(document: vscode.TextDocument, position: vscode.Position): Promise<vscode.CompletionItem[]> {
    // Once it runs it has said what there is, and nobody is waited for.
    const info = this.host.engine.state.kind === 'ready' ? this.host.engine.state.info : await this.host.engine.start().catch(() => undefined);
    if (!info) return [];
    const here = wordsAt(document.getText(), document.offsetAt(position), this.known(document, info));
    if (!here) return [];
    const range = new vscode.Range(document.positionAt(here.span.start), document.positionAt(here.span.end));
    return here.words.map((word, index) => item(word, range, here, index));
  }

  provideHover(document: vscode.TextDocument, position: vscode.Position): vscode.Hover | undefined {
    const { state } = this.host.engine;
    if (state.kind !== 'ready') return undefined;
    const found = wordAt(document.getText(), document.offsetAt(position), this.known(document, state.info));
    if (!found) return undefined;
    const { span, word: { word, detail, documentation } } = found;
    const title = `**${escapeMarkdown(word)}**${detail === '' ? '' : ` · ${escapeMarkdown(detail)}`}`;
    const text = documentation.split('\n\n').filter(part => part !== detail).map(escapeMarkdown);
    return new vscode.Hover(new vscode.MarkdownString([title, ...text].join('\n\n')), new vscode.Range(document.positionAt(span.start), document.positionAt(span.end)));
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private known({ uri }: vscode.TextDocument, { tasks, analyses, experiments }: Pick<KnownWords, 'tasks' | 'analyses' | 'experiments'>): KnownWords {
    const file = uri.toString();
    const folder = posix.dirname(uri.path);
    const claims = this.host.standings.of(file)?.claims ?? [];
    return {
      tasks, analyses, experiments,
      files: this.host.experiments.all.filter(other => other.file !== file && other.uri.scheme === uri.scheme).map(other => relative(folder, other.uri.path)),
      models: this.host.models.models.map(({ name }) => name),
      measured: (analysis, scalar, params) => claims.find(({ value, outcome, isStale }) => outcome !== undefined && !isStale
        && value['analysis'] === analysis && value['scalar'] === scalar && isDeepStrictEqual(value['params'] ?? {}, params ?? {}))?.outcome?.measured,
    };
  }
}

/** `./base.circuit.json`: as an experiment names another one. */
function relative(folder: string, file: string): string {
  const path = posix.relative(folder, file);
  return path.startsWith('.') ? path : `./${path}`;
}

function item({ word, is, value, detail, documentation }: ExperimentWord, range: vscode.Range, { hasValue, needsComma }: WordsHere, index: number): vscode.CompletionItem {
  const made = new vscode.CompletionItem({ label: word, description: detail }, is === 'field' ? vscode.CompletionItemKind.Property : vscode.CompletionItemKind.Value);
  const quoted = JSON.stringify(word);
  made.insertText = is === 'field' && !hasValue ? `${quoted}: ${JSON.stringify(value)}${needsComma ? ',' : ''}` : quoted;
  // What is typed and replaced has its quotes.
  made.filterText = quoted;
  made.range = range;
  made.sortText = String(index).padStart(4, '0');
  made.documentation = new vscode.MarkdownString(documentation.split('\n\n').map(escapeMarkdown).join('\n\n'));
  return made;
}
