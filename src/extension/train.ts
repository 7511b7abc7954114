import * as vscode from 'vscode';
import { Lifetime, type Disposable } from '../common/lifetime';
import { controlModel, listDevices, train as trainRequest, type TrainAnswer } from '../protocol/engine';
import type { ModelSummary } from '../protocol/model';
import { baseFirst } from './baseFirst';
import { readSetting, runCommand } from './contributions';
import type { Engine } from './engine';
import type { ExperimentPicker } from './experimentPicker';
import { confirmed } from './modelCommands';
import type { ModelList } from './modelList';
import type { Problems } from './problems';
import { TooLongError, UntrainedOriginError } from './refusals';
import {
  deviceItems, planItems, planOf, problemOfNumber, requestOf, titleOfNumber, type DeviceItem, type PlannedNumber, type TrainPlan,
} from './trainPlan';
import { WaitingTrainings, type Training } from './waitingTrainings';

interface Offer extends vscode.MessageItem {
  run(): Promise<unknown>;
}

interface TrainHost {
  readonly engine: Engine;
  readonly models: ModelList;
  readonly problems: Problems;
  readonly experiments: ExperimentPicker;
  /** A training has begun by itself that had waited for another one. */
  begun(answer: TrainAnswer): Promise<void>;
}

/** What came of the wish to train: an answer, or that it waits until another model is trained. */
type Beginning = { readonly answer: TrainAnswer } | 'waits';

/** From the palette to a running training: which experiment, with which of its main settings changed, and after which other one. */
export class TrainCommand implements Disposable {
  private readonly lifetime = new Lifetime();
  private readonly waiting: WaitingTrainings;

  constructor(private readonly host: TrainHost) {
    this.waiting = this.lifetime.add(new WaitingTrainings(host.models, {
      begin: training => host.problems.guard(() => this.beginWaiting(training)),
      drop: ({ name }, base, why) => void vscode.window.showWarningMessage(`"${name}" was not started: it starts from "${base}", which ${why}.`),
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

  private async train(start: TrainPlan): Promise<TrainAnswer | undefined> {
    const plan = await this.settle(start);
    if (!plan) return undefined;
    const begun = await this.begin({ name: plan.name, request: requestOf(plan) });
    return begun && begun !== 'waits' ? begun.answer : undefined;
  }

  /** Trains it, now or once what it starts from is trained; nothing when the user gives up. */
  private async begin(training: Training): Promise<Beginning | undefined> {
    try {
      const answer = await this.host.engine.request(trainRequest, training.request);
      if (answer.cached) this.host.problems.guard(() => this.offerCached(training, answer.model));
      return { answer };
    } catch (error) {
      if (error instanceof UntrainedOriginError) return this.beginAfter(error, training);
      if (!(error instanceof TooLongError)) throw error;
      const detail = 'It can be paused and stopped at any time, and goes on from its last checkpoint.';
      const insists = await confirmed(error.message, detail, 'Train Anyway');
      return insists ? this.begin({ ...training, request: { ...training.request, force: true } }) : undefined;
    }
  }

  private async beginAfter(refusal: UntrainedOriginError, training: Training): Promise<Beginning | undefined> {
    const { engine, models } = this.host;
    const { id, name, request } = refusal.origin;
    await models.load();
    const first = baseFirst(refusal.origin, models.find(id));
    if (!first) throw refusal;
    const detail = `"${training.name}" then starts by itself when "${name}" is trained, if this window is still open.`;
    if (!await confirmed(refusal.message, detail, first.title)) return undefined;
    let begun: Beginning = 'waits';
    if (first.how === 'send' && request) {
      const { device } = training.request;
      const base = await this.begin({ name, model: id, request: { ...request, ...(device && { device }) } });
      if (!base) return undefined;
      begun = base;
    } else if (first.how === 'resume' || first.how === 'retrain') {
      await engine.request(controlModel, { model: id, action: first.how });
    }
    const waiting = this.waiting.add({ id, name }, training);
    this.host.problems.guard(() => offerToLeave(training.name, name, waiting));
    return begun;
  }

  private async beginWaiting(training: Training): Promise<void> {
    let begun: Beginning | undefined;
    try {
      begun = await this.begin(training);
    } finally {
      if (!begun && training.model !== undefined) this.waiting.giveUp(training.model);
    }
    if (begun && begun !== 'waits') await this.host.begun(begun.answer);
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

  private async offerCached(training: Training, { id, name, status, resumable }: ModelSummary): Promise<void> {
    if (status === 'training' || status === 'paused') return;
    const resume: Offer = { title: 'Resume', run: () => runCommand(vscode.commands, 'circuits.resume', { model: id }) };
    const again: Offer = { title: 'Train Again', run: () => this.begin({ ...training, request: { ...training.request, retrain: true } }) };
    const words = resumable ? 'stopped short the last time' : 'has been trained before';
    const offers = resumable ? [resume, again] : [again];
    const chosen = await vscode.window.showInformationMessage(`"${name}" ${words}; nothing was started.`, ...offers);
    await chosen?.run();
  }
}

/** Says that a training waits, until it is told not to. */
async function offerToLeave(name: string, base: string, waiting: Disposable): Promise<void> {
  const leave = "Don't Start";
  if ((await vscode.window.showInformationMessage(`"${name}" starts when "${base}" is trained.`, leave)) === leave) waiting.dispose();
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
