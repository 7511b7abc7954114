import { element, setText } from '../elements';
import { formatNumber } from '../numbers';
import type { Shown } from '../state';

/** Where the numbers of one scalar stand. */
interface Row {
  readonly value: HTMLElement;
  /** What it is in a comparison. */
  readonly beside: HTMLElement;
}

/** What was found, in words, and the named numbers of a result under the names that claims use, beside those it is compared with. */
export class Scalars {
  private readonly finding = element('p', { class: 'finding' });
  private readonly list = element('dl', { class: 'scalars' });
  readonly element = element('div', { class: 'result' }, this.finding, this.list);
  private readonly rows = new Map<string, Row>();

  update({ analysis, result }: Shown): void {
    const scalars = result?.scalars ?? {};
    const compared = result?.comparison && !('problem' in result.comparison) ? result.comparison : undefined;
    const others = compared?.scalars ?? {};
    const names = [...new Set([...Object.keys(scalars), ...Object.keys(others)])];
    const findings = compared ? [result?.finding, compared.finding].flatMap((text, at) => text === undefined ? [] : [`${text} (${compared.names[at] ?? ''})`]) : [];
    setText(this.finding, compared ? findings.join(' · ') : result?.finding ?? '');
    this.finding.hidden = this.finding.textContent === '';
    this.list.hidden = names.length === 0;
    if (names.join('\n') !== [...this.rows.keys()].join('\n')) {
      this.rows.clear();
      this.list.replaceChildren(...names.map(name => {
        const meaning = analysis?.scalars[name];
        const row = { value: element('dd', { class: 'scalar-value' }), beside: element('dd', { class: 'scalar-beside' }) };
        this.rows.set(name, row);
        return element('div', { class: 'scalar', title: meaning },
          element('dt', {}, name), row.value, row.beside, meaning === undefined ? undefined : element('dd', { class: 'visually-hidden' }, meaning));
      }));
    }
    for (const [name, row] of this.rows) {
      const [one, other] = [scalars[name], others[name]];
      setText(row.value, one === undefined ? 'not measured' : formatNumber(one));
      row.beside.hidden = compared === undefined;
      const there = compared ? `${compared.names[1]}: ${other === undefined ? 'not measured' : formatNumber(other)}` : '';
      setText(row.beside, one === undefined || other === undefined ? there : `${there} · difference ${formatNumber(one - other)}`);
    }
  }
}
