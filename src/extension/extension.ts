import * as vscode from 'vscode';
import { Lifetime } from '../common/lifetime';
import { Commands } from './commands';
import { readSetting, runCommand } from './contributions';
import { Engine, forkEngine } from './engine';
import { EngineWatch } from './engineWatch';
import { ExperimentDiagnostics } from './experimentDiagnostics';
import { ExperimentsView } from './experimentsView';
import { HeadBadges } from './headBadges';
import { HeadSelections } from './headSelections';
import { tensorFlowFolder } from './installTensorFlow';
import { KeptParameters } from './keptParameters';
import type { Memory } from './memory';
import { ModelList } from './modelList';
import { ModelsView } from './modelsView';
import { Panels } from './panels';
import { Problems } from './problems';
import { StatusBar } from './statusBar';
import { SweepList } from './sweepList';
import { SweepNews } from './sweepNews';
import { SweepPanels } from './sweepPanels';
import { TrainingNews } from './trainingNews';
import { WaitingTrainings } from './waitingTrainings';
import { WebviewPages } from './webviewPages';

/** Puts everything in its place; the engine starts when something is first asked of it. */
export function activate(context: vscode.ExtensionContext): void {
  const began = performance.now();
  const lifetime = new Lifetime();
  context.subscriptions.push(lifetime);
  const log = lifetime.add(vscode.window.createOutputChannel('Circuits', { log: true }));
  const problems = new Problems(log);
  const { extensionUri, globalStorageUri } = context;

  const engine = lifetime.add(new Engine({
    fork: () => forkEngine(vscode.Uri.joinPath(extensionUri, 'dist', 'engine.js').fsPath, {
      CIRCUITS_TENSORFLOW: tensorFlowFolder(globalStorageUri.fsPath),
    }),
    settings: () => ({
      store: readSetting(vscode.workspace, 'circuits.modelsFolder') || vscode.Uri.joinPath(globalStorageUri, 'models').fsPath,
      device: readSetting(vscode.workspace, 'circuits.device'),
      threads: readSetting(vscode.workspace, 'circuits.threads'),
    }),
    log,
    now: () => performance.now(),
    patience: 60_000,
  }));
  const models = lifetime.add(new ModelList(engine));
  const waiting = lifetime.add(new WaitingTrainings(models));
  const memory: Memory = {
    get: key => context.workspaceState.get(key),
    update: (key, value) => problems.guard(() => context.workspaceState.update(key, value)),
  };
  const selections = lifetime.add(new HeadSelections(memory));
  const kept = new KeptParameters(memory);
  const badges = lifetime.add(new HeadBadges(engine, models, log));
  const view = lifetime.add(new ModelsView(models, waiting, selections, badges, problems));
  const pages = new WebviewPages(extensionUri);
  const panels = lifetime.add(new Panels({ engine, models, selections, kept, problems, log, pages }));
  const sweeps = lifetime.add(new SweepList(engine));
  const sweepPanels = lifetime.add(new SweepPanels({
    engine, sweeps, problems, log, pages,
    openRun: async model => {
      await models.get(model);
      view.show({ kind: 'model', model }, true);
      await runCommand(vscode.commands, 'circuits.openTrainingCurves', { model });
    },
  }));
  lifetime.add(new ExperimentsView());
  lifetime.add(new ExperimentDiagnostics(engine, log));
  lifetime.add(new StatusBar(models, sweeps));
  lifetime.add(new TrainingNews(models, sweeps, problems));
  lifetime.add(new SweepNews(sweeps, problems, sweep => sweepPanels.show(sweep)));
  lifetime.add(new EngineWatch(engine, models, sweeps, waiting, problems));

  const activation = { milliseconds: 0 };
  lifetime.add(new Commands({ engine, models, waiting, selections, view, panels, sweeps, sweepPanels, problems, log, context, activation }));
  activation.milliseconds = performance.now() - began;
  log.info(`Activated in ${activation.milliseconds.toFixed(1)} ms.`);
}
