import { labelAt } from '../../engine/words/figureTable';
import type { Axis } from '../../protocol/figure';
import { markup, type Markup } from './markup';
import { short, textWidth } from './matrix';

/** Indices of labels to draw along `length` pixels so that they keep `room` pixels each: all of them, or every n-th. */
export function labelledIndices(count: number, length: number, room: number): number[] {
  const stride = niceStride((count * room) / Math.max(1, length));
  return Array.from({ length: Math.ceil(count / stride) }, (_, i) => i * stride);
}

/** 1, 2, 5, 10, 20, … */
function niceStride(least: number): number {
  if (least <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5, 10].find(factor => factor * power >= least - 1e-9) ?? 10) * power;
}

const longest = 18;

/** A label short enough for a picture; the whole one is in the table. */
export function cut(label: string): string {
  const shown = label.replace(/\n/g, '↵');
  const characters = [...shown];
  return characters.length > longest ? `${characters.slice(0, longest - 1).join('')}…` : shown;
}

export interface CategoryAxis {
  readonly axis: Axis;
  readonly count: number;
  /** Pixels along the axis. */
  readonly length: number;
}

export function widestLabel({ axis, count }: CategoryAxis): number {
  let widest = 0;
  for (let i = 0; i < count; i++) widest = Math.max(widest, textWidth(cut(labelAt(axis, i))));
  return widest;
}

/** Whether the labels under a picture must stand upright to fit. */
export function mustTurn(below: CategoryAxis): boolean {
  return below.axis.labels !== undefined && widestLabel(below) + 4 > below.length / below.count;
}

/** Labels under the cells of a picture, from its bottom left corner on. */
export function drawLabelsBelow(below: CategoryAxis): Markup {
  const turned = mustTurn(below);
  const room = turned ? 12 : widestLabel(below) + 6;
  const step = below.length / below.count;
  return markup`${labelledIndices(below.count, below.length, room).map(i => {
    const x = short((i + 0.5) * step);
    const label = cut(labelAt(below.axis, i));
    return turned
      ? markup`<text class="tick end" transform="translate(${x} 8) rotate(-90)" dy=".35em">${label}</text>`
      : markup`<text class="tick middle" x="${x}" y="16">${label}</text>`;
  })}`;
}

/** Labels left of the cells of a picture, from its top left corner on. */
export function drawLabelsBeside(beside: CategoryAxis): Markup {
  const step = beside.length / beside.count;
  return markup`${labelledIndices(beside.count, beside.length, 12).map(i =>
    markup`<text class="tick end" x="-7" y="${short((i + 0.5) * step)}" dy=".35em">${cut(labelAt(beside.axis, i))}</text>`)}`;
}
