import type { NetworkArrow, NetworkFigure, NetworkPlace } from '../figure';
import {
  bentCurve, curvePath, direction, distance, dot, headPath, leftOf, loopCurve, middleOf, partOf, pointOn, pointsOn, scaled, subtract, type Curve, type Point,
} from './curve';
import { isWithin, legendOf, outlinesOf, type LegendKey, type MeasureText, type PlacedNode } from './shapes';
import { joinsTheSame, lightestArrow, samePlace } from './words';

type Network = Pick<NetworkFigure, 'nodes' | 'links' | 'arrows'>;

/** Where everything of a network is drawn, in pixels from the top left corner of its drawing. */
export interface NetworkLayout {
  readonly width: number;
  readonly height: number;
  readonly fontSize: number;
  /** In the order of the figure. */
  readonly nodes: readonly PlacedNode[];
  /** In the order of the figure. */
  readonly links: readonly PlacedLink[];
  /** Those that are heavy enough to be drawn, the heaviest last. */
  readonly arrows: readonly PlacedArrow[];
  /** What the marks mean that the figure has. */
  readonly legend: readonly LegendKey[];
}

export interface PlacedLink {
  readonly path: string;
  /** Where its arrows come from and go to: its middle, or a little beside it where something else is there. */
  readonly anchor: Point;
  readonly hasArrows: boolean;
}

export interface PlacedArrow {
  /** Its place among the arrows of the figure. */
  readonly index: number;
  readonly arrow: NetworkArrow;
  readonly path: string;
  readonly head: string;
  readonly strokeWidth: number;
}

/** Radius of the dot on a link where arrows begin and end. */
export const anchorRadius = 3;

const [widest, narrowest, padding] = [540, 160, 4];
/** How far along a link its anchor may be, the best first. */
const anchorPlaces = [0.5, 0.44, 0.56, 0.38, 0.62, 0.32, 0.68, 0.26, 0.74, 0.2, 0.8];

/**
 * Places a network within `available` pixels of width, at most 540, and as high as it needs. All that leaves the square
 * of its nodes, as loops and bent arrows do, is made room for.
 */
export function layOutNetwork(figure: Network, available: number, measure: MeasureText): NetworkLayout {
  const width = Math.min(widest, Math.max(narrowest, Math.floor(available)));
  const fontSize = Math.min(13, Math.max(10, width / 34));
  const place = (margin: number, top: number) => new Placing(figure, { x: margin, y: top }, width - 2 * margin, fontSize, measure);
  let margin = fontSize * 1.5;
  let placing = place(margin, 0);
  // What bends out of the square does so less far in a smaller one, so that the second time is enough.
  for (let round = 0; round < 2; round++) {
    margin += Math.max(0, padding - placing.bounds.left, placing.bounds.right + padding - width);
    placing = place(margin, 0);
  }
  placing = place(margin, padding - placing.bounds.top);
  const legend = legendOf(figure.nodes, width, placing.bounds.bottom + padding, fontSize, measure);
  const bottom = legend.reduce((most, { y }) => Math.max(most, y + fontSize), placing.bounds.bottom);
  return { width, height: Math.ceil(bottom + padding), fontSize, nodes: placing.nodes, links: placing.links, arrows: placing.arrows, legend };
}

/** One try at placing everything: the unit square of the nodes at `origin`, of side `side`. */
class Placing {
  readonly nodes: readonly PlacedNode[];
  readonly links: readonly PlacedLink[];
  readonly arrows: readonly PlacedArrow[];
  readonly bounds = { left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity };
  private readonly centre: Point;

  constructor(
    private readonly figure: Network, origin: Point, side: number, private readonly fontSize: number, measure: MeasureText,
  ) {
    this.nodes = figure.nodes.map(({ x, y, label, mark }) =>
      ({ x: origin.x + x * side, y: origin.y + y * side, outlines: outlinesOf(mark, measure(label, fontSize), fontSize) }));
    for (const node of this.nodes) {
      const [{ halfWidth, halfHeight }] = node.outlines;
      this.include({ x: node.x - halfWidth, y: node.y - halfHeight }, { x: node.x + halfWidth, y: node.y + halfHeight });
    }
    if (this.nodes.length === 0) this.include(origin);
    this.centre = middleOf(this.nodes);
    const curves = figure.links.map((_, at) => this.linkCurve(at));
    curves.forEach(curve => this.include(...pointsOn(curve)));
    const anchors: Point[] = [];
    for (const [at, curve] of curves.entries()) anchors.push(this.anchorOn(curve, at, curves, anchors));
    this.links = curves.map((curve, at) => ({
      path: curvePath(curve), anchor: anchors[at] ?? curve.start,
      hasArrows: figure.arrows.some(({ from, to }) => samePlace(from, { link: at }) || samePlace(to, { link: at })),
    }));
    this.arrows = figure.arrows
      .map((arrow, index) => ({ arrow, index }))
      .filter(({ arrow }) => arrow.weight >= lightestArrow)
      .sort((a, b) => a.arrow.weight - b.arrow.weight)
      .map(({ arrow, index }) => this.arrow(arrow, index));
  }

