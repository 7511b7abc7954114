import * as vscode from 'vscode';
import { UserError } from '../../common/errors';
import { controlSweep } from '../../protocol/engine';
import type { SweepSummary } from '../../protocol/sweep';
import type { SweepPanelControl } from '../../protocol/sweepPanel';
import type { Engine } from '../engine';
import { pickSweepExport } from '../panels/exports';
import { canCancelSweep, canResumeSweep, type SweepList } from './sweepList';
import type { SweepPanels } from './sweepPanels';
import { sweepDescription } from './sweepText';
import { confirmed, showInformation } from '../notifications';

interface SweepItem extends vscode.QuickPickItem {
  readonly sweep: SweepSummary;
}

/** What is done with sweeps that are there: with that of the panel in front, or one that the user picks. */
export class SweepCommands {
  constructor(private readonly engine: Engine, private readonly sweeps: SweepList, private readonly panels: SweepPanels) {}

  /** Opens a sweep, by default one that the user picks, whatever panel is in front. */
  async open(sweep: string | undefined): Promise<void> {
    if (sweep !== undefined) return this.panels.show(sweep);
    const chosen = await this.choose('Open Sweep', 'There are no sweeps yet. Start one with the command Circuits: Sweep.', () => true);
    if (chosen) await this.panels.show(chosen.id);
  }

  async control(action: SweepPanelControl): Promise<void> {
    const { title, none, fits } = choices[action];
    const chosen = await this.pick(title, none, fits);
    if (!chosen) return;
    await this.engine.request(controlSweep, { sweep: chosen.id, action });
    if (action === 'resume') await this.panels.show(chosen.id);
  }

  /** Forgets a sweep once the user has said so; its models stay. */
  async forget(): Promise<void> {
    const chosen = await this.pick('Forget Sweep', 'There are no sweeps yet.', () => true);
    if (!chosen) return;
    const detail = `${chosen.status === 'running' ? 'It is cancelled first. ' : ''}The models that it trained stay.`;
    if (!await confirmed(`Forget the sweep "${chosen.name}"?`, detail, 'Forget')) return;
    await this.engine.request(controlSweep, { sweep: chosen.id, action: 'forget' });
    this.sweeps.forget(chosen.id);
    this.panels.close(chosen.id);
  }

  async export(): Promise<void> {
    const panel = this.panels.inSight;
    if (!panel) throw new UserError('Open a sweep first; that of the panel in front is exported.');
    const wanted = await pickSweepExport();
    if (wanted) panel.export(wanted);
  }

  private async pick(title: string, none: string, fits: (sweep: SweepSummary) => boolean): Promise<SweepSummary | undefined> {
    const { inSight } = this.panels;
    const shown = inSight && (await this.sweeps.get(inSight.state.sweep));
    return shown && fits(shown) ? shown : this.choose(title, none, fits);
  }

  private async choose(title: string, none: string, fits: (sweep: SweepSummary) => boolean): Promise<SweepSummary | undefined> {
    const sweeps = (await this.sweeps.load()).filter(fits);
    if (sweeps.length === 0) {
      void showInformation(none);
      return undefined;
    }
    return (await vscode.window.showQuickPick(sweeps.map(sweepItem), { title, placeHolder: 'Sweep', matchOnDetail: true }))?.sweep;
  }
}

const choices: Readonly<Record<SweepPanelControl, { readonly title: string; readonly none: string; fits(sweep: SweepSummary): boolean }>> = {
  cancel: { title: 'Cancel Sweep', none: 'No sweep is running.', fits: canCancelSweep },
  resume: { title: 'Resume Sweep', none: 'There is no sweep that could go on.', fits: canResumeSweep },
};

export function sweepItem(sweep: SweepSummary): SweepItem {
  return { label: sweep.name, description: sweepDescription(sweep), detail: `${sweep.fields.join(', ')} · ${new Date(sweep.createdAt).toLocaleString()}`, sweep };
}
