import * as vscode from 'vscode';
import { UserError } from '../common/errors';
import { Lifetime, type Disposable } from '../common/lifetime';
import type { TrainAnswer } from '../protocol/engine';
import type { ModelSummary } from '../protocol/model';
import { registerCommand, type Command, type CommandArgument, type ModelTarget } from './contributions';
import { compareWith } from './compareWith';
import { collectDiagnostics } from './collectDiagnostics';
import type { Engine } from './engine';
import { ExperimentPicker } from './experimentPicker';
import { pickExport } from './exports';
import { fineTune } from './fineTune';
import type { HeadSelections } from './headSelections';
import type { ModelAction } from './modelChoices';
import { ModelCommands } from './modelCommands';
import type { ModelList } from './modelList';
import { analysisOf } from './modelNodes';
import { ModelPicker } from './modelPicker';
import type { ModelsView } from './modelsView';
import { newExperiment } from './newExperiment';
import { OpenAnalysis } from './openAnalysis';
import type { Panels } from './panels';
import type { Problems } from './problems';
import { setUpTensorFlow } from './setUpTensorFlow';
import { showRunning } from './showRunning';
import { SweepCommand } from './sweep';
import { SweepCommands } from './sweepCommands';
import type { SweepList } from './sweepList';
import type { SweepPanels } from './sweepPanels';
import { TrainCommand } from './train';
import type { WaitingTrainings } from './waitingTrainings';

export interface CommandsHost {
  readonly engine: Engine;
  readonly models: ModelList;
  readonly waiting: WaitingTrainings;
  readonly selections: HeadSelections;
  readonly view: ModelsView;
  readonly panels: Panels;
  readonly sweeps: SweepList;
  readonly sweepPanels: SweepPanels;
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
    const { engine, models, waiting, view, panels, sweeps, sweepPanels, log, context, activation, problems } = this.host;
    const experiments = new ExperimentPicker(engine, context.extensionUri);
    const training = this.lifetime.add(new TrainCommand({ engine, models, waiting, problems, experiments, begun: answer => this.trained(answer) }));
    const sweeping = new SweepCommand(engine, experiments);
    const sweep = new SweepCommands(engine, sweeps, sweepPanels);
    const model = new ModelCommands(engine);
    const analyses = new OpenAnalysis(this.host, this.picker);
    return {
      'circuits.train': async () => this.trained(await training.fromList()),
      'circuits.trainFile': async file => this.trained(await training.fromFile(file)),
      'circuits.cancelWaiting': target => training.cancelWaiting(target?.model),
      'circuits.newExperiment': () => newExperiment(engine, context.extensionUri),
      'circuits.fineTune': target => this.fineTune(target),
      'circuits.fineTuneFromHere': target => this.fineTune(target),
      'circuits.sweep': async file => {
        const started = await sweeping.run(file);
        if (!started) return;
        sweeps.know(started);
        await sweepPanels.show(started.id);
      },
      'circuits.openSweep': () => sweep.open(),
      'circuits.cancelSweep': () => sweep.control('cancel'),
      'circuits.resumeSweep': () => sweep.control('resume'),
      'circuits.forgetSweep': () => sweep.forget(),
      'circuits.exportSweep': () => sweep.export(),
      'circuits.stop': target => this.withModel('stop', target, chosen => model.control(chosen, 'stop')),
      'circuits.pause': target => this.withModel('pause', target, chosen => model.control(chosen, 'pause')),
      'circuits.resume': target => this.withModel('resume', target, chosen => model.control(chosen, 'resume')),
      'circuits.retrain': target => this.withModel('retrain', target, chosen => model.retrain(chosen)),
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
      'circuits.openRow': () => {
        const row = view.selected;
        const analysis = row && analysisOf(row);
        return analysis && analyses.open(analysis, row);
      },
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
        void vscode.window.showInformationMessage('TensorFlow is installed. Choose the device "tensorflow" to train with it.');
      },
    };
  }

  private async withModel(action: ModelAction, target: ModelTarget | undefined, run: (model: ModelSummary) => Promise<void>): Promise<void> {
    const chosen = await this.picker.pick(action, target);
    if (chosen) await run(chosen);
  }

  private fineTune(target: ModelTarget | undefined): Promise<void> {
    return this.withModel('fineTune', target, model => fineTune(this.host.models, model, target?.checkpoint));
  }

  /** Shows the model in the tree, of which word may not have come yet. */
  private async trained(answer: TrainAnswer | undefined): Promise<void> {
    if (!answer) return;
    const { models, view } = this.host;
    if (!models.find(answer.model.id)) await models.refresh();
    view.show({ kind: 'model', model: answer.model.id }, true);
  }
}
