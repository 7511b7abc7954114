import * as vscode from 'vscode';
import { Lifetime, type Disposable } from '../../common/lifetime';
import { setContext } from '../contributions';
import { isRunning, type ModelList } from '../models/modelList';
import type { Panels } from './panels';

/** Keeps the context key true that says whether the panel in front is of a model that is trained. */
export class PanelContext implements Disposable {
  private readonly lifetime = new Lifetime();
  private trains = false;

  constructor(private readonly models: ModelList, private readonly panels: Panels) {
    this.lifetime.add(models.onChange(() => this.update()));
    this.lifetime.add(panels.onFocusChange(() => this.update()));
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private update(): void {
    const model = this.panels.active && this.models.find(this.panels.active.state.model);
    const trains = model !== undefined && isRunning(model);
    // Models change often while they train, and this seldom.
    if (trains === this.trains) return;
    this.trains = trains;
    setContext(vscode.commands, 'circuits.panelTrains', trains);
  }
}
