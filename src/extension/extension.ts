import * as vscode from 'vscode';
import { Lifetime } from '../common/lifetime';
import { Commands } from './commands';
import { readSetting } from './contributions';
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
import { TrainingNews } from './trainingNews';

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
  const memory: Memory = {
    get: key => context.workspaceState.get(key),
    update: (key, value) => problems.guard(() => context.workspaceState.update(key, value)),
  };
  const selections = lifetime.add(new HeadSelections(memory));
  const kept = new KeptParameters(memory);
  const badges = lifetime.add(new HeadBadges(engine, models, log));
  const view = lifetime.add(new ModelsView(models, selections, badges, problems));
  const panels = lifetime.add(new Panels({ engine, models, selections, kept, problems, log, extensionUri }));
  lifetime.add(new ExperimentsView());
  lifetime.add(new ExperimentDiagnostics(engine, log));
  lifetime.add(new StatusBar(models));
  lifetime.add(new TrainingNews(models, problems));
  lifetime.add(new EngineWatch(engine, models, problems));

  const activation = { milliseconds: 0 };
  lifetime.add(new Commands({ engine, models, selections, view, panels, problems, log, context, activation }));
  activation.milliseconds = performance.now() - began;
  log.info(`Activated in ${activation.milliseconds.toFixed(1)} ms.`);
}
