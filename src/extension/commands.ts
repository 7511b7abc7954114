import * as vscode from 'vscode';
import { UserError } from '../common/errors';
import { Lifetime, type Disposable } from '../common/lifetime';
import type { TrainAnswer } from '../protocol/engine';
import type { ModelSummary } from '../protocol/model';
import { addBreakpointToFile } from './breakpoints/addBreakpointToFile';
import { BreakpointCommands } from './breakpoints/breakpointCommands';
import { registerCommand, type Command, type CommandArgument, type ModelTarget } from './contributions';
import { compareWith } from './panels/compareWith';
import { collectDiagnostics } from './collectDiagnostics';
import type { ClaimOutcomes } from './claims/claimOutcomes';
import type { ClaimTests } from './claims/claimTests';
import type { Engine } from './engine';
import { ExperimentPicker } from './experiments/experimentPicker';
import { pickExport } from './panels/exports';
import { fineTune } from './training/fineTune';
import type { HeadSelections } from './models/headSelections';
import type { HookEditing } from './hooks/editing';
import type { ModelAction } from './models/modelChoices';
import { ModelCommands } from './models/modelCommands';
import type { ModelList } from './models/modelList';
import { analysisOf } from './models/modelNodes';
import { ModelPicker } from './models/modelPicker';
import type { ModelsView } from './models/modelsView';
import { newExperiment } from './experiments/newExperiment';
import { newTask } from './taskModules/newTask';
import { openFigure } from './openFigure';
import { openClaimFigure } from './claims/openClaimFigure';
import { OpenAnalysis } from './openAnalysis';
import { openSampleWorkspace } from './openSampleWorkspace';
import { openWalkthrough } from './openWalkthrough';
import type { Panels } from './panels/panels';
import type { PinnedModel } from './models/pinnedModel';
import type { Problems } from './problems';
import { setUpTensorFlow } from './setUpTensorFlow';
import { ImportCommand } from './imports/importModel';
import { OwnModels } from './imports/ownModels';
import { showRunning } from './showRunning';
import { SweepCommand } from './sweeps/sweep';
import { SweepCommands } from './sweeps/sweepCommands';
import type { SweepList } from './sweeps/sweepList';
import type { SweepPanels } from './sweeps/sweepPanels';
import { TrainCommand } from './training/train';
import type { WaitingTrainings } from './training/waitingTrainings';
import type { WorkspaceExperiments } from './experiments/workspaceExperiments';
import { showInformation } from './notifications';

export interface CommandsHost {
  readonly engine: Engine;
  readonly models: ModelList;
  readonly waiting: WaitingTrainings;
  readonly selections: HeadSelections;
  readonly view: ModelsView;
  readonly pinned: PinnedModel;
  readonly hooks: HookEditing;
  readonly panels: Panels;
  readonly sweeps: SweepList;
  readonly sweepPanels: SweepPanels;
  /** The experiment files of the workspace. */
  readonly written: WorkspaceExperiments;
  readonly claims: ClaimTests;
  readonly outcomes: ClaimOutcomes;
  readonly problems: Problems;
  readonly log: vscode.LogOutputChannel;
  readonly context: vscode.ExtensionContext;
  readonly activation: { readonly milliseconds: number };
}

/** What every command does, each in a line. */
type Handlers = { readonly [C in Command]: (argument: CommandArgument<C>) => unknown };

export class Commands implements Disposable {
  private readonly lifetime = new Lifetime();
  private readonly picker: ModelPicker;

