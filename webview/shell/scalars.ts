import { element, setText } from '../elements';
import { formatNumber } from '../numbers';
import type { Shown } from '../state';

/** What was found, in words, and the named numbers of a result under the names that claims use. */
export class Scalars {
  private readonly finding = element('p', { class: 'finding' });
  private readonly list = element('dl', { class: 'scalars' });
  readonly element = element('div', { class: 'result' }, this.finding, this.list);
  private readonly values = new Map<string, HTMLElement>();

  update({ analysis, result }: Shown): void {
    const scalars = Object.entries(result?.scalars ?? {});
    setText(this.finding, result?.finding ?? '');
    this.finding.hidden = result?.finding === undefined;
    this.list.hidden = scalars.length === 0;
    if (scalars.map(([name]) => name).join('\n') !== [...this.values.keys()].join('\n')) {
      this.values.clear();
      this.list.replaceChildren(...scalars.map(([name]) => {
        const meaning = analysis?.scalars[name];
        const value = element('dd', { class: 'scalar-value' });
        this.values.set(name, value);
        return element('div', { class: 'scalar', title: meaning },
          element('dt', {}, name), value, meaning === undefined ? undefined : element('dd', { class: 'visually-hidden' }, meaning));
      }));
    }
    for (const [name, value] of scalars) {
      const shown = this.values.get(name);
      if (shown) setText(shown, formatNumber(value));
    }
  }
}
