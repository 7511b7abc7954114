import type { ComparisonView } from '../../src/protocol/panel';
import { radios } from '../controls/radios';
import { button } from '../controls/toolkit';
import { element, icon, setText } from '../elements';
import { formatInteger } from '../numbers';
import type { Shown } from '../state';

export interface ComparisonActions {
  /** Choose what to compare with. */
  choose(): void;
  stop(): void;
  view(view: ComparisonView): void;
}

/** With what a panel is compared, how the two are shown, and the way out; a sentence where they cannot be compared. */
export class ComparisonBar {
  /** For the header, while nothing is compared. */
  readonly begin: HTMLElement;
  readonly element: HTMLElement;
  private readonly name = element('span', { class: 'comparison-name' });
  private readonly problem = element('p', { class: 'comparison-problem', role: 'alert' });
  private readonly views = radios<ComparisonView>('Show', [{ value: 'sides', title: 'Side by side' }, { value: 'difference', title: 'Difference' }], 'sides');

  constructor(actions: ComparisonActions) {
    this.begin = button({ title: 'Compare with…', appearance: 'quiet' }, () => actions.choose()).element;
    this.begin.prepend(Object.assign(icon('compare-changes'), { slot: 'start' }));
    const stop = button({ title: 'Stop comparing', appearance: 'quiet' }, () => {
      actions.stop();
      // The button that had the focus is gone; this one is in its place.
      this.begin.focus();
    });
    const change = button({ title: 'Change…', appearance: 'quiet' }, () => actions.choose());
    this.views.onDidChange(view => actions.view(view));
    this.element = element('div', { class: 'comparison', role: 'group', 'aria-label': 'Comparison' },
      element('div', { class: 'comparison-line' },
        element('p', { class: 'comparison-with' }, icon('compare-changes'), 'Compared with ', this.name),
        this.views.element, element('div', { class: 'comparison-tools' }, change.element, stop.element)),
      this.problem);
  }

  update({ state, result, model }: Shown): void {
    const against = state?.against;
    this.begin.hidden = against !== undefined || model === undefined;
    this.element.hidden = against === undefined;
    const comparison = against && result?.comparison;
    const itself = against?.checkpoint === undefined ? 'newest weights' : `step ${formatInteger(against.checkpoint)}`;
    setText(this.name, comparison?.names[1] ?? (against?.model === state?.model ? itself : 'another model'));
    const problem = comparison && 'problem' in comparison ? comparison.problem : undefined;
    setText(this.problem, problem ?? '');
    this.views.element.hidden = problem !== undefined;
    this.views.value = state?.view ?? 'sides';
  }
}
