import type { SweepRow } from '../../src/protocol/sweep';
import { element, icon, setAttributes, setText } from '../elements';
import { statusLooks } from '../shell/status';
import { runName, shareDone, type SweepColumn } from './columns';

/** Whether there is a model to open. */
export function hasModel({ status }: SweepRow): boolean {
  return status !== 'waiting' && status !== 'queued' && status !== 'cancelled';
}

/** A run's row of the table. It changes in place, so that the focus and what is selected in it stay. */
export class RunRow {
  readonly element: HTMLTableRowElement;
  /** Opens the run; the row's stop for the keyboard. */
  readonly press = element('button', { type: 'button', class: 'row-press', tabindex: -1 });
  private readonly number = element('span');
  private readonly star = element('span', { class: 'best-mark', hidden: true }, icon('star-full'), element('span', { class: 'visually-hidden' }, 'best '));
  private readonly statusText = element('span');
  private readonly statusSlot = element('span', { class: 'run-status' });
  private readonly problem = element('div', { class: 'run-problem', hidden: true });
  private readonly bar = element('span', { class: 'run-bar', 'aria-hidden': 'true' });
  private readonly texts: readonly HTMLElement[];
  private shown: SweepRow | undefined;

  constructor(private readonly columns: readonly SweepColumn[]) {
    this.press.append(this.star, this.number);
    this.texts = columns.map(({ name }) => name === 'run' ? this.number : name === 'status' ? this.statusText : element('span'));
    this.element = element('tr', {}, ...columns.map(({ name, numeric }, at) => {
      const attributes = { class: numeric ? 'numeric' : undefined };
      if (name === 'run') return element('th', { ...attributes, scope: 'row' }, this.press);
      if (name === 'status') return element('td', attributes, this.statusSlot, this.problem);
      return element('td', attributes, ...(name === 'progress' ? [this.bar] : []), this.texts[at]);
    }));
  }

  update(row: SweepRow, isBest: boolean): void {
    setAttributes(this.element, { 'data-best': isBest });
    this.star.hidden = !isBest;
    if (row === this.shown) return;
    this.shown = row;
    this.element.dataset['run'] = String(row.index);
    this.columns.forEach((column, at) => {
      const text = this.texts[at];
      if (text) setText(text, column.text(row));
    });
    if (this.statusSlot.dataset['status'] !== row.status) {
      this.statusSlot.dataset['status'] = row.status;
      this.statusSlot.replaceChildren(icon(statusLooks[row.status].icon), this.statusText);
    }
    setText(this.problem, row.problem ?? '');
    this.problem.hidden = row.problem === undefined;
    this.bar.style.setProperty('--share', `${Math.floor(100 * shareDone(row))}%`);
    // What cannot be opened is still walked over.
    setAttributes(this.press, {
      'aria-disabled': hasModel(row) ? undefined : 'true', title: hasModel(row) ? `Open ${runName(row)}` : 'This run has not begun.',
    });
  }
}
