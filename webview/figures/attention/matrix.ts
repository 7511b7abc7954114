import type { AttentionFigure, AttentionHead } from '../../../src/protocol/figure';
import type { Cell } from '../../cursor';
import { element, setAttributes, svgElement } from '../../elements';
import type { Theme } from '../../theme';
import { layOutMatrix, matrixLabels, type MatrixLayout } from './matrixLayout';
import { paintPattern, weightColours } from './paint';

/** One head's pattern, large, with its tokens on both axes and a mark on the cell of the cursor. */
export class Matrix {
  private readonly canvas = element('canvas', { class: 'pattern' });
  private readonly labels = svgElement('g');
  private readonly bands = svgElement('path', { class: 'matrix-bands' });
  private readonly outline = svgElement('path', { class: 'matrix-outline' });
  private readonly overlay = svgElement('svg', { class: 'matrix-overlay', 'aria-hidden': 'true' }, this.labels, this.bands, this.outline);
  private readonly ground = element('div', { class: 'pattern-ground' }, this.canvas);
  private readonly sheet = element('div', { class: 'matrix-sheet' }, this.ground, this.overlay);
  readonly element = element('div', { class: 'matrix', tabindex: 0, role: 'application', 'aria-roledescription': 'attention pattern' }, this.sheet);
  private layout: MatrixLayout | undefined;
  private laidOut = '';

  /** `hovered` is told the cell under the pointer, and undefined when it leaves. */
  constructor(hovered: (cell: Cell | undefined, event: PointerEvent) => void, clicked: (cell: Cell) => void) {
    this.ground.addEventListener('pointermove', event => hovered(this.cellAt(event), event));
    this.ground.addEventListener('pointerleave', event => hovered(undefined, event));
    this.ground.addEventListener('click', event => {
      const cell = this.cellAt(event);
      if (cell) clicked(cell);
    });
  }

  /** Draws into `available` pixels; labels are laid out again only when something about them changed. */
  draw({ tokens, allowed }: AttentionFigure, head: AttentionHead, available: number, theme: Theme): void {
    paintPattern(this.canvas, head.pattern, allowed, tokens.length, weightColours(theme));
    const key = JSON.stringify([tokens, available, theme]);
    if (key === this.laidOut) return;
    this.laidOut = key;
    const layout = layOutMatrix(tokens, available, theme);
    this.layout = layout;
    const size = layout.cell * tokens.length;
    this.labels.replaceChildren(matrixLabels(tokens, layout, theme));
    setAttributes(this.overlay, { width: layout.width, height: layout.height });
    Object.assign(this.sheet.style, { width: `${layout.width}px`, height: `${layout.height}px` });
    Object.assign(this.ground.style, { left: `${layout.left}px`, top: `${layout.top}px`, width: `${size}px`, height: `${size}px` });
  }

  /** Marks a cell, its row and its column. */
  mark(cell: Cell | undefined, locked: boolean, positions: number): void {
    this.element.classList.toggle('locked', locked);
    if (!cell || !this.layout) {
      setAttributes(this.bands, { d: undefined });
      setAttributes(this.outline, { d: undefined });
      return;
    }
    const { cell: size, left, top } = this.layout;
    const all = positions * size;
    const [x, y] = [left + cell.column * size, top + cell.row * size];
    setAttributes(this.bands, { d: `M${left} ${y}h${all}M${left} ${y + size}h${all}M${x} ${top}v${all}M${x + size} ${top}v${all}` });
    setAttributes(this.outline, { d: `M${x} ${y}h${size}v${size}h${-size}z` });
  }

  /** Scrolls a pattern that is wider than its place to a cell. */
  reveal(cell: Cell): void {
    if (!this.layout) return;
    const { cell: size, left } = this.layout;
    const x = left + cell.column * size;
    const { scrollLeft, clientWidth } = this.element;
    if (x < scrollLeft + left || x + size > scrollLeft + clientWidth) this.element.scrollLeft = x - clientWidth / 2;
  }

  private cellAt(event: MouseEvent): Cell | undefined {
    if (!this.layout) return undefined;
    const { left, top } = this.ground.getBoundingClientRect();
    const [row, column] = [Math.floor((event.clientY - top) / this.layout.cell), Math.floor((event.clientX - left) / this.layout.cell)];
    const positions = this.canvas.width;
    return row >= 0 && column >= 0 && row < positions && column < positions ? { row, column } : undefined;
  }
}