  /** Straight, but where another link joins the same nodes, or where a node is in the way. */
  private linkCurve(at: number): Curve {
    const { links } = this.figure;
    const link = links[at];
    const [start, end] = [this.nodeAt(link?.from), this.nodeAt(link?.to)];
    const parallel = links.flatMap((each, index) => link && joinsTheSame(each, link) ? [index] : []);
    // Counted on the same side of all of them, whichever way each is written.
    const side = link && link.from > link.to ? -1 : 1;
    const own = side * (parallel.indexOf(at) - (parallel.length - 1) / 2) * this.fontSize * 1.6;
    // Past a node rather on the inside, where the way is shorter.
    const inward = dot(leftOf(start, end), subtract(this.centre, start)) < 0 ? -1 : 1;
    const aside = [0, 0.6, 1.2, 2, 3, -1.2, -2, -3].map(factor => bentCurve(start, end, own + inward * factor * this.fontSize));
    return this.clearest(aside, [link?.from, link?.to], 2);
  }

  /** The first of the curves that passes by all nodes but its own, or the first. */
  private clearest(curves: readonly Curve[], own: readonly (string | undefined)[], gap: number): Curve {
    const others = this.nodes.filter((_, at) => !own.includes(this.figure.nodes[at]?.id));
    const found = curves.find(curve => pointsOn(curve).every(point => others.every(node => !isWithin(point, node, gap)))) ?? curves[0];
    return found ?? bentCurve(this.centre, this.centre, 0);
  }

  /** As near to the middle as other anchors, nodes and crossing links leave room for. */
  private anchorOn(curve: Curve, at: number, curves: readonly Curve[], taken: readonly Point[]): Point {
    const crossing = curves.filter((_, index) => index !== at).flatMap(other => pointsOn(other));
    const roomAt = (point: Point) => {
      const clear = (points: readonly Point[], enough: number) => points.reduce((least, each) => Math.min(least, distance(point, each) / enough), 1);
      return 2 * clear(taken, this.fontSize * 3) + clear(this.nodes, this.fontSize * 2) + 0.5 * clear(crossing, this.fontSize * 0.7);
    };
    const candidates = anchorPlaces.map(t => ({ point: pointOn(curve, t), t }));
    const scored = candidates.map(({ point, t }) => ({ point, score: roomAt(point) - Math.abs(t - 0.5) }));
    return scored.reduce((best, each) => each.score > best.score + 1e-9 ? each : best).point;
  }

  private arrow(arrow: NetworkArrow, index: number): PlacedArrow {
    const { from, to, weight } = arrow;
    const scale = this.fontSize / 13;
    const strokeWidth = scale * (0.9 + 4.1 * weight);
    const curve = this.arrowCurve(from, to);
    const steps = pointsOn(curve, 97);
    const isOutside = (place: NetworkPlace, gap: number) => {
      const node = this.placedNode(place);
      const anchor = node ? undefined : this.anchorOf(place);
      return (point: Point) => node ? !isWithin(point, node, gap) : !anchor || distance(point, anchor) > anchorRadius * scale + gap;
    };
    // The curve begins beside its source, and its head ends beside its destination.
    const begin = Math.max(0, steps.findIndex(isOutside(from, 1)));
    const tipAt = Math.max(begin + 2, steps.findLastIndex(isOutside(to, 1.5)));
    const tip = steps[Math.min(tipAt, steps.length - 1)] ?? curve.end;
    const headLength = scale * 5 + 1.5 * strokeWidth;
    const baseAt = Math.max(begin + 1, steps.findLastIndex((point, at) => at < tipAt && distance(point, tip) >= headLength));
    const base = steps[baseAt] ?? curve.start;
    const share = (at: number) => Math.min(1, at / (steps.length - 1));
    this.include(...steps);
    return {
      index, arrow, strokeWidth, path: curvePath(partOf(curve, share(begin), share(baseAt))),
      head: headPath(base, tip, scale * 2.2 + 0.85 * strokeWidth),
    };
  }

  /** To the left of the straight way, so that the arrow back is beside it; loops point away from the middle of the drawing. */
  private arrowCurve(from: NetworkPlace, to: NetworkPlace): Curve {
    const [start, end] = [this.anchorOf(from), this.anchorOf(to)];
    if (samePlace(from, to)) {
      const node = this.placedNode(from);
      const outward = direction(this.centre, start);
      if (node) return loopCurve(start, outward, node.outlines[0].halfHeight + this.fontSize * 1.5);
      const along = 'link' in from ? this.figure.links[from.link] : undefined;
      const side = leftOf(this.nodeAt(along?.from), this.nodeAt(along?.to));
      return loopCurve(start, scaled(side, dot(side, subtract(start, this.centre)) < 0 ? -1 : 1), this.fontSize * 1.7);
    }
    const bend = Math.min(this.fontSize * 3.4, Math.max(this.fontSize * 0.9, 0.15 * distance(start, end)));
    const own = [from, to].flatMap(place => 'node' in place ? [place.node] : []);
    return this.clearest([1, 1.6, 0.55, 2.3, 3].map(factor => bentCurve(start, end, bend * factor)), own, 2);
  }

  private anchorOf(place: NetworkPlace): Point {
    return 'node' in place ? this.nodeAt(place.node) : this.links[place.link]?.anchor ?? this.centre;
  }

  private placedNode(place: NetworkPlace): PlacedNode | undefined {
    return 'node' in place ? this.nodes[this.figure.nodes.findIndex(({ id }) => id === place.node)] : undefined;
  }

  private nodeAt(id: string | undefined): Point {
    return this.nodes[this.figure.nodes.findIndex(node => node.id === id)] ?? this.centre;
  }

  private include(...points: readonly Point[]): void {
    for (const { x, y } of points) {
      this.bounds.left = Math.min(this.bounds.left, x);
      this.bounds.right = Math.max(this.bounds.right, x);
      this.bounds.top = Math.min(this.bounds.top, y);
      this.bounds.bottom = Math.max(this.bounds.bottom, y);
    }
  }
}
