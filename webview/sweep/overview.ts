import type { SweepRunStatus, SweepStatus, SweepSummary } from '../../src/protocol/sweep';
import type { SweepPanelControl } from '../../src/protocol/sweepPanel';
import { button } from '../controls/toolkit';
import { element, icon, setAttributes, setText } from '../elements';
import { formatInteger } from '../numbers';
import { statusLooks } from '../shell/status';

const sweepTitles: Readonly<Record<SweepStatus, string>> = { running: 'Running', finished: 'Finished', stopped: 'Stopped' };
const sweepIcons: Readonly<Record<SweepStatus, string>> = { running: 'sync', finished: 'check', stopped: 'debug-stop' };

/** A sweep's name, where it stands, how far it is, and what can be done with it. */
export class SweepOverview {
  private readonly title = element('h1');
  private readonly status = element('span', { class: 'status' });
  private readonly executor = element('span', { class: 'sweep-executor' });
  private readonly bar = element('div', { class: 'progress-bar' });
  private readonly track = element('div', {
    class: 'progress-track', role: 'progressbar', 'aria-label': 'Progress of the sweep', 'aria-valuemin': 0, 'aria-valuemax': 100,
  }, this.bar);
  private readonly counts = element('ul', { class: 'sweep-counts', 'aria-label': 'Runs by status' });
  private readonly cancel;
  private readonly resume;
  readonly element: HTMLElement;

  constructor(control: (action: SweepPanelControl) => void) {
    this.cancel = button({ title: 'Cancel', label: 'Cancel the sweep', appearance: 'secondary' }, () => control('cancel'));
    this.resume = button({ title: 'Resume', label: 'Resume the sweep', appearance: 'primary' }, () => control('resume'));
    this.cancel.element.hidden = true;
    this.resume.element.hidden = true;
    this.element = element('header', { class: 'sweep-overview' },
      element('div', { class: 'sweep-heading' },
        element('div', { class: 'header' }, this.title, element('p', { class: 'model' }, this.status, this.executor)),
        element('div', { class: 'sweep-buttons' }, this.cancel.element, this.resume.element)),
      this.track, this.counts);
  }

  /** `done`: how much of all runs is done, from 0 to 1. */
  update(summary: SweepSummary, done: number): void {
    const { name, status, options: { executor, parallel }, counts } = summary;
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
    const finished = counts.finished ?? 0;
    const words = status === 'finished' && finished === total
      ? `Finished · ${runs(total)}`
      : `${sweepTitles[status]} · ${formatInteger(finished)} of ${runs(total)} finished`;
    setText(this.title, name);
    this.show(this.status, words, sweepIcons[status]);
    setAttributes(this.status, { 'data-status': status === 'running' ? 'training' : undefined });
    setText(this.executor, `${executor === 'slurm' ? 'on Slurm' : 'on this machine'}${parallel > 0 ? `, ${formatInteger(parallel)} at a time` : ''}`);
    const percent = Math.floor(100 * done);
    this.bar.style.width = `${percent}%`;
    setAttributes(this.track, { 'aria-valuenow': percent, 'aria-valuetext': `${percent} %, ${words}` });
    this.updateCounts(counts);
    this.cancel.element.hidden = status !== 'running';
    this.resume.element.hidden = status === 'running' || finished === total;
  }

  private updateCounts(counts: SweepSummary['counts']): void {
    const present = (Object.keys(statusLooks) as SweepRunStatus[]).filter(status => (counts[status] ?? 0) > 0);
    const text = present.map(status => `${status} ${counts[status] ?? 0}`).join();
    if (this.counts.dataset['text'] === text) return;
    this.counts.dataset['text'] = text;
    this.counts.replaceChildren(...present.map(status => element('li', { class: 'run-status', 'data-status': status },
      icon(statusLooks[status].icon), `${formatInteger(counts[status] ?? 0)} ${statusLooks[status].title.toLowerCase()}`)));
  }

  private show(target: HTMLElement, text: string, iconName: string): void {
    if (target.dataset['text'] === text) return;
    target.dataset['text'] = text;
    target.replaceChildren(icon(iconName), text);
  }
}

function runs(count: number): string {
  return `${formatInteger(count)} ${count === 1 ? 'run' : 'runs'}`;
}
