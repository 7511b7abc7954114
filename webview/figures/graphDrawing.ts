import { edgePorts, portOffset } from '../../src/protocol/edgePorts';
import type { GraphFigure } from '../../src/protocol/figure';
import { coloursFor } from '../colours';
import { svgElement } from '../elements';
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
  readonly edges: readonly { readonly from: string; readonly to: string; readonly shape: SVGGElement; readonly weight: SVGTextElement }[];
}

interface Box {
  readonly id: string;
  readonly left: number;
  readonly right: number;
  readonly middle: number;
}

const [rowHeight, boxHeight, columnGap, margin, portGap] = [44, 26, 110, 8, 9];

/** Whether a node is of the picked head. */
export type PickedNode = (node: GraphFigure['nodes'][number]) => boolean;

/** Draws the nodes where their columns and rows say, and the edges as curves between them. */
export function drawGraph({ nodes, edges }: GraphFigure, isPicked: PickedNode, theme: Theme): GraphDrawing {
  const font = `${theme.fontSize}px ${theme.font}`;
  const label = (node: GraphFigure['nodes'][number]) => shorten(node.label);
  const columns = [...new Set(nodes.map(node => node.column))].sort((a, b) => a - b);
  const firstRow = nodes.reduce((least, node) => Math.min(least, node.row), Infinity);
  const widths = columns.map(column => nodes.reduce(
    (most, node) => node.column === column ? Math.max(most, textWidth(label(node), font) + 20) : most, 0));
  const starts = widths.map((_, i) => margin + widths.slice(0, i).reduce((sum, width) => sum + width + columnGap, 0));
  const boxes = new Map(nodes.map((node): [string, Box] => {
    const column = columns.indexOf(node.column);
    const [start, width] = [starts[column] ?? 0, widths[column] ?? 0];
    const own = textWidth(label(node), font) + 20;
    const left = start + (width - own) / 2;
    return [node.id, { id: node.id, left, right: left + own, middle: margin + (node.row - firstRow) * rowHeight + boxHeight / 2 }];
  }));
  const width = margin * 2 + widths.reduce((sum, each) => sum + each, 0) + Math.max(0, columns.length - 1) * columnGap;
  const height = margin * 2 + Math.max(0, ...[...boxes.values()].map(box => box.middle)) + boxHeight / 2;
  const heaviest = edges.reduce((most, edge) => Math.max(most, Math.abs(edge.weight)), 0) || 1;

  const ports = edgePorts({ edges });
  const edgeShapes = edges.flatMap(edge => {
    const { from, to, weight } = edge;
    const [start, node] = [boxes.get(from), boxes.get(to)];
    const end = node && { ...node, middle: node.middle + portGap * portOffset(ports, edge) };
    return start && end
      ? [{ from, to, shape: edgeShape(start, end, weight, Math.abs(weight) / heaviest, theme), weight: weightLabel(start, end, weight, theme) }]
      : [];
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
      x: left, y: middle - boxHeight / 2, width: right - left, height: boxHeight, rx: 4, fill: theme.background, stroke: isPicked ? theme.foreground : theme.muted, 'stroke-width': isPicked ? 2.5 : 1,
    }),
    svgElement('text', {
      x: (left + right) / 2, y: middle, 'text-anchor': 'middle', 'dominant-baseline': 'central', fill: theme.foreground, 'font-size': theme.fontSize,
      'font-weight': isPicked ? 700 : 400,
    }, label));
}

/** Thicker is heavier; negative weights are dashed as well as of another colour. */
function edgeShape(from: Box, to: Box, weight: number, share: number, theme: Theme): SVGGElement {
  const [positive, negative] = coloursFor(theme).series;
  const colour = weight < 0 ? negative : positive;
  const forward = to.left >= from.right;
  const [x0, x1] = forward ? [from.right, to.left - 6] : [from.left, to.right + 6];
  const bend = (forward ? 1 : -1) * Math.max(24, Math.abs(x1 - x0) / 2);
  const head = forward ? 6 : -6;
  return svgElement('g', { class: 'graph-edge', opacity: theme.highContrast ? 1 : 0.35 + 0.65 * share },
    svgElement('path', {
      d: `M${x0} ${from.middle}C${x0 + bend} ${from.middle} ${x1 - bend} ${to.middle} ${x1} ${to.middle}`,
      fill: 'none', stroke: colour, 'stroke-width': 1 + 4 * share, 'stroke-dasharray': weight < 0 ? '6 4' : undefined,
    }),
    svgElement('path', { d: `M${x1 + head} ${to.middle}l${-head * 1.4} -4.5v9z`, fill: colour }));
}

/** What the edges of a port are called, before their heads. */
function portLabel({ left, middle }: Box, label: string, offset: number, theme: Theme): SVGTextElement {
  return svgElement('text', {
    class: 'edge-label', x: left - 14, y: middle + portGap * offset, 'text-anchor': 'end', 'dominant-baseline': 'central',
    fill: theme.foreground, stroke: theme.background, 'stroke-width': 3, 'paint-order': 'stroke', 'font-size': theme.fontSize - 2,
  }, label);
}

/** An edge's weight at its middle, above every node; shown while the edge is looked at. */
function weightLabel(from: Box, to: Box, weight: number, theme: Theme): SVGTextElement {
  return svgElement('text', {
    class: 'edge-weight', x: (Math.min(from.right, to.right) + Math.max(from.left, to.left)) / 2, y: (from.middle + to.middle) / 2 - 5,
    'text-anchor': 'middle', fill: theme.foreground, stroke: theme.background, 'stroke-width': 4, 'paint-order': 'stroke',
    'font-size': theme.fontSize - 1,
  }, formatNumber(weight));
}
