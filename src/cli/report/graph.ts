import { formatNumber } from '../../common/numbers';
import { edgePorts, portOffset } from '../../protocol/edgePorts';
import type { GraphFigure } from '../../protocol/figure';
import { cut } from './labels';
import { markup, type Markup } from './markup';
import { short, textWidth } from './matrix';

const rowHeight = 52;
const columnGap = 90;
/** How far a window that is too narrow may shrink it; then it scrolls. */
const smallest = 0.7;
const portGap = 10;

/** Nodes in columns and rows; an edge is as wide as its weight is large, dashed where the weight is negative. */
export function drawGraph({ title, nodes, edges }: GraphFigure): Markup {
  const nodeWidth = Math.max(48, ...nodes.map(node => textWidth(cut(node.label), 12) + 20));
  const [columns, rows] = [ranks(nodes.map(node => node.column)), ranks(nodes.map(node => node.row))];
  const places = new Map(nodes.map(node => [node.id, {
    x: 8 + (columns.get(node.column) ?? 0) * (nodeWidth + columnGap),
    y: 24 + (rows.get(node.row) ?? 0) * rowHeight,
  }]));
  const most = Math.max(...edges.map(edge => Math.abs(edge.weight)), Number.MIN_VALUE);
  const width = 16 + Math.max(1, columns.size) * (nodeWidth + columnGap) - columnGap;
  const height = Math.max(1, rows.size) * rowHeight;
  const ports = edgePorts({ edges });
  return markup`<svg viewBox="0 0 ${width} ${height}" style="max-width:${width}px;min-width:${Math.round(width * smallest)}px" role="img" aria-label="${title}">
    ${edges.map(edge => {
      const { from, to, weight, label } = edge;
      const [start, end] = [places.get(from), places.get(to)];
      if (!start || !end) return undefined;
      const [x1, x2] = [start.x + nodeWidth, end.x];
      const bend = Math.max(30, Math.abs(x2 - x1) / 2);
      const y2 = end.y + portGap * portOffset(ports, edge);
      return markup`<path class="edge ${weight < 0 ? 'negative' : 'positive'}" stroke-width="${short(0.8 + 6 * Math.abs(weight) / most)}" d="M${short(x1)} ${start.y}C${short(x1 + bend)} ${start.y} ${short(x2 - bend)} ${y2} ${short(x2)} ${y2}"><title>${from} → ${to}${label === undefined ? '' : ` ${label}`}: ${formatNumber(weight)}</title></path>`;
    })}
    ${[...ports].flatMap(([to, at]) => {
      const { x, y } = places.get(to) ?? { x: 0, y: 0 };
      return at.filter(port => port.label !== '').map(({ label, offset }) => markup`<text class="value end" paint-order="stroke" stroke="var(--card)" stroke-width="3" x="${short(x - 4)}" y="${y + portGap * offset}" dy=".35em">${label}</text>`);
    })}
    ${nodes.map(({ id, label }) => {
      const { x, y } = places.get(id) ?? { x: 0, y: 0 };
      return markup`<g transform="translate(${short(x)} ${y})"><rect class="node" y="-14" width="${short(nodeWidth)}" height="28" rx="6"/><text class="value ink middle" x="${short(nodeWidth / 2)}" dy=".35em">${cut(label)}</text></g>`;
    })}
  </svg>`;
}

/** Value → its place in ascending order. */
function ranks(values: readonly number[]): ReadonlyMap<number, number> {
  return new Map([...new Set(values)].sort((a, b) => a - b).map((value, i) => [value, i]));
}
