import * as vscode from 'vscode';
import { Lifetime, type Disposable } from '../../common/lifetime';
import { listDevices, type TrainAnswer } from '../../protocol/engine';
import type { ModelSummary } from '../../protocol/model';
import { BeginTraining } from './beginTraining';
import { readSetting, runCommand } from '../contributions';
import type { Engine } from '../engine';
import type { ExperimentPicker } from '../experiments/experimentPicker';
import { withoutIcons } from '../format';
import type { ModelList } from '../models/modelList';
import type { Problems } from '../problems';
import {
  deviceItems, planItems, planOf, problemOfNumber, requestOf, titleOfNumber, type DeviceItem, type PlannedNumber, type TrainPlan,
} from './trainPlan';
import type { Training, WaitingTrainings } from './waitingTrainings';
import { confirmed, showInformation, showWarning } from '../notifications';

interface Offer {
  readonly title: string;
  run(): Promise<unknown>;
}

interface TrainHost {
  readonly engine: Engine;
  readonly models: ModelList;
  readonly waiting: WaitingTrainings;
  readonly problems: Problems;
  readonly experiments: ExperimentPicker;
  /** A training has begun by itself that had waited for another one. */
  begun(answer: TrainAnswer): Promise<void>;
}

/** From the palette to a running training: which experiment, with which of its main settings changed. */
export class TrainCommand implements Disposable {
  private readonly lifetime = new Lifetime();
  private readonly beginning: BeginTraining;

  constructor(private readonly host: TrainHost) {
    const { engine, models, waiting, problems, begun } = host;
    const guard = (work: () => unknown) => problems.guard(work);
    this.beginning = this.lifetime.add(new BeginTraining({
      engine, models, waiting, begun, guard,
      ask: confirmed,
      opened: (training, model) => guard(() => this.offerOpened(training, model)),
      waits: ({ name }, base, leaving) => guard(() => offerToLeave(name, base, leaving)),
      dropped: ({ name }, base, why) => void showWarning(`"${name}" was not started: it starts from "${base}", which ${why}.`),
    }));
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  /** Lets the user pick an experiment and trains it; nothing when they give up. */
  async fromList(): Promise<TrainAnswer | undefined> {
    const chosen = await this.host.experiments.fromList('Train Model');
    return chosen && this.train(planOf(chosen));
  }

  /** Trains an experiment file, by default that of the active editor. */
  async fromFile(given: vscode.Uri | undefined): Promise<TrainAnswer | undefined> {
    return this.train(planOf(await this.host.experiments.fromFile(given)));
  }

  /** Trains an experiment file as it is, without asking for settings. */
  async fromFileNow(given: vscode.Uri | undefined): Promise<TrainAnswer | undefined> {
    return this.begin(planOf(await this.host.experiments.fromFile(given)));
  }

  /** Lets the user pick a training that waits, for the model if one is given, and has it not begin. */
  async cancelWaiting(model: string | undefined): Promise<void> {
    const { waiting } = this.host;
    const shown = model === undefined ? waiting.all : waiting.after(model);
    if (shown.length === 0) {
      void showInformation('No training waits for another one.');
      return;
    }
    const items = shown.map(one => ({ label: withoutIcons(one.training.name), description: `after ${withoutIcons(one.base.name)}`, one }));
    const chosen = await vscode.window.showQuickPick(items, { title: 'Cancel Waiting Training', placeHolder: 'It will not start' });
    if (chosen) waiting.withdraw(chosen.one);
  }

  private async train(start: TrainPlan): Promise<TrainAnswer | undefined> {
    const plan = await this.settle(start);
    return plan && this.begin(plan);
  }

  private async begin(plan: TrainPlan): Promise<TrainAnswer | undefined> {
    const begun = await this.beginning.begin({ name: plan.name, request: requestOf(plan) });
    return begun && begun !== 'waits' ? begun.answer : undefined;
  }

  /** Shows the settings until the user starts the training or gives up. */
  private async settle(start: TrainPlan): Promise<TrainPlan | undefined> {
    let plan = start;
    for (;;) {
      const items = planItems(plan, readSetting(vscode.workspace, 'circuits.device'))
        .map(item => ({ ...item, iconPath: new vscode.ThemeIcon(item.icon) }));
      const options = { title: `Train ${plan.name}`, placeHolder: 'Train now, or change a setting first' };
      const choice = (await vscode.window.showQuickPick(items, options))?.choice;
      if (choice === undefined) return undefined;
      if (choice === 'start') return plan;
      plan = choice === 'device' ? await this.withDevice(plan) : await withNumber(plan, choice);
    }
  }

  private async withDevice(plan: TrainPlan): Promise<TrainPlan> {
    const items: Thenable<readonly DeviceItem[]> = this.host.engine.request(listDevices).then(deviceItems);
    const chosen = await vscode.window.showQuickPick(items, { title: 'Device', matchOnDescription: true });
    return chosen ? { ...plan, device: chosen.device } : plan;
  }

  private async offerOpened(training: Training, { id, name, status, resumable }: ModelSummary): Promise<void> {
    if (status === 'training' || status === 'paused') return;
    const resume: Offer = { title: 'Resume', run: () => runCommand(vscode.commands, 'circuits.resume', { model: id }) };
    const again: Offer = { title: 'Train Again', run: () => this.beginning.begin({ ...training, request: { ...training.request, retrain: true } }) };
    const words = resumable ? 'stopped short the last time' : 'has been trained before';
    const offers = resumable ? [resume, again] : [again];
    const chosen = await showInformation(`"${name}" ${words}; nothing was started.`, ...offers.map(({ title }) => title));
    await offers.find(({ title }) => title === chosen)?.run();
  }
}

/** Says that a training waits, until it is told not to. */
async function offerToLeave(name: string, base: string, leaving: Disposable): Promise<void> {
  const leave = "Don't Start";
  if ((await showInformation(`"${name}" starts when "${base}" is trained.`, leave)) === leave) leaving.dispose();
}

async function withNumber(plan: TrainPlan, setting: PlannedNumber): Promise<TrainPlan> {
  const now = plan[setting] ?? plan.own[setting];
  const text = await vscode.window.showInputBox({
    title: `Train ${plan.name}`,
    prompt: titleOfNumber(setting),
    ...(now === undefined ? {} : { value: String(now) }),
    validateInput: given => problemOfNumber(setting, given),
  });
  return text === undefined ? plan : { ...plan, [setting]: Number(text) };
}
