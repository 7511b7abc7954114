import * as vscode from 'vscode';
import { Lifetime, type Disposable } from '../common/lifetime';
import { setContext, type Setting } from './contributions';
import type { Engine, EngineState } from './engine';
import { canFineTune, type ModelList } from './modelList';
import type { Problems } from './problems';
import type { SweepList } from './sweepList';
import type { WaitingTrainings } from './waitingTrainings';

/** What the engine is told when it starts; the others are read when they are needed. */
const engineSettings = ['circuits.modelsFolder', 'circuits.device', 'circuits.threads'] as const satisfies readonly Setting[];

/** Keeps the context keys true, says when the engine is down for good, and applies changed settings to it. */
export class EngineWatch implements Disposable {
  private readonly lifetime = new Lifetime();
  /** Settings have changed that the engine does not know of. */
  private outdated = false;

  constructor(
    private readonly engine: Engine,
    private readonly models: ModelList,
    private readonly sweeps: SweepList,
    waiting: WaitingTrainings,
    private readonly problems: Problems,
  ) {
    this.lifetime.add(engine.onStateChange(state => this.stateChanged(state)));
    this.lifetime.add(models.onChange(() => {
      setContext(vscode.commands, 'circuits.hasModels', models.models.length > 0);
      setContext(vscode.commands, 'circuits.canFineTune', models.models.some(canFineTune));
      this.setRunning();
      this.apply();
    }));
    this.lifetime.add(waiting.onChange(() => setContext(vscode.commands, 'circuits.waiting', waiting.all.length > 0)));
    this.lifetime.add(sweeps.onChange(({ summary, before }) => {
      if (summary.status === before?.status) return;
      this.setRunning();
      this.apply();
    }));
    this.lifetime.add(vscode.workspace.onDidChangeConfiguration(event =>
      engineSettings.some(setting => event.affectsConfiguration(setting)) && this.settingsChanged()));
    this.stateChanged(engine.state);
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private stateChanged(state: EngineState): void {
    setContext(vscode.commands, 'circuits.engine', state.kind);
    if (state.kind === 'failed') this.problems.engineFailed(state.problem);
    // What there is decides which commands are offered; a list that cannot be read is shown by whoever needs it.
    if (state.kind === 'ready') void this.models.load().catch(() => undefined);
  }

  private get isBusy(): boolean {
    return this.models.running.length > 0 || this.sweeps.running.length > 0;
  }

  private setRunning(): void {
    setContext(vscode.commands, 'circuits.running', this.isBusy);
  }

  private settingsChanged(): void {
    if (this.engine.state.kind === 'stopped') return;
    this.outdated = true;
    if (this.isBusy) {
      void vscode.window.showInformationMessage('The changed settings of Circuits apply when the running trainings have ended.');
    }
    this.apply();
  }

  /** Starts the engine anew with the settings, which would end running trainings and so waits for them. */
  private apply(): void {
    if (!this.outdated || this.isBusy) return;
    this.outdated = false;
    this.problems.guard(() => this.engine.restart());
  }
}
