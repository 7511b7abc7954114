import * as vscode from 'vscode';
import { Lifetime, type Disposable } from '../../common/lifetime';
import { throttle } from '../../common/throttle';
import { views, type ModelTarget } from '../contributions';
import { experimentName } from './experimentFiles';
import { experimentRow } from './experimentRows';
import type { ExperimentStandings } from './experimentStandings';
import { claimCounts } from './experimentState';
import type { WorkspaceExperiments } from './workspaceExperiments';

/** A row hands its file to the commands about files, and its model to those about models. */
export interface ExperimentNode extends Partial<ModelTarget> {
  readonly file: vscode.Uri;
}

/** Milliseconds between two drawings. */
const drawEvery = 400;

/** The experiment files of the workspace in the side bar, and how each stands. */
export class ExperimentsView implements vscode.TreeDataProvider<ExperimentNode>, Disposable {
  private readonly lifetime = new Lifetime();
  private readonly changes = this.lifetime.add(new vscode.EventEmitter<undefined>());
  private readonly tree: vscode.TreeView<ExperimentNode>;
  readonly onDidChangeTreeData = this.changes.event;

  constructor(private readonly experiments: WorkspaceExperiments, private readonly standings: ExperimentStandings) {
    const drawing = this.lifetime.add(throttle(() => this.changes.fire(undefined), drawEvery));
    this.tree = this.lifetime.add(vscode.window.createTreeView(views.experiments, { treeDataProvider: this }));
    this.lifetime.add(experiments.onChange(() => drawing.call()));
    this.lifetime.add(standings.onChange(() => drawing.call()));
  }

  async getChildren(parent?: ExperimentNode): Promise<ExperimentNode[]> {
    if (parent) return [];
    const files = await this.experiments.load();
    for (const file of files) this.standings.want(file.toString());
    this.showBadge(files);
    return files.map(file => {
      const model = this.standings.of(file.toString())?.standing.model;
      return { file, ...(model && { model: model.id }) };
    });
  }

  getTreeItem({ file }: ExperimentNode): vscode.TreeItem {
    const { hasSweep = false, hasClaims = false } = this.experiments.get(file.toString()) ?? {};
    const row = experimentRow({ name: experimentName(file), path: vscode.workspace.asRelativePath(file), hasSweep, hasClaims }, this.standings.of(file.toString()));
    const item = new vscode.TreeItem(row.label);
    item.id = file.toString();
    item.iconPath = new vscode.ThemeIcon(row.icon.id, row.icon.color === undefined ? undefined : new vscode.ThemeColor(row.icon.color));
    item.description = row.description;
    item.tooltip = new vscode.MarkdownString(row.tooltip);
    item.contextValue = row.context;
    item.accessibilityInformation = { label: row.spoken };
    item.command = { command: 'vscode.open', title: 'Open', arguments: [file] };
    return item;
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  /** Counts on the view the experiments with claims that fail. */
  private showBadge(files: readonly vscode.Uri[]): void {
    const failing = files.filter(file => {
      const known = this.standings.of(file.toString());
      return known && claimCounts(known).fail > 0;
    }).length;
    this.tree.badge = failing > 0 ? { value: failing, tooltip: `${failing} ${failing === 1 ? 'experiment has' : 'experiments have'} claims that fail` } : undefined;
  }
}
