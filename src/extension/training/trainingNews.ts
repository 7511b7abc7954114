import * as vscode from 'vscode';
import type { Disposable } from '../../common/lifetime';
import type { ModelSummary } from '../../protocol/model';
import { runCommand } from '../contributions';
import { formatMetrics } from '../format';
import { isRunning, type ModelList, type ModelListChange } from '../models/modelList';
import type { Problems } from '../problems';
import { openPlace } from '../taskModules/sourcePlace';
import type { SweepList } from '../sweeps/sweepList';
import { showError, showInStatusBar } from '../notifications';

/** Says how a training ended: quietly when all went well. Of the runs of a sweep, of which there may be thousands, its table speaks. */
export class TrainingNews implements Disposable {
  private readonly listening: Disposable;

  constructor(models: ModelList, private readonly sweeps: SweepList, private readonly problems: Problems) {
    this.listening = models.onChange(change => this.tell(change));
  }

  dispose(): void {
    this.listening.dispose();
  }

  private tell({ changed, before }: ModelListChange): void {
    for (const model of changed) {
      const old = before.get(model.id);
      if (old && isRunning(old) && !isRunning(model) && !this.sweeps.trains(model.id)) this.ended(model);
    }
  }

  private ended({ id, name, status, metrics, problem, problemSource, resumable }: ModelSummary): void {
    const result = formatMetrics(metrics);
    if (status === 'finished') {
      showInStatusBar('check', `"${name}" is trained${result === undefined ? '' : ` · ${result}`}`);
    }
    if (status === 'failed') {
      const message = `Training "${name}": ${problem ?? 'it failed; the log may say why.'}`;
      if (problemSource) this.offer(message, 'Open Module', () => openPlace(problemSource));
      else this.offer(message, 'Open Log', () => runCommand(vscode.commands, 'circuits.openLog'));
    }
    if (status === 'interrupted') {
      const message = `The training of "${name}" was interrupted: its process ended without a word.`;
      if (resumable) this.offer(message, 'Resume', () => runCommand(vscode.commands, 'circuits.resume', { model: id }));
      else void showError(message);
    }
  }

  private offer(message: string, title: string, run: () => Promise<void>): void {
    this.problems.guard(async () => {
      if ((await showError(message, title)) === title) await run();
    });
  }
}
