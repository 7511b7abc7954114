import * as vscode from 'vscode';
import { Lifetime, toDisposable, type Disposable } from '../../common/lifetime';
import { setContext, type ContextKeys } from '../contributions';
import type { HookDocuments } from './documents';
import type { Reference } from './references';
import { onTensor, type KnownTensors } from './resolve';

/** Milliseconds of rest before it is looked up what the cursor is at: not while somebody types. */
const rest = 50;

/** Keeps `circuits.onTensor` true while the cursor is at a name that the pinned model has. */
export class HookCursor implements Disposable {
  private readonly lifetime = new Lifetime();
  private timer: NodeJS.Timeout | undefined;
  private on: ContextKeys['circuits.onTensor'] = false;

  /** `loaded`: the names of the pinned model, where they are there already; none are asked for because a cursor moves. */
  constructor(private readonly documents: HookDocuments, private readonly loaded: () => KnownTensors | undefined) {
    this.lifetime.add(vscode.window.onDidChangeTextEditorSelection(() => this.schedule()));
    this.lifetime.add(vscode.window.onDidChangeActiveTextEditor(() => this.schedule()));
    this.lifetime.add(toDisposable(() => {
      clearTimeout(this.timer);
      this.become(false);
    }));
    this.schedule();
  }

  /** What the cursor is at. */
  get reference(): Reference | undefined {
    const editor = vscode.window.activeTextEditor;
    return editor && this.documents.at(editor.document, editor.selection.active);
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  /** Looks again, as when there are names, or others. */
  schedule(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.become(onTensor(this.reference, this.loaded())), rest);
  }

  private become(on: ContextKeys['circuits.onTensor']): void {
    if (this.on === on) return;
    this.on = on;
    setContext(vscode.commands, 'circuits.onTensor', on);
  }
}
