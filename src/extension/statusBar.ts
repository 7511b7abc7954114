import * as vscode from 'vscode';
import { Lifetime, type Disposable } from '../common/lifetime';
import { throttle } from '../common/throttle';
import { commandLink } from './contributions';
import type { ModelList } from './models/modelList';
import { runningText } from './runningText';
import type { SweepList } from './sweeps/sweepList';

/** Milliseconds between two drawings. */
const drawEvery = 250;

/** Says in the status bar what trains, while something does. */
export class StatusBar implements Disposable {
  private readonly lifetime = new Lifetime();
  private readonly item: vscode.StatusBarItem;

  constructor(private readonly models: ModelList, private readonly sweeps: SweepList) {
    this.item = this.lifetime.add(vscode.window.createStatusBarItem('circuits.running', vscode.StatusBarAlignment.Left));
    this.item.name = 'Circuits: Running Trainings';
    this.item.command = commandLink('circuits.showRunning', 'Show Running Trainings');
    const drawing = this.lifetime.add(throttle(() => this.draw(), drawEvery));
    this.lifetime.add(models.onChange(() => drawing.call()));
    this.lifetime.add(sweeps.onChange(() => drawing.call()));
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private draw(): void {
    const shown = runningText(this.models.running, this.sweeps.running);
    if (!shown) {
      this.item.hide();
      return;
    }
    this.item.text = shown.text;
    this.item.tooltip = shown.tooltip;
    this.item.accessibilityInformation = { label: shown.spoken, role: 'button' };
    this.item.show();
  }
}
