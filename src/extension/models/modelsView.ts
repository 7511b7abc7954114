import * as vscode from 'vscode';
import { UserError } from '../../common/errors';
import { Lifetime, toDisposable, type Disposable } from '../../common/lifetime';
import { throttle } from '../../common/throttle';
import type { ModelDetails, ModelSummary } from '../../protocol/model';
import type { BreakpointHits } from '../breakpoints/breakpointHits';
import { commandLink, views } from '../contributions';
import { completeStep } from '../firstSteps';
import { formatCount } from '../format';
import type { HeadBadges } from './headBadges';
import type { HeadSelections } from './headSelections';
import type { ModelList, ModelListChange } from './modelList';
import { analysisOf, childrenOf, familyOf, nodeId, parentOf, topNodes, type ModelNode } from './modelNodes';
import { rowOf, type Row } from './modelRows';
import type { PinnedModel } from './pinnedModel';
import type { Problems } from '../problems';
import type { WaitingTrainings } from '../training/waitingTrainings';

/** Milliseconds between two drawings of a row that keeps changing. */
const drawEvery = 250;
/** Times that a row is looked for. */
const mostAttempts = 3;

/** The tree of models in the side bar. */
export class ModelsView implements vscode.TreeDataProvider<ModelNode>, Disposable {
  private readonly lifetime = new Lifetime();
  private readonly changes = this.lifetime.add(new vscode.EventEmitter<ModelNode | ModelNode[] | undefined>());
  /** One object for each row, by which VS Code knows it again when it changes. */
  private readonly nodes = new Map<string, ModelNode>();
  private readonly details = new Map<string, ModelDetails>();
  private readonly stale = new Set<string>();
  private readonly view: vscode.TreeView<ModelNode>;
  private readonly draw: () => void;
  readonly onDidChangeTreeData = this.changes.event;

  constructor(
    private readonly models: ModelList,
    private readonly waiting: WaitingTrainings,
    selections: HeadSelections,
    private readonly badges: HeadBadges,
    private readonly pinned: PinnedModel,
    private readonly hits: BreakpointHits,
    private readonly problems: Problems,
  ) {
    const drawing = this.lifetime.add(throttle(() => this.drawStale(), drawEvery));
    this.draw = drawing.call;
    this.view = this.lifetime.add(
      vscode.window.createTreeView(views.models, { treeDataProvider: this, showCollapseAll: true }),
    );
    this.lifetime.add(this.view.onDidExpandElement(() => completeStep('browse')));
    this.lifetime.add(models.onChange(change => this.modelsChanged(change)));
    this.lifetime.add(waiting.onChange(() => this.changes.fire(undefined)));
    this.lifetime.add(selections.onChange(({ model, layer, head }) => this.show({ kind: 'head', model, layer, head }, false)));
    this.lifetime.add(hits.onChange(model => this.drawModel(model)));
    this.lifetime.add(pinned.onChange(({ before, now }) => {
      for (const each of [before, now]) if (each) this.drawModel(each.id);
    }));
    this.lifetime.add(badges.onChange(model => this.badgesChanged(model)));
    this.lifetime.add(toDisposable(() => this.nodes.clear()));
  }

  getTreeItem(node: ModelNode): vscode.TreeItem {
    const model = this.models.find(node.model);
    // It is gone, and the row is about to go.
    if (!model) return new vscode.TreeItem(node.model);
    const facts = {
      details: this.details.get(node.model),
      badges: node.kind === 'head' ? this.badges.of(node) : [],
      base: this.models.baseOf(node.model),
      tuned: this.models.families.tunedFrom(node.model).length,
      pausedBy: this.hits.reasonOf(model),
      next: this.waiting.after(node.model).map(({ training }) => training.name),
      pinned: this.pinned.current?.id === node.model,
    };
    return treeItem(rowOf(node, model, facts), analysisOf(node, model) !== undefined);
  }

