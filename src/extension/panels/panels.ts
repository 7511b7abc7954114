import * as vscode from 'vscode';
import { Emitter } from '../../common/event';
import { Lifetime, toDisposable, type Disposable } from '../../common/lifetime';
import type { PanelState } from '../../protocol/panel';
import { chooseComparison } from './chooseComparison';
import { panelType } from '../contributions';
import type { Engine } from '../engine';
import { saveExport } from './exports';
import { completeStep, isFirstStep } from '../firstSteps';
import type { Log } from '../engineSession';
import type { HeadSelections } from '../models/headSelections';
import type { KeptParameters } from './keptParameters';
import type { ModelList } from '../models/modelList';
import { panelState, readPanelState } from './panelMessages';
import { PanelSession } from './panelSession';
import type { Problems } from '../problems';
import { SharedCheckpoints } from './sharedCheckpoints';
import type { WebviewPages } from './webviewPages';
import { showInStatusBar } from '../notifications';

export interface PanelsHost {
  readonly engine: Engine;
  readonly models: ModelList;
  readonly selections: HeadSelections;
  readonly kept: KeptParameters;
  readonly problems: Problems;
  readonly log: Log;
  readonly pages: WebviewPages;
}

interface OpenPanel {
  readonly panel: vscode.WebviewPanel;
  readonly session: PanelSession;
}

/** The analysis panels: one for each model and analysis, beside the editor. */
export class Panels implements vscode.WebviewPanelSerializer, Disposable {
  private readonly lifetime = new Lifetime();
  private readonly open = new Map<string, OpenPanel>();
  private readonly checkpoints = new SharedCheckpoints();
  private readonly focusChanges = this.lifetime.add(new Emitter<void>());
  /** Another panel, or none, may have the focus. */
  readonly onFocusChange = this.focusChanges.event;

  constructor(private readonly host: PanelsHost) {
    this.lifetime.add(vscode.window.registerWebviewPanelSerializer(panelType, this));
    this.lifetime.add(toDisposable(() => [...this.open.values()].forEach(({ panel }) => panel.dispose())));
  }

  /** The session of the panel that has the focus. */
  get active(): PanelSession | undefined {
    return [...this.open.values()].find(({ panel }) => panel.active)?.session;
  }

  /** The session of the panel that has the focus, or else of one that can be seen. */
  get inSight(): PanelSession | undefined {
    return this.active ?? [...this.open.values()].find(({ panel }) => panel.visible)?.session;
  }

  of({ model, analysis }: Pick<PanelState, 'model' | 'analysis'>): PanelSession | undefined {
    return this.open.get(key(model, analysis))?.session;
  }

  /** Brings the panel to the front. */
  reveal({ model, analysis }: Pick<PanelState, 'model' | 'analysis'>, preserveFocus: boolean): void {
    this.open.get(key(model, analysis))?.panel.reveal(undefined, preserveFocus);
  }

  /**
   * Opens the panel, or brings it to the front, without taking the focus from the tree that asked for it. Parameters that
   * are not named are as they were last.
   */
  async show({ model, analysis, params, checkpoint }: PanelState, preserveFocus: boolean): Promise<void> {
    const existing = this.open.get(key(model, analysis));
    if (existing) {
      existing.session.showWith(params, checkpoint);
      existing.panel.reveal(undefined, preserveFocus);
      return;
    }
    if (checkpoint !== undefined) this.checkpoints.move(model, checkpoint);
    const [first] = this.open.values();
    const panel = this.host.pages.create(panelType, preserveFocus, first?.panel);
    await this.fill(panel, panelState(model, analysis, { ...this.host.kept.of({ model, analysis }), ...params }, checkpoint));
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel, kept: unknown): Promise<void> {
    const state = readPanelState(kept);
    if (!state || this.open.has(key(state.model, state.analysis))) {
      panel.dispose();
      return;
    }
    this.host.pages.prepare(panel);
    await this.fill(panel, state);
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private async fill(panel: vscode.WebviewPanel, state: PanelState): Promise<void> {
    const { engine, models, selections, kept, problems, log, pages } = this.host;
    const lifetime = this.lifetime.add(new Lifetime());
    const id = key(state.model, state.analysis);
    const session = lifetime.add(new PanelSession(state, {
      engine,
      models,
      selections,
      checkpoints: this.checkpoints,
      // A panel that is closing takes no more messages.
      send: message => void panel.webview.postMessage(message).then(undefined, () => undefined),
      title: title => (panel.title = title),
      compare: () => problems.guard(() => chooseComparison({ engine, models }, session)),
      open: other => problems.guard(() => this.show(other, false)),
      copy: (...copied) => problems.guard(() => copyFromPanel(...copied)),
      remember: shown => kept.keep(shown),
      show: error => problems.show(error),
      save: (name, format, content) => problems.guard(() => saveExport(name, format, content)),
      explain: error => problems.explain(error),
      warn: message => log.warn(message),
    }));
    this.open.set(id, { panel, session });
    this.focusChanges.fire();
    if (isFirstStep(state.analysis)) completeStep(state.analysis);
    lifetime.add(panel.webview.onDidReceiveMessage(message => session.receive(message)));
    lifetime.add(panel.onDidChangeViewState(() => {
      if (!panel.visible) session.hide();
      this.focusChanges.fire();
    }));
    lifetime.add(panel.onDidDispose(() => {
      this.open.delete(id);
      this.focusChanges.fire();
      this.lifetime.release(lifetime);
    }));
    await pages.fill(panel, 'analysis', session.titled, () => lifetime.isEnded);
  }
}

async function copyFromPanel(what: 'claim' | 'code', text: string, said: string): Promise<void> {
  await vscode.env.clipboard.writeText(text);
  if (what === 'claim') completeStep('claim');
  showInStatusBar('check', said, 5000);
}

function key(model: string, analysis: string): string {
  return `${analysis} ${model}`;
}
