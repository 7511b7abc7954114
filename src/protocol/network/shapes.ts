import type { NetworkNode } from '../figure';
import type { Point } from './curve';
import { markWords } from './words';

/** A rectangle around a place; round where its corners are as large as half of it. */
export interface Outline {
  readonly halfWidth: number;
  readonly halfHeight: number;
  readonly corner: number;
}

export interface PlacedNode extends Point {
  /** Around the place, the outermost first. */
  readonly outlines: readonly [Outline, ...Outline[]];
}

/** What a mark looks like, and its words beside it. */
export interface LegendKey extends PlacedNode {
  readonly mark: Mark;
  readonly text: string;
  /** Where the text begins. */
  readonly textX: number;
}

/** The width of a text at a size of its font, all in pixels. */
export type MeasureText = (text: string, fontSize: number) => number;

type Mark = NonNullable<NetworkNode['mark']>;
const marks = ['start', 'end', 'path'] as const satisfies readonly Mark[];

/** A node is round, the start square, and the end has a second outline around it, so that no colour is needed to tell them. */
export function outlinesOf(mark: Mark | undefined, labelWidth: number, fontSize: number): PlacedNode['outlines'] {
  const halfHeight = fontSize;
  const needed = labelWidth / 2 + 0.45 * fontSize;
  // Nearly a circle is a circle.
  const halfWidth = needed <= 1.1 * halfHeight ? halfHeight : needed;
  const outline = { halfWidth, halfHeight, corner: mark === 'start' ? fontSize / 4 : halfHeight };
  if (mark !== 'end') return [outline];
  const gap = Math.max(2.5, fontSize / 4);
  return [{ halfWidth: halfWidth + gap, halfHeight: halfHeight + gap, corner: halfHeight + gap }, outline];
}

/** Whether a point is on a node, or within `gap` of it. */
export function isWithin(point: Point, { x, y, outlines: [{ halfWidth, halfHeight, corner }] }: PlacedNode, gap: number): boolean {
  // Distance to a rounded rectangle: to the rectangle that its corners are rounded about.
  const aside = Math.max(0, Math.abs(point.x - x) - (halfWidth - corner));
  const above = Math.max(0, Math.abs(point.y - y) - (halfHeight - corner));
  return Math.hypot(aside, above) <= corner + gap;
}

/** A key for each mark that a node has, in lines of at most `width`, below `top`. */
export function legendOf(nodes: readonly Pick<NetworkNode, 'mark'>[], width: number, top: number, fontSize: number, measure: MeasureText): readonly LegendKey[] {
  const keys: LegendKey[] = [];
  const size = 0.55 * fontSize;
  let [left, y] = [4, top + fontSize];
  for (const mark of marks.filter(each => nodes.some(node => node.mark === each))) {
    const outlines = outlinesOf(mark, 0, size);
    const [{ halfWidth }] = outlines;
    const text = markWords[mark];
    const taken = 2 * halfWidth + 0.5 * fontSize + measure(text, fontSize);
    if (left > 4 && left + taken > width) [left, y] = [4, y + 1.6 * fontSize];
    keys.push({ mark, text, x: left + halfWidth, y, outlines, textX: left + 2 * halfWidth + 0.5 * fontSize });
    left += taken + 1.2 * fontSize;
  }
  return keys;
}
