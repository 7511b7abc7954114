import * as vscode from 'vscode';
import { planSweep, startSweep } from '../../protocol/engine';
import { executors, type ExecutorName, type SweepDetails, type SweepPlan } from '../../protocol/sweep';
import { readSetting } from '../contributions';
import type { Engine } from '../engine';
import type { ChosenExperiment, ExperimentPicker } from '../experiments/experimentPicker';
import { countText } from '../format';
import {
  askedRuns, executorTitles, hasSweep, problemOfSweepNumber, slurmOptions, sweepItems, sweepRequest, type PlannedSweep,
} from './sweepPlan';
import { confirmed } from '../notifications';

/** From the palette to a running sweep: which experiment, how many runs at a time, and where. */
export class SweepCommand {
  constructor(private readonly engine: Engine, private readonly experiments: ExperimentPicker) {}

  /** Sweeps an experiment file, or the experiment that the user picks; nothing when they give up. */
  async run(file: vscode.Uri | undefined): Promise<SweepDetails | undefined> {
    const chosen = file ? await this.experiments.fromFile(file) : await this.experiments.fromList('Sweep', hasSweep);
    return chosen && this.start(chosen);
  }

  private async start({ experiment, name }: ChosenExperiment): Promise<SweepDetails | undefined> {
    let planned: PlannedSweep = { experiment, parallel: readSetting(vscode.workspace, 'circuits.sweepParallel'), executor: 'local', slurm: slurmSettings() };
    let plan = await this.plan(planned);
    for (;;) {
      const items = sweepItems(plan, planned).map(item => ({ ...item, iconPath: new vscode.ThemeIcon(item.icon) }));
      const options = { title: `Sweep ${name}`, placeHolder: 'Start the sweep, or change a setting first' };
      const choice = (await vscode.window.showQuickPick(items, options))?.choice;
      switch (choice) {
        case undefined:
          return undefined;
        case 'start': {
          const confirmed = plan.runs <= askedRuns || await confirm(plan);
          return confirmed ? this.engine.request(startSweep, sweepRequest(planned, plan.runs > askedRuns)) : undefined;
        }
        case 'executor':
          planned = { ...planned, executor: await pickExecutor(planned.executor) };
          break;
        case 'slurm':
          await vscode.commands.executeCommand('workbench.action.openSettings', 'circuits.slurm');
          return undefined;
        case 'parallel':
        case 'steps': {
          const value = await askNumber(name, choice, choice === 'parallel' ? planned.parallel : planned.steps);
          if (value === undefined) break;
          planned = { ...planned, [choice]: value };
          // Runs of another length are other models.
          if (choice === 'steps') plan = await this.plan(planned);
          break;
        }
        default:
          choice satisfies never;
      }
    }
  }

  private plan(planned: PlannedSweep): Promise<SweepPlan> {
    return this.engine.request(planSweep, sweepRequest(planned, false));
  }
}

function slurmSettings(): PlannedSweep['slurm'] {
  return slurmOptions({
    partition: readSetting(vscode.workspace, 'circuits.slurm.partition'),
    time: readSetting(vscode.workspace, 'circuits.slurm.time'),
    memory: readSetting(vscode.workspace, 'circuits.slurm.memory'),
    gres: readSetting(vscode.workspace, 'circuits.slurm.gres'),
  });
}

async function pickExecutor(now: ExecutorName): Promise<ExecutorName> {
  const items = executors.map(executor => ({ label: executorTitles[executor], description: executor, executor }));
  return (await vscode.window.showQuickPick(items, { title: 'Executor', placeHolder: 'Where the runs are trained' }))?.executor ?? now;
}

async function askNumber(name: string, setting: 'parallel' | 'steps', now: number | undefined): Promise<number | undefined> {
  const text = await vscode.window.showInputBox({
    title: `Sweep ${name}`,
    prompt: setting === 'parallel' ? 'Runs at the same time; 0 for automatic' : 'Steps of every run',
    ...(now === undefined ? {} : { value: String(now) }),
    validateInput: given => problemOfSweepNumber(setting, given),
  });
  return text === undefined ? undefined : Number(text);
}

/** Asks before very many models are trained. */
function confirm({ name, runs, finished }: SweepPlan): Promise<boolean> {
  const detail = finished > 0 ? `${countText(finished, 'run')} of them are trained already.` : 'Each run is a model of its own, with its files on disk.';
  return confirmed(`"${name}" has ${countText(runs, 'run')}. Start them?`, detail, 'Start');
}
