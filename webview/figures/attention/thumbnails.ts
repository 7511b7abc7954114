import type { AttentionFigure, AttentionHead } from '../../../src/protocol/figure';
import type { Cell } from '../../cursor';
import { element, setAttributes } from '../../elements';
import type { Theme } from '../../theme';
import { headTitle, sameHead, type HeadName } from '../../subjects';
import { paintPattern, weightColours } from './paint';

interface Thumbnail {
  readonly name: HeadName;
  readonly element: HTMLElement;
  readonly canvas: HTMLCanvasElement;
}

/** Every head small, a row a layer and a column a head; one of them is picked. */
export class Thumbnails {
  readonly element = element('div', { class: 'thumbnails', role: 'radiogroup', 'aria-label': 'Heads' });
  private thumbnails: readonly Thumbnail[] = [];
  private built = '';

  constructor(
    private readonly pick: (head: HeadName) => void,
    private readonly hovered: (head: HeadName, cell: Cell | undefined, event: PointerEvent) => void,
  ) {
    this.element.addEventListener('keydown', event => this.walk(event));
  }

  draw({ heads, tokens, allowed }: AttentionFigure, picked: HeadName, theme: Theme): void {
    const key = heads.map(headTitle).join();
    if (key !== this.built) {
      this.built = key;
      this.build(heads);
    }
    const colours = weightColours(theme);
    // A pixel a cell stays sharp when it grows; when it shrinks, sharp would mean leaving cells out.
    this.element.classList.toggle('smooth', tokens.length > (this.thumbnails[0]?.canvas.clientWidth ?? 0));
    this.thumbnails.forEach(({ name, element: thumbnail, canvas }, i) => {
      const isPicked = sameHead(name, picked);
      setAttributes(thumbnail, { 'aria-checked': String(isPicked), tabindex: isPicked ? 0 : -1 });
      const pattern = heads[i]?.pattern;
      if (pattern) paintPattern(canvas, pattern, allowed, tokens.length, colours);
    });
  }

  /** Marks the same cell in all of them, with one change of style. */
  mark(cell: Cell | undefined, positions: number): void {
    this.element.classList.toggle('marking', cell !== undefined);
    if (!cell) return;
    this.element.style.setProperty('--row', String(cell.row));
    this.element.style.setProperty('--column', String(cell.column));
    this.element.style.setProperty('--positions', String(positions));
  }

  private build(heads: readonly AttentionHead[]): void {
    const layers = [...new Set(heads.map(({ layer }) => layer))].sort((a, b) => a - b);
    const columns = [...new Set(heads.map(({ head }) => head))].sort((a, b) => a - b);
    const hadFocus = this.element.contains(document.activeElement);
    this.element.style.setProperty('--columns', String(columns.length));
    this.element.classList.toggle('many', columns.length > 6);
    this.thumbnails = heads.map(({ layer, head }) => this.thumbnail({ layer, head }));
    this.element.replaceChildren(
      element('span'),
      ...columns.map(head => element('span', { class: 'thumbnail-heading', 'aria-hidden': 'true' }, `H${head}`)),
      ...layers.flatMap(layer => [
        element('span', { class: 'thumbnail-heading', 'aria-hidden': 'true' }, `L${layer}`),
        ...columns.map(head => this.find({ layer, head })?.element ?? element('span')),
      ]),
    );
    if (hadFocus) this.thumbnails[0]?.element.focus();
  }

  private thumbnail(name: HeadName): Thumbnail {
    const canvas = element('canvas', { class: 'pattern' });
    const ground = element('span', { class: 'pattern-ground' }, canvas, element('span', { class: 'thumbnail-mark' }));
    const made = element('button', { type: 'button', class: 'thumbnail', role: 'radio', 'aria-label': headTitle(name) }, ground);
    made.addEventListener('click', () => this.pick(name));
    ground.addEventListener('pointermove', event => {
      const { left, top, width, height } = canvas.getBoundingClientRect();
      const place = (offset: number, length: number) => Math.min(canvas.width - 1, Math.max(0, Math.floor((offset / length) * canvas.width)));
      this.hovered(name, { row: place(event.clientY - top, height), column: place(event.clientX - left, width) }, event);
    });
    ground.addEventListener('pointerleave', event => this.hovered(name, undefined, event));
    return { name, element: made, canvas };
  }

  /** Arrow keys pick the next head in their direction, as in every group of radio buttons. */
  private walk(event: KeyboardEvent): void {
    const direction = directions[event.key];
    const from = this.thumbnails.find(({ element: thumbnail }) => thumbnail === document.activeElement);
    if (!direction || !from) return;
    event.preventDefault();
    const ahead = this.thumbnails
      .map(thumbnail => ({ thumbnail, layers: thumbnail.name.layer - from.name.layer, heads: thumbnail.name.head - from.name.head }))
      .filter(({ layers, heads }) => Math.sign(direction.layer) === Math.sign(layers) && Math.sign(direction.head) === Math.sign(heads))
      .sort((a, b) => Math.abs(a.layers) + Math.abs(a.heads) - Math.abs(b.layers) - Math.abs(b.heads))[0];
    if (!ahead) return;
    ahead.thumbnail.element.focus();
    this.pick(ahead.thumbnail.name);
  }

  private find(name: HeadName): Thumbnail | undefined {
    return this.thumbnails.find(thumbnail => sameHead(thumbnail.name, name));
  }
}

const directions: Readonly<Record<string, HeadName>> = {
  ArrowLeft: { layer: 0, head: -1 },
  ArrowRight: { layer: 0, head: 1 },
  ArrowUp: { layer: -1, head: 0 },
  ArrowDown: { layer: 1, head: 0 },
};
