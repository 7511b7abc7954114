import { describe, expect, test } from 'vitest';
import type { NetworkFigure } from '../../../../src/protocol/figure';
import { onCircle } from '../../../../src/protocol/network/circle';
import { distance, type Point } from '../../../../src/protocol/network/curve';
import { layOutNetwork, type NetworkLayout } from '../../../../src/protocol/network/layout';
import { isWithin } from '../../../../src/protocol/network/shapes';

type Network = Pick<NetworkFigure, 'nodes' | 'links' | 'arrows'>;

const measure = (text: string, fontSize: number) => text.length * fontSize * 0.6;
const circle = (count: number): NetworkFigure['nodes'] =>
  Array.from({ length: count }, (_, at) => ({ id: String(at + 1), label: String(at + 1), ...onCircle(at, count) }));
const joined = (...ends: readonly (readonly [number, number])[]): NetworkFigure['links'] => ends.map(([from, to]) => ({ from: String(from), to: String(to) }));
const node = (vertex: number) => ({ node: String(vertex) });

/** All corners of a path: ends of curves, controls and heads alike. */
function cornersOf(path: string): readonly Point[] {
  const numbers = path.match(/-?[\d.]+/g)?.map(Number) ?? [];
  return Array.from({ length: numbers.length / 2 }, (_, at) => ({ x: numbers[2 * at] ?? 0, y: numbers[2 * at + 1] ?? 0 }));
}
const pathsOf = ({ links, arrows }: NetworkLayout) => [...links.map(({ path }) => path), ...arrows.flatMap(({ path, head }) => [path, head])];
/** Points of a curve, by Bernstein's polynomials rather than by division. */
function walk(path: string): readonly Point[] {
  const corners = cornersOf(path);
  const [a, b, c, d] = corners;
  if (!a || !b || !c || !d) throw new Error(`${path} is no curve`);
  return Array.from({ length: 41 }, (_, i) => {
    const t = i / 40;
    const mix = (of: (point: Point) => number) => (1 - t) ** 3 * of(a) + 3 * (1 - t) ** 2 * t * of(b) + 3 * (1 - t) * t ** 2 * of(c) + t ** 3 * of(d);
    return { x: mix(point => point.x), y: mix(point => point.y) };
  });
}

/** Every place reads from every place, itself among them. */
function full(count: number, links: NetworkFigure['links']): Network {
  const nodes = circle(count);
  const places = [...nodes.map(({ id }) => ({ node: id })), ...links.map((_, link) => ({ link }))];
  return { nodes, links, arrows: places.flatMap(from => places.map(to => ({ from, to, weight: 1 / places.length }))) };
}

