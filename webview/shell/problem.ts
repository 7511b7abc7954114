import { button } from '../controls/toolkit';
import { element, icon, setText } from '../elements';
import type { Shown } from '../state';

/** What went wrong, in one sentence, above the figures that are still there. It can be tried again where `tryAgain` is given. */
export class ProblemBanner {
  private readonly text = element('span', { class: 'problem-text' });
  // The region is there from the start: what is put into it later is announced.
  readonly element: HTMLElement = element('div', { class: 'problem-region', role: 'alert' });
  private readonly banner: HTMLElement;

  constructor(tryAgain?: () => void) {
    const again = tryAgain && button({ title: 'Try Again', appearance: 'secondary' }, tryAgain);
    this.banner = element('div', { class: 'problem' }, icon('error'), this.text, again?.element);
  }

  update({ problem }: Pick<Shown, 'problem'>): void {
    setText(this.text, problem ?? '');
    if (problem === undefined) this.banner.remove();
    else if (!this.banner.isConnected) this.element.append(this.banner);
  }
}
