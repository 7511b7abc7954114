import { button } from '../controls/toolkit';
import { element, setAttributes, setText } from '../elements';
import type { Shown } from '../state';

/**
 * Says that work is under way, how far it is, and lets the reader cancel it. The strip keeps its place when it is
 * empty and the style sheet shows it only after a moment, so that quick updates neither move nor flicker anything.
 */
export class ProgressStrip {
  private readonly bar = element('div', { class: 'progress-bar' });
  private readonly track = element('div', {
    class: 'progress-track', role: 'progressbar', 'aria-label': 'Progress', 'aria-valuemin': 0, 'aria-valuemax': 100,
  }, this.bar);
  private readonly message = element('span', { class: 'progress-message' });
  readonly element: HTMLElement;

  constructor(cancel: () => void) {
    const stop = button({ title: 'Cancel', appearance: 'secondary' }, cancel);
    this.element = element('div', { class: 'progress' }, this.track, this.message, stop.element);
  }

  update({ working }: Shown): void {
    this.element.classList.toggle('active', working !== undefined);
    setText(this.message, working ? working.message ?? 'Working…' : '');
    const percent = working?.fraction === undefined ? undefined : Math.round(100 * Math.min(1, Math.max(0, working.fraction)));
    setAttributes(this.track, { 'aria-valuenow': percent });
    this.track.classList.toggle('indeterminate', working !== undefined && percent === undefined);
    this.bar.style.width = percent === undefined ? '' : `${percent}%`;
  }
}
