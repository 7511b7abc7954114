import { edgePorts, portOffset } from '../../src/protocol/edgePorts';
import type { GraphFigure } from '../../src/protocol/figure';
import { coloursFor } from '../colours';
import { setAttributes, svgElement } from '../elements';
import { formatNumber } from '../numbers';
import { shorten } from '../plotly/ticks';
import type { Theme } from '../theme';
import { textWidth } from './text';

export interface GraphDrawing {
  readonly root: SVGSVGElement;
  readonly width: number;
  readonly height: number;
  /** Ids of the nodes, a list for each column, from top to bottom. */
  readonly layers: readonly (readonly string[])[];
  readonly nodes: readonly { readonly id: string; readonly shape: SVGGElement }[];
  readonly edges: readonly DrawnEdge[];
}

export interface DrawnEdge {
  readonly from: string;
  readonly to: string;
  readonly shape: SVGGElement;
  readonly weight: SVGTextElement;
  /** Puts the weight beside one end, clear of the nodes between. */
  weighAt(end: 'from' | 'to'): void;
}

interface Box {
  readonly id: string;
  readonly left: number;
  readonly right: number;
  readonly middle: number;
}

const [boxHeight, margin, portGap] = [26, 8, 9];
/** Between columns: as much as the width leaves, within these. */
const [narrowestGap, widestGap] = [48, 150];
/** Rows are closer where there are many. */
const [rowHeight, manyRowHeight, manyRows] = [44, 34, 8];
/** The heaviest edges always show their weights. */
const labelledEdges = 6;

/** Whether a node is of the picked head. */
export type PickedNode = (node: GraphFigure['nodes'][number]) => boolean;

/** Draws the nodes where their columns and rows say, and the edges as curves between them, within `available` pixels if that is enough. */
export function drawGraph({ nodes, edges }: GraphFigure, isPicked: PickedNode, theme: Theme, available: number): GraphDrawing {
  const font = `${theme.fontSize}px ${theme.font}`;
  const label = (node: GraphFigure['nodes'][number]) => shorten(node.label);
  const columns = [...new Set(nodes.map(node => node.column))].sort((a, b) => a - b);
  const firstRow = nodes.reduce((least, node) => Math.min(least, node.row), Infinity);
  const widths = columns.map(column => nodes.reduce(
    (most, node) => node.column === column ? Math.max(most, textWidth(label(node), font) + 20) : most, 0));
  const total = widths.reduce((sum, each) => sum + each, 0);
  const columnGap = Math.min(widestGap, Math.max(narrowestGap, (available - total - 2 * margin) / Math.max(1, columns.length - 1)));
  const lastRow = nodes.reduce((most, node) => Math.max(most, node.row), -Infinity);
  const rowStep = lastRow - firstRow >= manyRows ? manyRowHeight : rowHeight;
  const starts = widths.map((_, i) => margin + widths.slice(0, i).reduce((sum, width) => sum + width + columnGap, 0));
  const boxes = new Map(nodes.map((node): [string, Box] => {
    const column = columns.indexOf(node.column);
    const [start, width] = [starts[column] ?? 0, widths[column] ?? 0];
    const own = textWidth(label(node), font) + 20;
    const left = start + (width - own) / 2;
    return [node.id, { id: node.id, left, right: left + own, middle: margin + (node.row - firstRow) * rowStep + boxHeight / 2 }];
  }));
  const width = margin * 2 + total + Math.max(0, columns.length - 1) * columnGap;
  const height = margin * 2 + Math.max(0, ...[...boxes.values()].map(box => box.middle)) + boxHeight / 2;
  const heaviest = edges.reduce((most, edge) => Math.max(most, Math.abs(edge.weight)), 0) || 1;

  const ports = edgePorts({ edges });
  // The heavier lie above the lighter.
  const byWeight = [...edges].sort((a, b) => Math.abs(a.weight) - Math.abs(b.weight));
  const edgeShapes = byWeight.flatMap((edge, rank) => {
    const { from, to, weight } = edge;
    const [start, node] = [boxes.get(from), boxes.get(to)];
    const end = node && { ...node, middle: node.middle + portGap * portOffset(ports, edge) };
    if (!start || !end) return [];
    const text = weightLabel(weight, rank >= edges.length - labelledEdges, theme);
    const curve = curveBetween(start, end);
    const weighAt = (side: 'from' | 'to') => {
      const { x, y } = pointNear(curve, side, columnGap / 2);
      setAttributes(text, { x, y: y - 7 });
    };
    weighAt('to');
    return [{ from, to, shape: edgeShape(curve, weight, Math.abs(weight) / heaviest, theme), weight: text, weighAt }];
  });
  const nodeShapes = nodes.flatMap(node => {
    const box = boxes.get(node.id);
    return box ? [{ id: node.id, shape: nodeShape(box, label(node), node.label, isPicked(node), theme) }] : [];
  });
  const portLabels = [...ports].flatMap(([to, at]) => {
    const box = boxes.get(to);
    return box ? at.filter(port => port.label !== '').map(({ label, offset }) => portLabel(box, label, offset, theme)) : [];
  });
  const root = svgElement('svg', { class: 'graph-drawing', width, height, viewBox: `0 0 ${width} ${height}`, 'font-family': theme.font },
    ...edgeShapes.map(edge => edge.shape), ...portLabels, ...nodeShapes.map(node => node.shape), ...edgeShapes.map(edge => edge.weight));
  const layers = columns.map(column => nodes.filter(node => node.column === column).sort((a, b) => a.row - b.row).map(node => node.id));
  return { root, width, height, layers, nodes: nodeShapes, edges: edgeShapes };
}

