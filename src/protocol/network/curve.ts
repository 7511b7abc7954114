/** Curves in the plane, y down, for drawing networks on a page and in a report alike. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A cubic Bézier curve: its ends, and the controls between them. */
export interface Curve {
  readonly start: Point;
  readonly leaving: Point;
  readonly arriving: Point;
  readonly end: Point;
}

/** From one point to another, `bend` pixels to the left at its middle. */
export function bentCurve(start: Point, end: Point, bend: number): Curve {
  const control = add(between(start, end, 0.5), scaled(leftOf(start, end), 2 * bend));
  return { start, leaving: between(start, control, 2 / 3), arriving: between(end, control, 2 / 3), end };
}

/** From a point back to itself, `reach` pixels away where it is farthest, on the side where `outward` (of length 1) points. */
export function loopCurve(at: Point, outward: Point, reach: number): Curve {
  const opening = 0.55;
  const length = reach / (0.75 * Math.cos(opening));
  return { start: at, leaving: add(at, scaled(turned(outward, -opening), length)), arriving: add(at, scaled(turned(outward, opening), length)), end: at };
}

export function pointOn({ start, leaving, arriving, end }: Curve, t: number): Point {
  const [a, b, c] = [between(start, leaving, t), between(leaving, arriving, t), between(arriving, end, t)];
  return between(between(a, b, t), between(b, c, t), t);
}

/** The part of a curve between two of its parameters (de Casteljau, twice). */
export function partOf(curve: Curve, from: number, to: number): Curve {
  return upTo(fromOn(curve, from), from < 1 ? (to - from) / (1 - from) : 1);
}

function upTo({ start, leaving, arriving, end }: Curve, t: number): Curve {
  const [a, b, c] = [between(start, leaving, t), between(leaving, arriving, t), between(arriving, end, t)];
  const [d, e] = [between(a, b, t), between(b, c, t)];
  return { start, leaving: a, arriving: d, end: between(d, e, t) };
}

function fromOn(curve: Curve, t: number): Curve {
  return reversed(upTo(reversed(curve), 1 - t));
}

function reversed({ start, leaving, arriving, end }: Curve): Curve {
  return { start: end, leaving: arriving, arriving: leaving, end: start };
}

/** Points along a curve, both ends among them. */
export function pointsOn(curve: Curve, count = 33): readonly Point[] {
  return Array.from({ length: count }, (_, i) => pointOn(curve, i / (count - 1)));
}

/** As the `d` of an SVG path. */
export function curvePath({ start, leaving, arriving, end }: Curve): string {
  return `M${written(start)}C${[leaving, arriving, end].map(written).join(' ')}`;
}

/** The triangle of an arrow's head, as the `d` of an SVG path. */
export function headPath(base: Point, tip: Point, halfWidth: number): string {
  const side = scaled(leftOf(base, tip), halfWidth);
  return `M${written(tip)}L${written(add(base, side))} ${written(subtract(base, side))}Z`;
}

export function distance(one: Point, other: Point): number {
  return Math.hypot(one.x - other.x, one.y - other.y);
}

export function middleOf(points: readonly Point[]): Point {
  const sum = points.reduce(add, { x: 0, y: 0 });
  return scaled(sum, 1 / Math.max(1, points.length));
}

/** Of length 1 from one point to another; upward where they are the same. */
export function direction(from: Point, to: Point): Point {
  const length = distance(from, to);
  return length < 1e-6 ? { x: 0, y: -1 } : scaled(subtract(to, from), 1 / length);
}

/** Of length 1 and square to the way from one point to another, on its left. */
export function leftOf(from: Point, to: Point): Point {
  const { x, y } = direction(from, to);
  return { x: y, y: -x };
}

export function scaled({ x, y }: Point, factor: number): Point {
  return { x: x * factor, y: y * factor };
}

export function dot(one: Point, other: Point): number {
  return one.x * other.x + one.y * other.y;
}

export function subtract(one: Point, other: Point): Point {
  return { x: one.x - other.x, y: one.y - other.y };
}

function add(one: Point, other: Point): Point {
  return { x: one.x + other.x, y: one.y + other.y };
}

function between(one: Point, other: Point, share: number): Point {
  return { x: one.x + (other.x - one.x) * share, y: one.y + (other.y - one.y) * share };
}

function turned({ x, y }: Point, angle: number): Point {
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  return { x: x * cosine - y * sine, y: x * sine + y * cosine };
}

function written({ x, y }: Point): string {
  return `${tenth(x)} ${tenth(y)}`;
}

function tenth(value: number): number {
  // Adding 0 turns −0 into 0.
  return Math.round(value * 10) / 10 + 0;
}
