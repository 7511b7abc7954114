import * as vscode from 'vscode';
import { Lifetime } from '../common/lifetime';
import { trustGranted } from '../protocol/engine';
import { BreakpointHits } from './breakpoints/breakpointHits';
import { BreakpointLenses } from './breakpoints/breakpointLenses';
import { BreakpointNews } from './breakpoints/breakpointNews';
import { breakpointNewsHost } from './breakpoints/breakpointNewsHost';
import { CheckpointEditors } from './checkpointEditor/checkpointEditors';
import { ClaimLensProvider } from './claims/claimLensProvider';
import { ClaimOutcomes } from './claims/claimOutcomes';
import { ClaimTests } from './claims/claimTests';
import { Commands } from './commands';
import { readSetting, runCommand } from './contributions';
import { Engine, forkEngine } from './engine';
import { EngineWatch } from './engineWatch';
import { ExperimentCompletion } from './experiments/experimentCompletion';
import { ExperimentContext } from './experiments/experimentContext';
import { ExperimentDiagnostics } from './experiments/experimentDiagnostics';
import { experimentText } from './experiments/experimentFiles';
import { ExperimentLensProvider } from './experiments/experimentLensProvider';
import { ExperimentStandings } from './experiments/experimentStandings';
import { ExperimentsView } from './experiments/experimentsView';
import { HeadBadges } from './models/headBadges';
import { HeadSelections } from './models/headSelections';
import { HookEditing } from './hooks/editing';
import { tensorFlowFolder } from './installTensorFlow';
import { KeptParameters } from './panels/keptParameters';
import { LanguageModelTools } from './languageModelTools';
import type { Memory } from './memory';
import { ModelList } from './models/modelList';
import { ModelsView } from './models/modelsView';
import { showSampleReadme } from './openSampleWorkspace';
import { PanelContext } from './panels/panelContext';
import { Panels } from './panels/panels';
import { PinnedModel } from './models/pinnedModel';
import { Problems } from './problems';
import { StatusBar } from './statusBar';
import { SweepList } from './sweeps/sweepList';
import { SweepNews } from './sweeps/sweepNews';
import { SweepPanels } from './sweeps/sweepPanels';
import { TrainingNews } from './training/trainingNews';
import { WaitingTrainings } from './training/waitingTrainings';
import { WebviewPages } from './panels/webviewPages';
import { WorkspaceExperiments } from './experiments/workspaceExperiments';
import { showInformation } from './notifications';

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
      trusted: vscode.workspace.isTrusted,
    }),
    log,
    now: () => performance.now(),
    patience: 60_000,
  }));
  lifetime.add(vscode.workspace.onDidGrantWorkspaceTrust(() => {
    // An engine that starts later learns it at its start.
    if (engine.state.kind !== 'stopped') problems.guard(() => engine.request(trustGranted));
  }));
  const models = lifetime.add(new ModelList(engine));
  const waiting = lifetime.add(new WaitingTrainings(models));
  const memory: Memory = {
    get: key => context.workspaceState.get(key),
    update: (key, value) => problems.guard(() => context.workspaceState.update(key, value)),
  };
  const outcomes = lifetime.add(new ClaimOutcomes(memory));
  const selections = lifetime.add(new HeadSelections(memory));
  const kept = new KeptParameters(memory);
  const badges = lifetime.add(new HeadBadges(engine, models, log));
  const hits = lifetime.add(new BreakpointHits(engine, models));
  const pinned = lifetime.add(new PinnedModel(memory, models, message => void showInformation(message)));
  const view = lifetime.add(new ModelsView(models, waiting, selections, badges, pinned, hits, problems));
  const hooks = lifetime.add(new HookEditing({ engine, models, pinned, view, problems, log }));
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
  lifetime.add(new CheckpointEditors({ engine, problems, log, pages }));
  const experiments = lifetime.add(new WorkspaceExperiments());
  const standings = lifetime.add(new ExperimentStandings({
    engine, models, sweeps, outcomes, log,
    sources: experiments,
    textOf: ({ file, text }) => experimentText(vscode.Uri.parse(file), text),
  }));
  lifetime.add(new ExperimentContext(experiments));
  lifetime.add(new ExperimentsView(experiments, standings));
  // Of lenses over the same line, those of the last that was registered come first.
  lifetime.add(new BreakpointLenses(standings, models, hits));
  lifetime.add(new ExperimentLensProvider(standings, models));
  lifetime.add(new ExperimentDiagnostics(experiments, standings));
  lifetime.add(new ExperimentCompletion({ engine, models, experiments, standings }));
  lifetime.add(new ClaimLensProvider(standings, outcomes));
  const claims = lifetime.add(new ClaimTests({ engine, models, sources: experiments, standings, outcomes, problems }));
  lifetime.add(new StatusBar(models, sweeps));
  lifetime.add(new TrainingNews(models, sweeps, problems));
  lifetime.add(new BreakpointNews(breakpointNewsHost({ engine, models, sweeps, view, problems })));
  lifetime.add(new PanelContext(models, panels));
  lifetime.add(new SweepNews(sweeps, problems, sweep => sweepPanels.show(sweep)));
  lifetime.add(new EngineWatch(engine, models, sweeps, waiting, problems));
  lifetime.add(new LanguageModelTools(engine, problems));

  const activation = { milliseconds: 0 };
  lifetime.add(new Commands({ engine, models, waiting, selections, view, pinned, hooks, panels, sweeps, sweepPanels, written: experiments, claims, outcomes, problems, log, context, activation }));
  problems.guard(showSampleReadme);
  activation.milliseconds = performance.now() - began;
  log.info(`Activated in ${activation.milliseconds.toFixed(1)} ms.`);
}
