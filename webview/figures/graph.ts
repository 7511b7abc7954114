import type { GraphFigure } from '../../src/protocol/figure';
import { Lifetime } from '../../src/common/lifetime';
import { CellCursor, listenForCellKeys, type Cell } from '../cursor';
import { element, setAttributes } from '../elements';
import { serialised, titledPicture } from '../export/picture';
import { formatNumber } from '../numbers';
import { watchWidth } from '../resize';
import { headIn, isPicked, joined } from '../subjects';
import { drawGraph, type GraphDrawing, type PickedNode } from './graphDrawing';
import { nameHeaviest } from './heaviest';
import { Readout } from './readout';
import { summariseGraph } from './summary';
import { tabulate } from './tabulate';
import type { FigureContext, FigureView } from './view';

/** Width of a drawing that is exported. */
const pictureWidth = 1100;

/** Nodes in columns, edges between them; a node under the pointer or the keyboard shows its edges and their weights. */
export function graphView(first: GraphFigure, context: FigureContext): FigureView<GraphFigure> {
  let figure = first;
  let drawing: GraphDrawing;
  const lifetime = new Lifetime();
  const cursor = new CellCursor();
  const scroller = element('div', { class: 'graph-scroll', tabindex: 0, role: 'application', 'aria-roledescription': 'graph' });
  const readout = new Readout('Point at a node, or use the arrow keys, to see its edges. Click or Enter locks, Escape unlocks.', context.openings);

  const isPickedNode: PickedNode = node => isPicked(context.heads.picked, figure.subject, node.subject);
  const nodeAt = (cell: Cell | undefined) => cell && drawing.layers[cell.row]?.[cell.column];
  const describeNode = (id: string) => {
    const label = (other: string) => figure.nodes.find(node => node.id === other)?.label ?? other;
    const describe = (other: string, edge: GraphFigure['edges'][number]) => [label(other), edge.label, formatNumber(edge.weight)].filter(part => part !== undefined).join(' ');
    const list = (end: 'from' | 'to', other: 'from' | 'to') =>
      nameHeaviest(figure.edges.filter(edge => edge[end] === id), edge => describe(edge[other], edge));
    return `${label(id)}: from ${list('to', 'from')}; to ${list('from', 'to')}`;
  };
  const lockedSubject = () => {
    const node = cursor.locked ? figure.nodes.find(({ id }) => id === nodeAt(cursor.cell)) : undefined;
    return node && joined(figure.subject, node.subject);
  };
  const highlight = () => {
    const id = nodeAt(cursor.cell);
    readout.update(id === undefined ? undefined : describeNode(id), cursor.locked, lockedSubject());
    drawing.root.classList.toggle('highlighting', id !== undefined);
    for (const node of drawing.nodes) node.shape.classList.toggle('on', node.id === id);
    for (const { from, to, shape, weight, weighAt } of drawing.edges) {
      const on = from === id || to === id;
      // At the other end, where the edges of one node are apart.
      weighAt(to === id ? 'from' : 'to');
      shape.classList.toggle('on', on);
      weight.classList.toggle('on', on);
    }
  };
  const draw = () => {
    drawing = drawGraph(figure, isPickedNode, context.theme.current, scroller.clientWidth);
    setAttributes(scroller, { 'aria-label': `${figure.title}. Arrow keys move between nodes, Enter locks.` });
    scroller.replaceChildren(drawing.root);
    drawing.layers.forEach((layer, row) => layer.forEach((id, column) => {
      const shape = drawing.nodes.find(node => node.id === id)?.shape;
      shape?.addEventListener('pointerenter', () => cursor.hover({ row, column }));
      shape?.addEventListener('pointerleave', () => cursor.hover(undefined));
      shape?.addEventListener('click', () => cursor.toggleLock({ row, column }));
    }));
    highlight();
  };
  draw();
  lifetime.add(cursor.onDidChange(() => {
    highlight();
    const head = headIn(lockedSubject() ?? {});
    if (head) context.heads.pick(head);
  }));
  lifetime.add(context.heads.onDidChange(draw));
  lifetime.add(watchWidth(scroller, draw));
  lifetime.add(context.theme.onDidChange(draw));
  const space = () => ({ rows: drawing.layers.length, columns: (row: number) => drawing.layers[row]?.length ?? 0, turned: true });
  listenForCellKeys(scroller, cursor, space, () => {
    const id = nodeAt(cursor.cell);
    context.announce(id === undefined ? 'Unlocked.' : `${describeNode(id)}${cursor.locked ? ', locked' : ''}`);
    drawing.nodes.find(node => node.id === id)?.shape.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  });
  return {
    element: element('div', { class: 'graph' }, scroller, readout.element),
    tools: [],
    update(next) {
      figure = next;
      draw();
      cursor.fit(space());
    },
    summary: () => summariseGraph(figure),
    table: () => tabulate(figure),
    picture: () => {
      const { root, width, height } = drawGraph(figure, isPickedNode, context.theme.current, pictureWidth);
      root.querySelectorAll('.edge-weight:not(.heavy)').forEach(weight => weight.remove());
      return Promise.resolve(titledPicture(figure.title, serialised(root), { width, height }, context.theme.current));
    },
    dispose: () => lifetime.dispose(),
  };
}
