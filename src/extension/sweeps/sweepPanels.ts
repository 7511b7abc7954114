import * as vscode from 'vscode';
import { Lifetime, toDisposable, type Disposable } from '../../common/lifetime';
import type { SweepPanelState } from '../../protocol/sweepPanel';
import { sweepPanelType } from '../contributions';
import type { Engine } from '../engine';
import type { Log } from '../engineSession';
import { saveExport } from '../panels/exports';
import type { Problems } from '../problems';
import type { SweepList } from './sweepList';
import { readSweepState } from './sweepMessages';
import { SweepSession } from './sweepSession';
import type { WebviewPages } from '../panels/webviewPages';

export interface SweepPanelsHost {
  readonly engine: Engine;
  readonly sweeps: SweepList;
  readonly problems: Problems;
  readonly log: Log;
  readonly pages: WebviewPages;
  /** Shows the model of a run. */
  openRun(model: string): Promise<void>;
}

interface OpenPanel {
  readonly panel: vscode.WebviewPanel;
  readonly session: SweepSession;
}

/** The panels of sweeps, one for each. */
export class SweepPanels implements vscode.WebviewPanelSerializer, Disposable {
  private readonly lifetime = new Lifetime();
  private readonly open = new Map<string, OpenPanel>();

  constructor(private readonly host: SweepPanelsHost) {
    this.lifetime.add(vscode.window.registerWebviewPanelSerializer(sweepPanelType, this));
    this.lifetime.add(toDisposable(() => [...this.open.values()].forEach(({ panel }) => panel.dispose())));
  }

  /** The session of the panel that has the focus, or else of one that can be seen. */
  get inSight(): SweepSession | undefined {
    const open = [...this.open.values()];
    return (open.find(({ panel }) => panel.active) ?? open.find(({ panel }) => panel.visible))?.session;
  }

  /** Opens a sweep's panel, or brings it to the front. */
  async show(sweep: string): Promise<void> {
    const existing = this.open.get(sweep);
    if (existing) {
      existing.panel.reveal();
      return;
    }
    const [first] = this.open.values();
    await this.fill(this.host.pages.create(sweepPanelType, false, first?.panel), { sweep });
  }

  close(sweep: string): void {
    this.open.get(sweep)?.panel.dispose();
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel, kept: unknown): Promise<void> {
    const state = readSweepState(kept);
    if (!state || this.open.has(state.sweep)) {
      panel.dispose();
      return;
    }
    this.host.pages.prepare(panel);
    await this.fill(panel, state);
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private async fill(panel: vscode.WebviewPanel, state: SweepPanelState): Promise<void> {
    const { engine, sweeps, problems, log, pages } = this.host;
    const lifetime = this.lifetime.add(new Lifetime());
    const session = lifetime.add(new SweepSession(state, {
      engine,
      sweeps,
      // A panel that is closing takes no more messages.
      send: message => void panel.webview.postMessage(message).then(undefined, () => undefined),
      title: title => (panel.title = title),
      open: model => problems.guard(() => this.host.openRun(model)),
      save: (name, format, content) => problems.guard(() => saveExport(name, format, content, 'Save')),
      show: error => problems.show(error),
      explain: error => problems.explain(error),
      warn: message => log.warn(message),
    }));
    this.open.set(state.sweep, { panel, session });
    lifetime.add(panel.webview.onDidReceiveMessage(message => session.receive(message)));
    lifetime.add(panel.onDidChangeViewState(() => !panel.visible && session.hide()));
    lifetime.add(panel.onDidDispose(() => {
      this.open.delete(state.sweep);
      this.lifetime.release(lifetime);
    }));
    await pages.fill(panel, 'sweep', session.titled, () => lifetime.isEnded);
  }
}
