import * as vscode from 'vscode';
import { Emitter } from '../../common/event';
import { Lifetime, toDisposable, type Disposable } from '../../common/lifetime';
import { claimItems, type ClaimItem } from './claimItems';
import { subjectOf } from './claimOutcomes';
import { experimentSuffix, readExperiment } from '../experiments/experimentFiles';
import { outlineOf } from '../experiments/experimentOutline';
import { isJson } from '../experiments/experimentProblems';
import type { ExperimentSources } from '../experiments/experimentStandings';
import { placesIn } from '../experiments/textPlaces';
import { withoutIcons } from '../format';

/** Milliseconds of rest after typing before the items follow. */
const rest = 300;

/** The claims of an experiment file as it was last read. */
export interface ClaimedFile {
  readonly uri: vscode.Uri;
  readonly text: string;
  readonly item: vscode.TestItem;
  readonly claims: readonly (ClaimItem & { readonly item: vscode.TestItem; readonly boundRange: vscode.Range })[];
}

/** The items of the Test Explorer: the experiment files that have claims, and under each its claims. */
export class ClaimTestItems implements Disposable {
  private readonly lifetime = new Lifetime();
  private readonly changes = this.lifetime.add(new Emitter<void>());
  /** Item → what it was made of: what is measured of it is out of date once that changes. */
  private readonly made = new WeakMap<vscode.TestItem, string>();
  private readonly resting = new Map<string, NodeJS.Timeout>();
  /** Tells that there are other files than before. */
  readonly onChange = this.changes.event;

  constructor(private readonly controller: vscode.TestController, private readonly sources: ExperimentSources) {
    this.lifetime.add(sources.onChange(({ file, typed }) => {
      if (file === undefined) return this.readAll();
      clearTimeout(this.resting.get(file));
      this.resting.delete(file);
      if (typed) this.resting.set(file, setTimeout(() => this.read(file), rest));
      else this.read(file);
    }));
    this.lifetime.add(toDisposable(() => this.resting.forEach(timer => clearTimeout(timer))));
    this.readAll();
  }

  /** Files that have claims. */
  get count(): number {
    return this.controller.items.size;
  }

  readAll(): void {
    const files = new Set(this.sources.all.map(({ file }) => file));
    for (const [id] of this.controller.items) if (!files.has(id)) this.delete(id);
    for (const { file, text } of this.sources.all) this.show(vscode.Uri.parse(file), text);
  }

  /** The claims of a file as they are now; nothing where it has none. */
  async file(uri: vscode.Uri): Promise<ClaimedFile | undefined> {
    return this.show(uri, this.sources.get(uri.toString())?.text ?? await readExperiment(uri));
  }

  /** The item that stands now for what an item stood for once; it may have gone and come again since. */
  current({ id, uri }: vscode.TestItem): vscode.TestItem | undefined {
    const file = this.controller.items.get(String(uri));
    return id === file?.id ? file : file?.children.get(id);
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private read(file: string): void {
    this.resting.delete(file);
    const source = this.sources.get(file);
    if (source) this.show(vscode.Uri.parse(file), source.text);
    else this.delete(file);
  }

  private show(uri: vscode.Uri, text: string): ClaimedFile | undefined {
    const id = uri.toString();
    const claims = claimItems(text);
    if (claims.length === 0) {
      // What is half typed has its claims again soon.
      if (isJson(text)) this.delete(id);
      return undefined;
    }
    const item = this.fileItem(id, uri);
    this.know(item, subjectOf(outlineOf(text)));
    const placeOf = placesIn(text);
    const rangeOf = ({ start, end }: ClaimItem['span']) => {
      const [from, to] = [placeOf(start), placeOf(end)];
      return new vscode.Range(from.line, from.character, to.line, to.character);
    };
    const shown = claims.map((claim, at) => {
      const child = item.children.get(claim.id) ?? this.controller.createTestItem(claim.id, claim.label, uri);
      child.range = rangeOf(claim.span);
      // Without it the claims would stand in the order of their words.
      child.sortText = String(at).padStart(5, '0');
      this.know(child, claim.content);
      return { ...claim, item: child, boundRange: rangeOf(claim.bound) };
    });
    item.children.replace(shown.map(({ item: child }) => child));
    return { uri, text, item, claims: shown };
  }

  private fileItem(id: string, uri: vscode.Uri): vscode.TestItem {
    const known = this.controller.items.get(id);
    if (known) return known;
    const path = vscode.workspace.asRelativePath(uri);
    // A description would be read out in place of the label.
    const item = this.controller.createTestItem(id, withoutIcons(path.slice(0, -experimentSuffix.length)), uri);
    item.sortText = path;
    this.controller.items.add(item);
    this.changes.fire();
    return item;
  }

  private know(item: vscode.TestItem, what: string): void {
    const before = this.made.get(item);
    this.made.set(item, what);
    if (before !== undefined && before !== what) this.controller.invalidateTestResults(item);
  }

  private delete(id: string): void {
    if (!this.controller.items.get(id)) return;
    this.controller.items.delete(id);
    this.changes.fire();
  }
}
