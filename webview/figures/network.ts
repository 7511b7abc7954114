import type { NetworkFigure, NetworkPlace } from '../../src/protocol/figure';
import { Lifetime } from '../../src/common/lifetime';
import { samePlace } from '../../src/protocol/network/words';
import { listenForCellKeys, type Cell } from '../cursor';
import { element, setAttributes } from '../elements';
import { serialised, titledPicture } from '../export/picture';
import { watchWidth } from '../resize';
import { headIn, joined } from '../subjects';
import { drawNetwork, type NetworkDrawing } from './networkDrawing';
import { describeItem, type NetworkItem } from './networkWords';
import { Readout } from './readout';
import { summariseNetwork } from './summary';
import { tabulate } from './tabulate';
import type { FigureContext, FigureView } from './view';

/** Width of a drawing that is exported. */
const pictureWidth = 540;

/** A graph in the plane; a node, a link or an arrow under the pointer or the keyboard shows what comes from it and goes to it. */
export function networkView(first: NetworkFigure, context: FigureContext): FigureView<NetworkFigure> {
  let figure = first;
  let drawing: NetworkDrawing;
  let rows = rowsOf(first);
  const lifetime = new Lifetime();
  // The same graph with the arrows of another head is looked at in the same place.
  const cursor = context.cursor(spaceOf(first));
  const canvas = element('div', { class: 'network-canvas', tabindex: 0, role: 'application', 'aria-roledescription': 'graph' });
  const readout = new Readout('Point at a part, or use the arrow keys. Click or Enter locks, Escape unlocks.', context.openings);

  const itemAt = (cell: Cell | undefined) => cell && rows[cell.row]?.[cell.column];
  const lockedSubject = () => {
    const item = cursor.lockedBy === canvas ? itemAt(cursor.cell) : undefined;
    if (!item || 'arrow' in item) return undefined;
    return joined(figure.subject, 'node' in item ? figure.nodes.find(({ id }) => id === item.node)?.subject : figure.links[item.link]?.subject);
  };
  const highlight = () => {
    const item = itemAt(cursor.cell);
    readout.update(item && describeItem(figure, item), cursor.locked, lockedSubject());
    drawing.root.classList.toggle('highlighting', item !== undefined);
    const isShown = (index: number) => item !== undefined && arrowShows(figure, index, item);
    const lit = [...drawing.arrows.flatMap(({ index, from, to }) => isShown(index) ? [from, to] : []), ...(item ? joinedTo(figure, item) : [])];
    const isOn = (place: NetworkPlace) => lit.some(each => samePlace(each, place));
    const isAt = (place: NetworkPlace) => item !== undefined && !('arrow' in item) && samePlace(item, place);
    figure.nodes.forEach(({ id }, at) => mark(drawing.nodes[at], isOn({ node: id }), isAt({ node: id })));
    figure.links.forEach((_, link) => mark(drawing.links[link], isOn({ link }), isAt({ link })));
    for (const { index, shape } of drawing.arrows) mark(shape, isShown(index), item !== undefined && 'arrow' in item && item.arrow === index);
  };
  const listen = (shape: SVGGElement | undefined, item: NetworkItem) => {
    const row = rows.findIndex(each => each.some(other => isSame(other, item)));
    const cell = { row, column: rows[row]?.findIndex(other => isSame(other, item)) ?? 0 };
    shape?.addEventListener('pointerenter', () => cursor.hover(cell));
    shape?.addEventListener('pointerleave', () => cursor.hover(undefined));
    shape?.addEventListener('click', () => cursor.toggleLock(cell, canvas));
  };
  const draw = () => {
    drawing = drawNetwork(figure, context.theme.current, canvas.clientWidth);
    setAttributes(canvas, { 'aria-label': `${figure.title}. Arrow keys move between nodes, lines and arrows, Enter locks.` });
    canvas.replaceChildren(drawing.root);
    figure.nodes.forEach(({ id }, at) => listen(drawing.nodes[at], { node: id }));
    drawing.links.forEach((shape, link) => listen(shape, { link }));
    drawing.arrows.forEach(({ index, shape }) => listen(shape, { arrow: index }));
    highlight();
  };
  draw();
  lifetime.add(cursor.onDidChange(() => {
    highlight();
    const head = headIn(lockedSubject() ?? {});
    if (head) context.heads.pick(head);
  }));
  lifetime.add(watchWidth(canvas, draw));
  lifetime.add(context.theme.onDidChange(draw));
  const space = () => ({ rows: rows.length, columns: (row: number) => rows[row]?.length ?? 0 });
  listenForCellKeys(canvas, cursor, space, () => {
    const item = itemAt(cursor.cell);
    context.announce(item ? `${describeItem(figure, item)}${cursor.locked ? ', locked' : ''}` : 'Unlocked.');
  });
  return {
    element: element('div', { class: 'network' }, canvas, readout.element),
    tools: [],
    update(next) {
      figure = next;
      rows = rowsOf(next);
      cursor.fit(space());
      draw();
    },
    summary: () => summariseNetwork(figure),
    table: () => tabulate(figure),
    picture: () => {
      const { root, width, height } = drawNetwork(figure, context.theme.current, pictureWidth);
      root.querySelectorAll('.network-reach').forEach(reach => reach.remove());
      return Promise.resolve(titledPicture(figure.title, serialised(root), { width, height }, context.theme.current));
    },
    dispose: () => lifetime.dispose(),
  };
}

/** What the keyboard walks over: the nodes, the links, the arrows, as far as there are any. */
function rowsOf({ nodes, links, arrows }: NetworkFigure): readonly (readonly NetworkItem[])[] {
  return [nodes.map(({ id }) => ({ node: id })), links.map((_, link) => ({ link })), arrows.map((_, arrow) => ({ arrow }))].filter(row => row.length > 0);
}

function spaceOf({ nodes, links, arrows }: NetworkFigure): string {
  return `network ${JSON.stringify([nodes.map(({ label }) => label), links.map(({ from, to }) => [from, to]), arrows.map(({ from, to }) => [from, to])])}`;
}

/** Whether an arrow is the item, or comes from it, or goes to it. */
function arrowShows({ arrows }: NetworkFigure, index: number, item: NetworkItem): boolean {
  const arrow = arrows[index];
  if ('arrow' in item) return item.arrow === index;
  return arrow !== undefined && (samePlace(arrow.from, item) || samePlace(arrow.to, item));
}

/** A node with its links and neighbours, a link with its ends. */
function joinedTo({ links }: NetworkFigure, item: NetworkItem): readonly NetworkPlace[] {
  if ('arrow' in item) return [];
  return [item, ...links.flatMap(({ from, to }, link) =>
    ('link' in item ? item.link === link : [from, to].includes(item.node)) ? [{ link }, { node: from }, { node: to }] : [])];
}

function isSame(one: NetworkItem, other: NetworkItem): boolean {
  if ('arrow' in one || 'arrow' in other) return 'arrow' in one && 'arrow' in other && one.arrow === other.arrow;
  return samePlace(one, other);
}

function mark(shape: SVGGElement | undefined, isOn: boolean, isAt: boolean): void {
  shape?.classList.toggle('on', isOn);
  shape?.classList.toggle('at', isAt);
}