  async getChildren(node?: ModelNode): Promise<ModelNode[]> {
    if (!node) return topNodes(await this.list(), this.models.families).map(top => this.same(top));
    const family = familyOf(node, this.models.families).map(kin => this.same(kin));
    if (node.kind === 'tuned') return family;
    try {
      const details = await this.models.details(node.model);
      this.details.set(node.model, details);
      if (node.kind === 'layer') this.badges.want(node.model);
      return [...childrenOf(node, details).map(child => this.same(child)), ...family];
    } catch (error) {
      const message = error instanceof UserError ? error.message : this.problems.explain(error);
      return [this.same({ kind: 'problem', model: node.model, message }), ...family];
    }
  }

  getParent(node: ModelNode): ModelNode | undefined {
    const parent = parentOf(node, this.models.families);
    return parent && this.same(parent);
  }

  /** The row that was clicked last, or chosen by the keyboard. */
  get selected(): ModelNode | undefined {
    return this.view.selection[0];
  }

  /** Selects a row without taking the focus: if the tree is in sight, or else when it is to be brought there. */
  show(node: ModelNode, bringToSight: boolean): void {
    if (!(this.view.visible || bringToSight) || !this.models.find(node.model)) return;
    void this.select(this.same(node));
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private async select(node: ModelNode): Promise<void> {
    // A tree that is drawn anew meanwhile, as when badges come, stops opening what leads to the row, and does not say so.
    for (let attempt = 0; attempt < mostAttempts && !this.view.selection.includes(node); attempt++) {
      try {
        await this.view.reveal(node, { select: true, focus: false });
      } catch {
        // The row has vanished while it was looked for.
        return;
      }
    }
  }

  /** The models; none while the engine is down, which the welcome text tells. */
  private async list(): Promise<readonly ModelSummary[]> {
    try {
      return await this.models.load();
    } catch (error) {
      if (!(error instanceof UserError)) this.problems.show(error);
      return [];
    }
  }

  private modelsChanged({ structure, changed, removed }: ModelListChange): void {
    for (const id of removed) this.forget(id);
    const running = this.models.running.length;
    const tooltip = `${formatCount(running)} running ${running === 1 ? 'training' : 'trainings'}`;
    this.view.badge = running > 0 ? { value: running, tooltip } : undefined;
    if (structure) {
      this.stale.clear();
      this.changes.fire(undefined);
      return;
    }
    for (const { id } of changed) this.stale.add(id);
    this.draw();
  }

  private badgesChanged(model: string): void {
    const heads = [...this.nodes.values()].filter(node => node.kind === 'head' && node.model === model);
    if (heads.length > 0) this.changes.fire(heads);
  }

  private drawModel(model: string): void {
    if (!this.models.find(model)) return;
    this.stale.add(model);
    this.draw();
  }

  private drawStale(): void {
    const nodes = [...this.stale].map(model => this.same({ kind: 'model', model }));
    this.stale.clear();
    if (nodes.length > 0) this.changes.fire(nodes);
  }

  private same(node: ModelNode): ModelNode {
    const id = nodeId(node);
    const known = this.nodes.get(id) ?? node;
    this.nodes.set(id, known);
    return known;
  }

  private forget(model: string): void {
    this.details.delete(model);
    this.stale.delete(model);
    for (const [id, node] of this.nodes) if (node.model === model) this.nodes.delete(id);
  }
}

function treeItem(row: Row, canOpen: boolean): vscode.TreeItem {
  const { None, Collapsed } = vscode.TreeItemCollapsibleState;
  const item = new vscode.TreeItem(row.label, row.opens ? Collapsed : None);
  item.id = row.id;
  item.contextValue = row.context;
  item.iconPath = new vscode.ThemeIcon(row.icon.id, row.icon.color === undefined ? undefined : new vscode.ThemeColor(row.icon.color));
  item.accessibilityInformation = { label: row.spoken };
  if (row.description !== undefined) item.description = row.description;
  if (row.tooltip !== undefined) item.tooltip = new vscode.MarkdownString(row.tooltip);
  // Without arguments: those that VS Code keeps for a row are gone when the row changes just as it is clicked.
  if (canOpen) item.command = commandLink('circuits.openRow', 'Open');
  return item;
}
