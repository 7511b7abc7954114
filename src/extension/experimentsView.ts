import * as vscode from 'vscode';
import { Lifetime, type Disposable } from '../common/lifetime';
import { commandLink, views } from './contributions';
import { experimentGlob, experimentName, findExperiments, readExperiment } from './experimentFiles';
import { hasSweep } from './sweepPlan';

/** The experiment files of the workspace, in the side bar and with a lens at their top. */
export class ExperimentsView implements vscode.TreeDataProvider<vscode.Uri>, vscode.CodeLensProvider, Disposable {
  private readonly lifetime = new Lifetime();
  private readonly changes = this.lifetime.add(new vscode.EventEmitter<undefined>());
  readonly onDidChangeTreeData = this.changes.event;

  constructor() {
    const redraw = () => this.changes.fire(undefined);
    this.lifetime.add(vscode.window.createTreeView(views.experiments, { treeDataProvider: this }));
    this.lifetime.add(vscode.languages.registerCodeLensProvider({ pattern: experimentGlob }, this));
    const watcher = this.lifetime.add(vscode.workspace.createFileSystemWatcher(experimentGlob));
    this.lifetime.add(watcher.onDidCreate(redraw));
    // It may have a sweep now.
    this.lifetime.add(watcher.onDidChange(redraw));
    this.lifetime.add(watcher.onDidDelete(redraw));
    this.lifetime.add(vscode.workspace.onDidChangeWorkspaceFolders(redraw));
  }

  getChildren(file?: vscode.Uri): Promise<vscode.Uri[]> {
    return file ? Promise.resolve([]) : findExperiments();
  }

  async getTreeItem(file: vscode.Uri): Promise<vscode.TreeItem> {
    const name = experimentName(file);
    const item = new vscode.TreeItem(name);
    item.id = file.toString();
    item.resourceUri = file;
    item.iconPath = new vscode.ThemeIcon('beaker');
    item.description = folderOf(vscode.workspace.asRelativePath(file));
    item.tooltip = vscode.workspace.asRelativePath(file);
    item.contextValue = await readExperiment(file).then(hasSweep, () => false) ? 'experiment sweep' : 'experiment';
    item.accessibilityInformation = { label: `Experiment ${name}` };
    item.command = { command: 'vscode.open', title: 'Open', arguments: [file] };
    return item;
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    const top = new vscode.Range(0, 0, 0, 0);
    return [
      new vscode.CodeLens(top, commandLink('circuits.trainFile', '$(play) Train…', document.uri)),
      ...(hasSweep(document.getText()) ? [new vscode.CodeLens(top, commandLink('circuits.sweep', '$(run-all) Sweep…', document.uri))] : []),
    ];
  }

  dispose(): void {
    this.lifetime.dispose();
  }
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
