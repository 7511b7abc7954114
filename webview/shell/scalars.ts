import { element, setText } from '../elements';
import { formatNumber } from '../numbers';
import type { Shown } from '../state';

/** The named numbers of a result, under the names that claims use. */
export class Scalars {
  readonly element = element('dl', { class: 'scalars' });
  private readonly values = new Map<string, HTMLElement>();

  update({ analysis, result }: Shown): void {
    const scalars = Object.entries(result?.scalars ?? {});
    this.element.hidden = scalars.length === 0;
    if (scalars.map(([name]) => name).join('\n') !== [...this.values.keys()].join('\n')) {
      this.values.clear();
      this.element.replaceChildren(...scalars.map(([name]) => {
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
