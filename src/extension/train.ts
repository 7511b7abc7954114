import * as vscode from 'vscode';
import { listDevices, train as trainRequest, type TrainAnswer } from '../protocol/engine';
import type { ModelSummary } from '../protocol/model';
import { readSetting, runCommand } from './contributions';
import type { Engine } from './engine';
import type { ExperimentPicker } from './experimentPicker';
import type { Problems } from './problems';
import {
  deviceItems, planItems, planOf, problemOfNumber, requestOf, titleOfNumber, type DeviceItem, type PlannedNumber, type TrainPlan,
} from './trainPlan';

interface Offer extends vscode.MessageItem {
  run(): Promise<unknown>;
}

/** From the palette to a running training: which experiment, with which of its main settings changed. */
export class TrainCommand {
  constructor(
    private readonly engine: Engine,
    private readonly problems: Problems,
    private readonly experiments: ExperimentPicker,
  ) {}

  /** Lets the user pick an experiment and trains it; nothing when they give up. */
  async fromList(): Promise<TrainAnswer | undefined> {
    const chosen = await this.experiments.fromList('Train Model');
    return chosen && this.train(planOf(chosen));
  }

  /** Trains an experiment file, by default that of the active editor. */
  async fromFile(given: vscode.Uri | undefined): Promise<TrainAnswer | undefined> {
    return this.train(planOf(await this.experiments.fromFile(given)));
  }

  private async train(start: TrainPlan): Promise<TrainAnswer | undefined> {
    const plan = await this.settle(start);
    if (!plan) return undefined;
    const answer = await this.engine.request(trainRequest, requestOf(plan));
    if (answer.cached) this.problems.guard(() => this.offerCached(plan, answer.model));
    return answer;
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
    const items: Thenable<readonly DeviceItem[]> = this.engine.request(listDevices).then(deviceItems);
    const chosen = await vscode.window.showQuickPick(items, { title: 'Device', matchOnDescription: true });
    return chosen ? { ...plan, device: chosen.device } : plan;
  }

  private async offerCached(plan: TrainPlan, { id, name, status, resumable }: ModelSummary): Promise<void> {
    if (status === 'training' || status === 'paused') return;
    const resume: Offer = { title: 'Resume', run: () => runCommand(vscode.commands, 'circuits.resume', { model: id }) };
    const again: Offer = { title: 'Train Again', run: () => this.engine.request(trainRequest, { ...requestOf(plan), retrain: true }) };
    const words = resumable ? 'stopped short the last time' : 'has been trained before';
    const offers = resumable ? [resume, again] : [again];
    const chosen = await vscode.window.showInformationMessage(`"${name}" ${words}; nothing was started.`, ...offers);
    await chosen?.run();
  }
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
