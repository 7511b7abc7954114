import * as vscode from 'vscode';
import { Lifetime, toDisposable, type Disposable } from '../../common/lifetime';
import { throttle } from '../../common/throttle';
import { runCommand, weightsEditors } from '../contributions';
import type { Engine } from '../engine';
import type { Log } from '../engineSession';
import { saveExport } from '../panels/exports';
import type { WebviewPages } from '../panels/webviewPages';
import type { Problems } from '../problems';
import { CheckpointSession } from './checkpointSession';

export interface CheckpointEditorsHost {
  readonly engine: Engine;
  readonly problems: Problems;
  readonly log: Log;
  readonly pages: WebviewPages;
}

/** Milliseconds between two looks at a file that is being written. */
const watchEvery = 1000;

/** The editors of files of weights, which are looked at and never written. */
export class CheckpointEditors implements vscode.CustomReadonlyEditorProvider, Disposable {
  private readonly lifetime = new Lifetime();

  constructor(private readonly host: CheckpointEditorsHost) {
    for (const type of weightsEditors) {
      this.lifetime.add(vscode.window.registerCustomEditorProvider(type, this, { supportsMultipleEditorsPerDocument: true }));
    }
  }

  openCustomDocument(uri: vscode.Uri): vscode.CustomDocument {
    // What it holds is read for each editor, as far as it is in sight there.
    return { uri, dispose: () => undefined };
  }

  async resolveCustomEditor({ uri }: vscode.CustomDocument, panel: vscode.WebviewPanel): Promise<void> {
    const { engine, problems, log, pages } = this.host;
    const lifetime = this.lifetime.add(new Lifetime());
    const session = lifetime.add(new CheckpointSession({
      engine,
      file: uri.scheme === 'file' ? uri.fsPath : undefined,
      // An editor that is closing takes no more messages.
      send: message => void panel.webview.postMessage(message).then(undefined, () => undefined),
      importFile: () => problems.guard(() => runCommand(vscode.commands, 'circuits.importModel', uri)),
      save: (name, format, content) => problems.guard(() => saveExport(name, format, content)),
      explain: error => problems.explain(error),
      warn: message => log.warn(message),
    }));
    lifetime.add(panel.webview.onDidReceiveMessage(message => session.receive(message)));
    lifetime.add(panel.onDidChangeViewState(() => !panel.visible && session.hide()));
    lifetime.add(panel.onDidDispose(() => this.lifetime.release(lifetime)));
    if (uri.scheme === 'file') lifetime.add(watchFile(uri, () => session.changed()));
    pages.prepare(panel);
    await pages.fill(panel, 'checkpoint', Promise.resolve(), () => lifetime.isEnded);
  }

  dispose(): void {
    this.lifetime.dispose();
  }
}

/** Tells that a file has changed, wherever it lies. */
function watchFile(file: vscode.Uri, changed: () => void): Disposable {
  const lifetime = new Lifetime();
  const paced = lifetime.add(throttle(changed, watchEvery));
  // The whole folder, since the name of the file is no pattern.
  const watcher = lifetime.add(vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(vscode.Uri.joinPath(file, '..'), '*')));
  const heard = ({ fsPath }: vscode.Uri) => { if (fsPath === file.fsPath) paced.call(); };
  for (const event of [watcher.onDidCreate, watcher.onDidChange, watcher.onDidDelete]) lifetime.add(event(heard));
  return toDisposable(() => lifetime.dispose());
}
