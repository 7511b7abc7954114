import { element, icon, setText } from '../elements';

/** The line under a figure that says what the cursor is on; it keeps its height when it is empty. */
export class Readout {
  private readonly lock = icon('lock');
  private readonly text = element('span');
  readonly element = element('p', { class: 'readout' }, this.lock, this.text);

  constructor(private readonly hint: string) {
    this.update(undefined, false);
  }

  update(text: string | undefined, locked: boolean): void {
    this.lock.hidden = !locked;
    this.element.classList.toggle('hint', text === undefined);
    setText(this.text, text === undefined ? this.hint : locked ? `${text} (locked)` : text);
  }
}
