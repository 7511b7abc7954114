import type { Subject } from '../../src/protocol/figure';
import { menuButton } from '../controls/menu';
import { element, icon, setText } from '../elements';
import type { FigureContext } from './view';

/**
 * The line under a figure that says what the cursor is on; it keeps its height when it is empty. While the cursor is locked
 * on a part of the model, the line has a menu of what that part can be opened in.
 */
export class Readout {
  private readonly lock = icon('lock');
  private readonly text = element('span');
  private readonly menuSlot = element('div', { class: 'readout-menu', hidden: true });
  readonly element = element('div', { class: 'readout' }, this.lock, this.text, this.menuSlot);
  private subject = '';

  constructor(private readonly hint: string, private readonly openings: FigureContext['openings']) {
    this.update(undefined, false);
  }

  /** `subject` is what is locked here, where it is a part of the model. */
  update(text: string | undefined, locked: boolean, subject?: Subject): void {
    this.lock.hidden = !locked;
    this.element.classList.toggle('hint', text === undefined);
    setText(this.text, text === undefined ? this.hint : locked ? `${text} (locked)` : text);
    const key = JSON.stringify(subject ?? {});
    if (key === this.subject) return;
    this.subject = key;
    const isEmpty = subject === undefined || this.openings(subject).length === 0;
    this.menuSlot.hidden = isEmpty;
    this.menuSlot.replaceChildren(...isEmpty ? [] : [menuButton('Open in…', `Open in…: ${text ?? ''}`, () => this.openings(subject))]);
  }
}
