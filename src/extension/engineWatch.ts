import * as vscode from 'vscode';
import { Lifetime, type Disposable } from '../common/lifetime';
import { setContext, type ContextKeys, type Setting } from './contributions';
import type { Engine, EngineState } from './engine';
import { runsTensorFlow } from './installTensorFlow';
import { choices, type ModelAction } from './models/modelChoices';
import type { ModelList } from './models/modelList';
import type { Problems } from './problems';
import { canCancelSweep, canResumeSweep, type SweepList } from './sweeps/sweepList';
import type { WaitingTrainings } from './training/waitingTrainings';
import { showInformation } from './notifications';

/** What the engine is told when it starts; the others are read when they are needed. */
const engineSettings = ['circuits.modelsFolder', 'circuits.device', 'circuits.threads'] as const satisfies readonly Setting[];

/** What is done to models → whether it can be. */
const actionKeys = {
  stop: 'circuits.canStop', pause: 'circuits.canPause', step: 'circuits.canStep', resume: 'circuits.canResume', retrain: 'circuits.canRetrain', fineTune: 'circuits.canFineTune', bind: 'circuits.canBind', export: 'circuits.canExport',
} as const satisfies Partial<Record<ModelAction, keyof ContextKeys>>;

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
      this.setModels();
      this.setRunning();
      this.apply();
    }));
    this.lifetime.add(waiting.onChange(() => setContext(vscode.commands, 'circuits.waiting', waiting.all.length > 0)));
    this.lifetime.add(sweeps.onListed(() => this.setSweeps()));
    this.lifetime.add(sweeps.onChange(({ summary, before }) => {
      if (summary.status === before?.status) return;
      this.setRunning();
      this.apply();
    }));
    this.lifetime.add(vscode.workspace.onDidChangeConfiguration(event =>
      engineSettings.some(setting => event.affectsConfiguration(setting)) && this.settingsChanged()));
    setContext(vscode.commands, 'circuits.tensorFlow', runsTensorFlow(process) ? 'possible' : 'impossible');
    this.stateChanged(engine.state);
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private stateChanged(state: EngineState): void {
    setContext(vscode.commands, 'circuits.engine', state.kind);
    if (state.kind === 'failed') this.problems.engineFailed(state.problem);
    // What there is decides which commands are offered; a list that cannot be read is shown by whoever needs it.
    if (state.kind !== 'ready') return;
    void this.models.load().catch(() => undefined);
    void this.sweeps.load().catch(() => undefined);
  }

  private get isBusy(): boolean {
    return this.models.running.length > 0 || this.sweeps.running.length > 0;
  }

  private setModels(): void {
    const { models } = this.models;
    setContext(vscode.commands, 'circuits.hasModels', models.length > 0);
    for (const action of Object.keys(actionKeys) as (keyof typeof actionKeys)[]) {
      setContext(vscode.commands, actionKeys[action], models.some(choices[action].fits));
    }
  }

  private setSweeps(): void {
    const { known } = this.sweeps;
    setContext(vscode.commands, 'circuits.hasSweeps', known.length > 0);
    setContext(vscode.commands, 'circuits.canCancelSweep', known.some(canCancelSweep));
    setContext(vscode.commands, 'circuits.canResumeSweep', known.some(canResumeSweep));
  }

  private setRunning(): void {
    setContext(vscode.commands, 'circuits.running', this.isBusy);
  }

  private settingsChanged(): void {
    if (this.engine.state.kind === 'stopped') return;
    this.outdated = true;
    if (this.isBusy) {
      void showInformation('The changed settings of Circuits apply when the running trainings have ended.');
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
