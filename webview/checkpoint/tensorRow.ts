import { wholeTypes, type TensorStatistics, type TensorSummary } from '../../src/protocol/checkpointFile';
import { element, icon, setAttributes, setText } from '../elements';
import { formatNumber, formatPrecise } from '../numbers';
import { sparkline } from './sparkline';
import { notFiniteText, shapeText } from './words';

/** What is known of a tensor's numbers: nothing yet, what they are like, or why that cannot be said. */
export type Known = TensorStatistics | { readonly problem: string } | undefined;

/** Whole numbers from here on have no room for all of their digits: the row shows them as powers of ten, and their hint the digits. */
const longest = 1e6;

export const columnTitles = ['Name', 'Type', 'Shape', 'Histogram', 'Min', 'Mean', 'Max'] as const;

/** A tensor's row of the list. */
export class TensorRow {
  readonly element: HTMLTableRowElement;
  /** Selects the tensor; the row's stop for the keyboard. */
  readonly press: HTMLButtonElement;
  private readonly picture = element('td', { class: 'tensor-picture' });
  private readonly numbers = [element('td', { class: 'numeric' }), element('td', { class: 'numeric' }), element('td', { class: 'numeric' })];
  private readonly isWhole: boolean;
  private shown: Known;

  /** `place` is the row's among all that can be scrolled to, from 0. */
  constructor({ name, dtype, shape }: TensorSummary, readonly place: number) {
    this.isWhole = wholeTypes.includes(dtype);
    this.press = element('button', { type: 'button', class: 'row-press', tabindex: -1, title: name }, name);
    this.element = element('tr', { 'data-place': place, 'aria-rowindex': place + 2 },
      element('th', { scope: 'row' }, this.press), element('td', {}, dtype), element('td', { title: shapeText(shape) }, shapeText(shape)), this.picture, ...this.numbers);
    this.update(undefined, false, true);
  }

  update(known: Known, isSelected: boolean, first = false): void {
    setAttributes(this.element, { 'data-selected': isSelected });
    setAttributes(this.press, { 'aria-current': isSelected ? 'true' : undefined });
    if (known === this.shown && !first) return;
    this.shown = known;
    if (known === undefined) this.say('…', 'Not read yet');
    else if ('problem' in known) this.say('', known.problem, 'error');
    else if (known.minimum === undefined) this.say(known.elements === 0 ? 'empty' : notFiniteText(known) ?? '', '');
    else {
      const problem = notFiniteText(known);
      this.picture.replaceChildren(sparkline(known.histogram), ...(problem === undefined ? [] : [warning(problem)]));
    }
    const values = known && 'elements' in known ? [known.minimum, known.mean, known.maximum] : [];
    this.numbers.forEach((cell, at) => {
      const value = values[at];
      // A mean of whole numbers is no element, and is rounded as others are.
      const isElement = this.isWhole && at !== 1;
      setText(cell, value === undefined ? '' : isElement && Math.abs(value) < longest ? formatPrecise(value) : formatNumber(Number(value.toPrecision(3))));
      setAttributes(cell, { title: value !== undefined && isElement && Math.abs(value) >= longest ? formatPrecise(value) : undefined });
    });
  }

  private say(text: string, hint: string, sign?: string): void {
    const spoken = hint === '' ? [] : [element('span', { class: 'visually-hidden' }, hint)];
    this.picture.replaceChildren(element('span', { class: 'tensor-note', title: hint }, ...(sign === undefined ? [] : [icon(sign)]), text), ...spoken);
  }
}

function warning(text: string): HTMLElement {
  return element('span', { class: 'tensor-warning', title: text }, icon('warning'), element('span', { class: 'visually-hidden' }, text));
}
