import { element, setText } from '../elements';
import type { Shown } from '../state';

/** Tells screen readers what changed. Silent about updates that come by themselves: a live panel would never stop talking. */
export class Announcer {
  readonly element = element('div', { class: 'visually-hidden', role: 'status', 'aria-live': 'polite' });
  /** Whether the reader asked for something that is not answered yet; the first figures count as asked for. */
  private awaited = true;

  say(text: string): void {
    setText(this.element, text);
  }

  /** The reader has asked for something that will take a moment. */
  expect(): void {
    this.awaited = true;
  }

  update(shown: Shown, before: Shown): void {
    if (!this.awaited) return;
    if (shown.working && !before.working) this.say('Working…');
    if (shown.result !== before.result && !shown.working) {
      this.awaited = false;
      const { figures = [], comparison } = shown.result ?? {};
      const compared = comparison && !('problem' in comparison) ? `, compared with ${comparison.names[1]}` : '';
      this.say(`Done. ${figures.length} ${figures.length === 1 ? 'figure' : 'figures'}${compared}.`);
    }
    if (shown.problem !== undefined) this.awaited = false;
  }
}
