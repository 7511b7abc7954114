import type { AttentionFigure, AttentionHead } from '../../../src/protocol/figure';
import { element, setAttributes, setText } from '../../elements';
import { tokenLabel } from './matrixLayout';

interface Chip {
  readonly element: HTMLElement;
  readonly weight: HTMLElement;
}

/** The tokens in their order; where one is looked at as a destination, each shows how much it is attended to. */
export class TokenStrip {
  readonly element = element('div', { class: 'token-strip', 'aria-hidden': 'true' });
  private chips: readonly Chip[] = [];
  private built = '';

  /** `hovered` is told the position of the token under the pointer, and undefined when it leaves. */
  constructor(private readonly hovered: (position: number | undefined) => void) {
    this.element.addEventListener('pointerleave', () => this.hovered(undefined));
  }

  draw({ tokens, allowed }: AttentionFigure, { pattern }: AttentionHead, destination: number | undefined, source: number | undefined): void {
    const key = JSON.stringify(tokens);
    if (key !== this.built) {
      this.built = key;
      this.build(tokens);
    }
    this.element.classList.toggle('looking', destination !== undefined);
    this.chips.forEach((chip, position) => {
      const cell = (destination ?? 0) * tokens.length + position;
      const forbidden = destination !== undefined && allowed[cell] === 0;
      const weight = destination === undefined || forbidden ? 0 : pattern[cell] ?? 0;
      setAttributes(chip.element, {
        'data-destination': position === destination, 'data-source': position === source, 'data-forbidden': forbidden,
      });
      chip.element.style.setProperty('--weight', weight.toFixed(3));
      if (position === destination) this.reveal(chip.element);
      setText(chip.weight, destination === undefined ? '' : forbidden ? 'masked' : weight.toFixed(2));
    });
  }

  /** Scrolls a strip of many lines to a token, and nothing else. */
  private reveal({ offsetTop, offsetHeight }: HTMLElement): void {
    const { scrollTop, clientHeight } = this.element;
    if (offsetTop < scrollTop || offsetTop + offsetHeight > scrollTop + clientHeight) this.element.scrollTop = offsetTop - clientHeight / 2;
  }

  private build(tokens: readonly string[]): void {
    this.chips = tokens.map((token, position) => {
      const weight = element('span', { class: 'token-weight' });
      const chip = element('span', { class: 'token', title: `${token} (position ${position})` },
        element('span', { class: 'token-word' }, tokenLabel(token)), element('span', { class: 'token-bar' }), weight);
      chip.addEventListener('pointerenter', () => this.hovered(position));
      return { element: chip, weight };
    });
    this.element.replaceChildren(...this.chips.map(chip => chip.element));
  }
}