  constructor(private readonly host: CommandsHost) {
    this.picker = new ModelPicker(host.models, host.panels);
    const handlers = this.handlers();
    for (const command of Object.keys(handlers) as Command[]) this.register(command, handlers);
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private register<C extends Command>(command: C, handlers: Handlers): void {
    this.lifetime.add(registerCommand(vscode.commands, command, async argument => {
      try {
        await handlers[command](argument);
      } catch (error) {
        this.host.problems.show(error);
      }
    }));
  }

  private handlers(): Handlers {
    const { engine, models, waiting, view, pinned, hooks, panels, sweeps, sweepPanels, written, claims, outcomes, log, context, activation, problems } = this.host;
    const experiments = new ExperimentPicker(engine, context.extensionUri);
    const training = this.lifetime.add(new TrainCommand({ engine, models, waiting, problems, experiments, begun: answer => this.trained(answer) }));
    const sweeping = new SweepCommand(engine, experiments);
    const sweep = new SweepCommands(engine, sweeps, sweepPanels);
    const model = new ModelCommands(engine);
    const importing = new ImportCommand(engine);
    const own = new OwnModels(engine, models);
    const breakpoints = new BreakpointCommands(this.host);
    const analyses = new OpenAnalysis(this.host, this.picker);
    return {
      'circuits.train': async () => this.trained(await training.fromList()),
      'circuits.trainFile': async file => this.trained(await training.fromFile(file)),
      'circuits.trainNow': async file => this.trained(await training.fromFileNow(file)),
      'circuits.cancelWaiting': target => training.cancelWaiting(target?.model),
      'circuits.newExperiment': () => newExperiment({ engine, models, experiments: written, extensionUri: context.extensionUri }),
      'circuits.newTask': () => newTask(context.extensionUri),
      'circuits.fineTune': target => this.fineTune(target),
      'circuits.fineTuneFromHere': target => this.fineTune(target),
      'circuits.sweep': async file => {
        const started = await sweeping.run(file);
        if (!started) return;
        sweeps.know(started);
        await sweepPanels.show(started.id);
      },
      'circuits.verify': file => claims.verify(file),
      'circuits.runClaim': target => target && claims.runClaim(target),
      'circuits.openClaimFigure': target => target && openClaimFigure({ engine, models, outcomes }, target),
      'circuits.openSweep': target => sweep.open(target?.sweep),
      'circuits.cancelSweep': () => sweep.control('cancel'),
      'circuits.resumeSweep': () => sweep.control('resume'),
      'circuits.forgetSweep': () => sweep.forget(),
      'circuits.exportSweep': () => sweep.export(),
      'circuits.stop': target => this.withModel('stop', target, chosen => model.control(chosen, 'stop')),
      'circuits.pause': target => this.withModel('pause', target, chosen => model.control(chosen, 'pause')),
      'circuits.resume': target => this.withModel('resume', target, chosen => model.control(chosen, 'resume')),
      'circuits.stepToCheckpoint': target => this.withModel('step', target, chosen => model.control(chosen, 'step')),
      'circuits.addBreakpoint': target => this.withModel('addBreakpoint', target, chosen => breakpoints.add(chosen)),
      'circuits.addBreakpointToFile': file => addBreakpointToFile(engine, file),
      'circuits.breakWhen': async () => {
        const panel = panels.active;
        if (!panel) throw new UserError('Open an analysis of a model that is being trained first.');
        await breakpoints.breakWhen(await models.get(panel.state.model), panel);
      },
      'circuits.removeBreakpoint': target => this.withModel('removeBreakpoint', target, chosen => breakpoints.remove(chosen)),
      'circuits.retrain': target => this.withModel('retrain', target, chosen => model.retrain(chosen)),
      'circuits.importModel': async file => this.shown((await importing.run(file))?.model),
      'circuits.bindModel': target => this.withModel('bind', target, chosen => own.bind(chosen)),
      'circuits.processModel': target => this.withModel('process', target, async chosen => this.shown(await own.process(chosen, target?.checkpoint))),
      'circuits.exportModel': target => this.withModel('export', target, chosen => own.export(chosen, target?.checkpoint)),
      'circuits.rename': target => this.withModel('rename', target, chosen => model.rename(chosen)),
      'circuits.delete': target => this.withModel('delete', target, chosen => model.delete(chosen)),
      'circuits.revealInFolder': target => this.withModel('reveal', target, chosen => model.revealInFolder(chosen)),
      'circuits.openAttention': target => analyses.open('attention', target),
      'circuits.openTrainingCurves': target => analyses.open('training-curves', target),
      'circuits.openHeadScores': target => analyses.open('head-scores', target),
      'circuits.openDirectLogitAttribution': target => analyses.open('direct-logit-attribution', target),
      'circuits.openEdgeAttribution': target => analyses.open('edge-attribution', target),
      'circuits.openOvCircuit': target => analyses.open('ov-circuit', target),
      'circuits.openActivationPatching': target => analyses.open('activation-patching', target),
      'circuits.openAnalysis': target => analyses.choose(target),
      'circuits.compareWith': target => compareWith({ engine, models, panels }, analyses, target),
      'circuits.pinModel': target => this.withModel('pin', target, async chosen => pinned.pin(chosen)),
      'circuits.unpinModel': () => pinned.unpin(),
      'circuits.revealTensor': target => hooks.reveal(target),
      'circuits.openRow': () => {
        const row = view.selected;
        const analysis = row && analysisOf(row, models.find(row.model));
        return analysis && analyses.open(analysis, row);
      },
      'circuits.openFigure': target => target && openFigure(engine, panels, target),
      'circuits.exportFigure': async () => {
        const panel = panels.active;
        if (!panel) throw new UserError('Open an analysis first; the figure of the panel in front is exported.');
        const chosen = await pickExport(panel.figures);
        if (chosen) panel.exportFigure(chosen.format, chosen.figure);
      },
      'circuits.showRunning': () => showRunning({ models, view, sweeps, sweepPanels }),
      'circuits.refresh': () => models.refresh(),
      'circuits.restartEngine': async () => {
        await engine.restart();
        await models.refresh();
      },
      'circuits.openLog': () => log.show(true),
      'circuits.collectDiagnostics': () => {
        const { version } = context.extension.packageJSON as { readonly version: string };
        return collectDiagnostics(engine, models, { version, activationMilliseconds: activation.milliseconds });
      },
      'circuits.setUpTensorFlow': async () => {
        await setUpTensorFlow(context.globalStorageUri, log);
        // A running engine has looked for TensorFlow already, but not at the cost of the trainings.
        if (engine.state.kind === 'ready' && models.running.length === 0 && sweeps.running.length === 0) await engine.restart();
        void showInformation('TensorFlow is installed. Choose the device "tensorflow" to train with it.');
      },
      'circuits.openWalkthrough': () => openWalkthrough(context.extension),
      'circuits.openSampleWorkspace': () => openSampleWorkspace(context),
    };
  }

  private async withModel(action: ModelAction, target: ModelTarget | undefined, run: (model: ModelSummary) => Promise<void>): Promise<void> {
    const chosen = await this.picker.pick(action, target);
    if (chosen) await run(chosen);
  }

  private fineTune(target: ModelTarget | undefined): Promise<void> {
    return this.withModel('fineTune', target, model => fineTune(this.host.models, model, target?.checkpoint));
  }

  private trained(answer: TrainAnswer | undefined): Promise<void> {
    return this.shown(answer?.model);
  }

  /** Shows the model in the tree, of which word may not have come yet. */
  private async shown(model: ModelSummary | undefined): Promise<void> {
    if (!model) return;
    const { models, view } = this.host;
    if (!models.find(model.id)) await models.refresh();
    view.show({ kind: 'model', model: model.id }, true);
  }
}