function nodeShape({ left, right, middle }: Box, label: string, full: string, isPicked: boolean, theme: Theme): SVGGElement {
  return svgElement('g', { class: isPicked ? 'graph-node picked' : 'graph-node' },
    svgElement('title', {}, full),
    svgElement('rect', {
      x: left, y: middle - boxHeight / 2, width: right - left, height: boxHeight, rx: 4, fill: theme.background,
      stroke: isPicked ? theme.foreground : theme.muted, 'stroke-width': isPicked ? 2.5 : 1,
    }),
    svgElement('text', {
      x: (left + right) / 2, y: middle, 'text-anchor': 'middle', 'dominant-baseline': 'central', fill: theme.foreground, 'font-size': theme.fontSize,
      'font-weight': isPicked ? 700 : 400,
    }, label));
}

/** A cubic curve that leaves and arrives level. */
interface Curve {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
  /** How far it goes on level at both ends. */
  readonly bend: number;
  /** Length of the arrow's head, negative where it points back. */
  readonly head: number;
}

function curveBetween(from: Box, to: Box): Curve {
  const forward = to.left >= from.right;
  const [x0, x1] = forward ? [from.right, to.left - 6] : [from.left, to.right + 6];
  const bend = (forward ? 1 : -1) * Math.max(24, Math.abs(x1 - x0) / 2);
  return { x0, y0: from.middle, x1, y1: to.middle, bend, head: forward ? 6 : -6 };
}

/** The point of a curve `distance` to the side of one of its ends. */
function pointNear({ x0, y0, x1, y1, bend }: Curve, end: 'from' | 'to', distance: number): { readonly x: number; readonly y: number } {
  const at = (t: number) => {
    const mix = (a: number, b: number, c: number, d: number) => (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t ** 2 * c + t ** 3 * d;
    return { x: mix(x0, x0 + bend, x1 - bend, x1), y: mix(y0, y0, y1, y1) };
  };
  const steps = Array.from({ length: 51 }, (_, i) => at((end === 'from' ? i : 50 - i) / 50));
  return steps.find(({ x }) => Math.abs(x - (end === 'from' ? x0 : x1)) >= distance) ?? at(0.5);
}

/** Thicker is heavier; negative weights are dashed as well as of another colour. */
function edgeShape({ x0, x1, y0, y1, bend, head }: Curve, weight: number, share: number, theme: Theme): SVGGElement {
  const [positive, negative] = coloursFor(theme).series;
  const colour = weight < 0 ? negative : positive;
  return svgElement('g', { class: 'graph-edge', opacity: theme.highContrast ? 1 : 0.3 + 0.7 * share },
    svgElement('path', {
      d: `M${x0} ${y0}C${x0 + bend} ${y0} ${x1 - bend} ${y1} ${x1} ${y1}`,
      fill: 'none', stroke: colour, 'stroke-width': 0.75 + 4.25 * share, 'stroke-dasharray': weight < 0 ? '6 4' : undefined,
    }),
    svgElement('path', { d: `M${x1 + head} ${y1}l${-head * 1.4} -4.5v9z`, fill: colour }));
}

/** What the edges of a port are called, before their heads. */
function portLabel({ left, middle }: Box, label: string, offset: number, theme: Theme): SVGTextElement {
  return svgElement('text', {
    class: 'edge-label', x: left - 14, y: middle + portGap * offset, 'text-anchor': 'end', 'dominant-baseline': 'central',
    fill: theme.foreground, stroke: theme.background, 'stroke-width': 3, 'paint-order': 'stroke', 'font-size': theme.fontSize - 2,
  }, label);
}

/** An edge's weight, above every node; shown while the edge is looked at, and of heavy ones always. */
function weightLabel(weight: number, isHeavy: boolean, theme: Theme): SVGTextElement {
  return svgElement('text', {
    class: isHeavy ? 'edge-weight heavy' : 'edge-weight',
    'text-anchor': 'middle', fill: theme.foreground, stroke: theme.background, 'stroke-width': 4, 'paint-order': 'stroke',
    'font-size': theme.fontSize - 1,
  }, formatNumber(weight));
}