describe('everything is inside of the drawing', () => {
  test.each([[3, 240], [3, 600], [15, 240], [15, 600], [20, 240]])('%d vertices in %d pixels', (count, width) => {
    const figure = full(count, joined([1, 2], [1, 3], [2, 3], [1, count], [2, 1]));
    const layout = layOutNetwork({ ...figure, nodes: figure.nodes.map(each => ({ ...each, mark: 'end' as const })) }, width, measure);
    expect(layout.width).toBeLessThanOrEqual(width);
    for (const { x, y, outlines: [{ halfWidth, halfHeight }] } of layout.nodes) {
      expect(x - halfWidth).toBeGreaterThanOrEqual(0);
      expect(x + halfWidth).toBeLessThanOrEqual(layout.width);
      expect(y - halfHeight).toBeGreaterThanOrEqual(0);
      expect(y + halfHeight).toBeLessThanOrEqual(layout.height);
    }
    for (const point of layout.arrows.flatMap(({ path, head }) => [...walk(path), ...cornersOf(head)])) {
      expect(point.x).toBeGreaterThanOrEqual(-1);
      expect(point.x).toBeLessThanOrEqual(layout.width + 1);
      expect(point.y).toBeGreaterThanOrEqual(-1);
      expect(point.y).toBeLessThanOrEqual(layout.height + 1);
    }
  });

  test('and no two nodes of a circle of 16 touch in 240 pixels', () => {
    const { nodes } = layOutNetwork({ nodes: circle(16), links: [], arrows: [] }, 240, measure);
    for (const [at, one] of nodes.entries()) for (const other of nodes.slice(at + 1)) expect(distance(one, other)).toBeGreaterThan(2 * one.outlines[0].halfWidth + 4);
  });

  test.each<readonly [string, Network]>([
    ['nothing', { nodes: [], links: [], arrows: [] }],
    ['one node', { nodes: circle(1), links: [], arrows: [{ from: node(1), to: node(1), weight: 1 }] }],
    ['nodes in one place', { nodes: circle(2).map(each => ({ ...each, x: 0.5, y: 0.5 })), links: joined([1, 2]), arrows: [{ from: node(1), to: { link: 0 }, weight: 1 }] }],
  ])('%s has finite places too', (_, figure) => {
    const layout = layOutNetwork(figure, 300, measure);
    expect(Number.isFinite(layout.height)).toBe(true);
    expect(pathsOf(layout).join(' ')).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('a row of nodes takes no more height than it needs', () => {
    const nodes = [0, 0.5, 1].map((x, at) => ({ id: String(at), label: String(at), x, y: 0.5 }));
    expect(layOutNetwork({ nodes, links: [], arrows: [] }, 400, measure).height).toBeLessThan(50);
  });
});

describe('lines', () => {
  test('between the same nodes are beside each other, whichever way they are written', () => {
    const { links } = layOutNetwork({ nodes: circle(5), links: joined([1, 3], [3, 1], [1, 3]), arrows: [] }, 300, measure);
    for (const [at, one] of links.entries()) for (const other of links.slice(at + 1)) expect(distance(one.anchor, other.anchor)).toBeGreaterThan(10);
  });

  test('go around a node that is on their way', () => {
    const nodes = [0, 0.5, 1].map((x, at) => ({ id: String(at), label: String(at), x, y: 0.5 }));
    const layout = layOutNetwork({ nodes, links: [{ from: '0', to: '2' }, { from: '0', to: '1' }], arrows: [] }, 400, measure);
    const [around, beside] = layout.links.map(({ path }) => walk(path));
    const middle = layout.nodes[1];
    if (!around || !beside || !middle) throw new Error('something is not drawn');
    expect(around.some(point => isWithin(point, middle, 0))).toBe(false);
    expect(new Set(beside.map(({ y }) => Math.round(y))).size).toBe(1);
  });

  test('that cross in the middle have their anchors apart, and on them', () => {
    const { links, fontSize } = layOutNetwork({ nodes: circle(16), links: joined([1, 9], [2, 10], [3, 11], [4, 12], [5, 13]), arrows: [] }, 500, measure);
    for (const [at, one] of links.entries()) {
      for (const other of links.slice(at + 1)) expect(distance(one.anchor, other.anchor)).toBeGreaterThan(fontSize);
      expect(Math.min(...walk(one.path).map(point => distance(point, one.anchor)))).toBeLessThan(7);
    }
  });
});

describe('arrows', () => {
  const layout = layOutNetwork({
    nodes: circle(4), links: joined([1, 2]),
    arrows: [
      { from: node(1), to: node(3), weight: 0.5 }, { from: node(3), to: node(1), weight: 1 }, { from: node(2), to: node(2), weight: 0.02 },
      { from: node(4), to: { link: 0 }, weight: 0.3 }, { from: node(4), to: node(1), weight: 0.019 },
    ],
  }, 400, measure);
  const drawn = (index: number) => {
    const arrow = layout.arrows.find(each => each.index === index);
    const [tip] = cornersOf(arrow?.head ?? '');
    if (!arrow || !tip) throw new Error(`arrow ${index} is not drawn`);
    return { ...arrow, tip, curve: walk(arrow.path) };
  };
  const placed = (vertex: number) => layout.nodes[vertex - 1] ?? { x: 0, y: 0, outlines: [{ halfWidth: 0, halfHeight: 0, corner: 0 }] as const };

  test('are there from 0.02 on, the heaviest last and widest', () => {
    expect(layout.arrows.map(({ index }) => index)).toEqual([2, 3, 0, 1]);
    expect(layout.arrows.map(({ strokeWidth }) => strokeWidth)).toEqual([...layout.arrows.map(({ strokeWidth }) => strokeWidth)].sort((a, b) => a - b));
  });

  test('begin beside their source and end beside their destination, not on them', () => {
    const { curve, tip } = drawn(0);
    const [first] = curve;
    expect(first && isWithin(first, placed(1), 0)).toBe(false);
    expect(first && isWithin(first, placed(1), 8)).toBe(true);
    expect(isWithin(tip, placed(3), 0)).toBe(false);
    expect(isWithin(tip, placed(3), 8)).toBe(true);
  });

  test('there and back are apart', () => {
    const [there, back] = [drawn(0).curve[20], drawn(1).curve[20]];
    expect(there && back && distance(there, back)).toBeGreaterThan(40);
  });

  test('to itself leaves the node on the outside and comes back to it', () => {
    const { curve, tip } = drawn(2);
    const right = placed(2);
    expect(Math.max(...curve.map(({ x }) => x))).toBeGreaterThan(right.x + right.outlines[0].halfWidth + 8);
    expect(isWithin(tip, right, 8)).toBe(true);
  });

  test('to a line end at its anchor, which says that it has some', () => {
    const [link] = layout.links;
    expect(link?.hasArrows).toBe(true);
    expect(link && distance(drawn(3).tip, link.anchor)).toBeLessThan(8);
  });
});

describe('the legend', () => {
  const marked = (...marks: readonly ('start' | 'end' | 'path')[]) => circle(5).map((each, at) => ({ ...each, ...(marks[at] && { mark: marks[at] }) }));

  test('has the marks that there are', () => {
    const keys = (nodes: Network['nodes']) => layOutNetwork({ nodes, links: [], arrows: [] }, 300, measure).legend.map(({ text }) => text);
    expect(keys(circle(5))).toEqual([]);
    expect(keys(marked('path', 'start', 'end', 'path'))).toEqual(['start', 'end', 'on the path']);
    expect(keys(marked('end'))).toEqual(['end']);
  });

  test('tells them apart by their shapes, and breaks where the drawing is narrow', () => {
    const { legend, height } = layOutNetwork({ nodes: marked('start', 'end', 'path'), links: [], arrows: [] }, 160, measure);
    expect(new Set(legend.map(({ outlines }) => outlines.map(({ halfWidth, corner }) => corner === halfWidth).join())).size).toBe(3);
    expect(new Set(legend.map(({ y }) => y)).size).toBe(2);
    for (const { y, textX, text } of legend) {
      expect(textX + measure(text, 10)).toBeLessThanOrEqual(160);
      expect(y + 5).toBeLessThan(height);
    }
  });
});
