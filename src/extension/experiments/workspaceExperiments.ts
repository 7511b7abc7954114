import * as vscode from 'vscode';
import { Emitter } from '../../common/event';
import { Lifetime, type Disposable } from '../../common/lifetime';
import { experimentFileLimit } from '../../protocol/experiment';
import { experimentGlob, findExperiments, isExperiment, readExperiment } from './experimentFiles';
import { nameIn } from './experimentNames';
import { outlineOf } from './experimentOutline';
import type { ExperimentSources, SourceChange, SourceFile } from './experimentStandings';

/** An experiment file with its text: that of its editor, or as it is saved. */
export interface WorkspaceExperiment extends SourceFile {
  readonly uri: vscode.Uri;
  /** What the text has, as far as it can be read. */
  readonly name: string | undefined;
  readonly hasSweep: boolean;
  readonly hasClaims: boolean;
}

const isCode = /\.[cm]?[jt]s$/;
/** A text in which a string is, or ends as, the name of a task module. */
const namesCode = /\.[cm]?[jt]s"/;

/** The texts of the experiment files that are open, and of all in the workspace once somebody wants them. */
export class WorkspaceExperiments implements ExperimentSources, Disposable {
  private readonly lifetime = new Lifetime();
  private readonly changes = this.lifetime.add(new Emitter<SourceChange>());
  /** By the texts of their URIs. */
  private readonly known = new Map<string, WorkspaceExperiment>();
  private loading: Promise<readonly vscode.Uri[]> | undefined;
  readonly onChange = this.changes.event;

  constructor() {
    const { workspace } = vscode;
    this.lifetime.add(workspace.onDidOpenTextDocument(document => this.opened(document)));
    this.lifetime.add(workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
      if (contentChanges.length > 0) this.take(document, true);
    }));
    this.lifetime.add(workspace.onDidCloseTextDocument(document => {
      void this.read(document.uri);
    }));
    const reload = () => void this.reload().catch(() => undefined);
    this.lifetime.add(workspace.onDidChangeWorkspaceFolders(reload));
    // Of a folder the watcher tells nothing.
    this.lifetime.add(workspace.onDidDeleteFiles(({ files }) => {
      if (files.some(uri => this.hasInside(uri))) reload();
    }));
    this.lifetime.add(workspace.onDidRenameFiles(({ files }) => {
      if (files.some(({ oldUri }) => this.hasInside(oldUri))) reload();
    }));
    this.lifetime.add(workspace.onDidSaveTextDocument(({ uri }) => {
      // It may be part of a task module: which files one is made of, its imports say.
      if (isCode.test(uri.path) && this.all.some(({ text }) => namesCode.test(text))) this.changes.fire({ file: undefined, typed: false });
    }));
    const watcher = this.lifetime.add(workspace.createFileSystemWatcher(experimentGlob));
    this.lifetime.add(watcher.onDidCreate(uri => this.reread(uri)));
    this.lifetime.add(watcher.onDidChange(uri => void this.read(uri)));
    this.lifetime.add(watcher.onDidDelete(uri => this.reread(uri)));
    for (const document of workspace.textDocuments) this.opened(document);
  }

  /** The files that are known so far. */
  get all(): readonly WorkspaceExperiment[] {
    return [...this.known.values()];
  }

  get(file: string): WorkspaceExperiment | undefined {
    return this.known.get(file);
  }

  /** Reads what the workspace has, once, and returns its files in the order of their paths. */
  load(): Promise<readonly vscode.Uri[]> {
    return this.loading ??= this.search();
  }

  /** Looks again what the workspace has: what is neither there nor open is forgotten. */
  reload(): Promise<readonly vscode.Uri[]> {
    this.loading = this.search();
    return this.loading;
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private async search(): Promise<readonly vscode.Uri[]> {
    const files = await findExperiments();
    const found = new Set(files.map(String));
    for (const { file, isOpen } of this.all) if (!isOpen && !found.has(file)) this.forget(file);
    await Promise.all(files.map(uri => this.known.get(uri.toString())?.isOpen ? undefined : this.read(uri)));
    return files;
  }

  /** There are other files than before. */
  private reread(changed: vscode.Uri): void {
    this.loading = undefined;
    void this.read(changed);
  }

  private hasInside(folder: vscode.Uri): boolean {
    return this.all.some(({ file }) => file.startsWith(`${folder.toString()}/`));
  }

  private opened(document: vscode.TextDocument): void {
    if (!isExperiment(document.uri)) return;
    this.take(document, false);
    // Others may claim its name.
    void this.load().catch(() => undefined);
  }

  private take(document: vscode.TextDocument, typed: boolean): void {
    const { uri } = document;
    if (!isExperiment(uri)) return;
    const [file, text] = [uri.toString(), document.getText()];
    if (text.length > experimentFileLimit) this.forget(file);
    else this.keep({ file, uri, text, isOpen: true }, typed);
  }

  /** Reads a file anew; one that is gone is forgotten. */
  private async read(uri: vscode.Uri): Promise<void> {
    if (!isExperiment(uri)) return;
    const file = uri.toString();
    const text = await readExperiment(uri).catch(() => undefined);
    // It may have been opened while it was read.
    const open = vscode.workspace.textDocuments.find(document => document.uri.toString() === file);
    if (open) this.take(open, false);
    else if (text === undefined) this.forget(file);
    else this.keep({ file, uri, text, isOpen: false }, false);
  }

  private forget(file: string): void {
    if (this.known.delete(file)) this.changes.fire({ file, typed: false });
  }

  private keep(source: SourceFile & Pick<WorkspaceExperiment, 'uri'>, typed: boolean): void {
    const { file, text, isOpen } = source;
    const before = this.known.get(file);
    if (before?.text === text && before.isOpen === isOpen) return;
    const { fields, claims } = outlineOf(text);
    this.known.set(file, { ...source, name: nameIn(text), hasSweep: fields.has('sweep'), hasClaims: claims.length > 0 });
    this.changes.fire({ file, typed });
  }
}
