import { Emitter } from '../../src/common/event';
import { Lifetime } from '../../src/common/lifetime';
import type { AttentionFigure, AttentionHead } from '../../src/protocol/figure';
import { coloursFor } from '../colours';
import { listenForCellKeys, type Cell } from '../cursor';
import { element, setAttributes, setText } from '../elements';
import { formatWeight } from '../numbers';
import { watchWidth } from '../resize';
import { headTitle, sameHead, type HeadName } from '../subjects';
import { Matrix } from './attention/matrix';
import { attentionPicture } from './attention/picture';
import { Thumbnails } from './attention/thumbnails';
import { TokenStrip } from './attention/tokenStrip';
import { Readout } from './readout';
import { summariseAttention } from './summary';
import { range, tabulate, type Table } from './tabulate';
import { Tooltip } from './tooltip';
import type { FigureContext, FigureView } from './view';

/**
 * Attention patterns: every head small, one large, and the tokens themselves. They share one cell (destination, source):
 * pointing at it anywhere shows it everywhere.
 */
export function attentionView(first: AttentionFigure, context: FigureContext): FigureView<AttentionFigure> {
  let figure = first;
  const lifetime = new Lifetime();
  const changes = lifetime.add(new Emitter<void>());
  const { heads: headPick } = context;
  const cursor = context.cursor(`${first.tokens.length} destination × ${first.tokens.length} source`);

  const shownHead = (): AttentionHead | undefined => figure.heads.find(head => sameHead(head, headPick.picked)) ?? figure.heads[0];
  const token = (position: number) => figure.tokens[position] ?? '';
  const weight = (head: AttentionHead, { row, column }: Cell) => {
    const cell = row * figure.tokens.length + column;
    return figure.allowed[cell] === 0 ? 'masked' : formatWeight(head.pattern[cell] ?? 0);
  };
  const short = (head: AttentionHead, cell: Cell) => `${token(cell.row)} → ${token(cell.column)}: ${weight(head, cell)}`;
  const long = (head: AttentionHead, cell: Cell) =>
    `${headTitle(head)}: ${token(cell.row)} (position ${cell.row}) → ${token(cell.column)} (position ${cell.column}): ${weight(head, cell)}`;
  const findHead = (name: HeadName) => figure.heads.find(head => sameHead(head, name));

  const matrix: Matrix = new Matrix((cell, event) => {
    cursor.hover(cell);
    const head = shownHead();
    if (cell && head) tooltip.show(short(head, cell), event.clientX, event.clientY);
    else tooltip.hide();
  }, cell => cursor.toggleLock(cell, matrix.element));
  const thumbnails = new Thumbnails(head => headPick.pick(head), (name, cell, event) => {
    cursor.hover(cell);
    const head = findHead(name);
    if (cell && head) tooltip.show(`${headTitle(name)} · ${short(head, cell)}`, event.clientX, event.clientY);
    else tooltip.hide();
  });
  const strip = new TokenStrip(position => cursor.hover(position === undefined ? undefined : { row: position, column: strongest(position) }));
  const readout = new Readout('Point at a cell, or use the arrow keys. Click or Enter locks, Escape unlocks.', context.openings);
  const heading = element('h3', { class: 'matrix-title' });
  const empty = element('p', { class: 'empty' }, 'There is nothing to attend to.');
  const scale = element('span', { class: 'legend-scale' });
  const large = element('div', { class: 'attention-large' }, heading, matrix.element, readout.element, strip.element);
  const body = element('div', { class: 'attention' }, thumbnails.element, large, legend(scale), empty);
  const tooltip = new Tooltip(body);

  function strongest(destination: number): number {
    const pattern = shownHead()?.pattern;
    const count = figure.tokens.length;
    return range(count).reduce((best, source) =>
      (pattern?.[destination * count + source] ?? 0) > (pattern?.[destination * count + best] ?? 0) ? source : best, 0);
  }

  const showCursor = () => {
    const { cell, locked } = cursor;
    const head = shownHead();
    matrix.mark(cell, locked, figure.tokens.length);
    thumbnails.mark(cell, figure.tokens.length);
    const here = cell && head && cursor.lockedBy === matrix.element;
    readout.update(cell && head && long(head, cell), locked, here ? { layer: head.layer, head: head.head, position: cell.row } : undefined);
    if (head) strip.draw(figure, head, cell?.row, cell?.column);
  };
  const draw = () => {
    const theme = context.theme.current;
    const head = shownHead();
    const isEmpty = !head || figure.tokens.length === 0;
    empty.hidden = !isEmpty;
    large.hidden = isEmpty;
    thumbnails.element.hidden = isEmpty || figure.heads.length < 2;
    if (isEmpty) return;
    setText(heading, headTitle(head));
    scale.style.background = `linear-gradient(to right, ${coloursFor(theme).sequential.join()})`;
    setAttributes(matrix.element, {
      'aria-label': `Pattern of ${headTitle(head)}, ${figure.tokens.length} by ${figure.tokens.length}. Arrow keys move, Enter locks, Escape unlocks.`,
    });
    thumbnails.draw(figure, head, theme);
    matrix.draw(figure, head, large.clientWidth, theme);
    showCursor();
  };

  lifetime.add(watchWidth(body, draw));
  lifetime.add(cursor.onDidChange(() => {
    showCursor();
    const head = shownHead();
    if (head && cursor.lockedBy === matrix.element) headPick.pick({ layer: head.layer, head: head.head });
  }));
  lifetime.add(context.theme.onDidChange(draw));
  lifetime.add(headPick.onDidChange(() => {
    draw();
    changes.fire();
  }));
  const space = () => ({ rows: figure.tokens.length, columns: () => figure.tokens.length });
  listenForCellKeys(matrix.element, cursor, space, () => {
    const head = shownHead();
    const { cell, locked } = cursor;
    if (cell) matrix.reveal(cell);
    context.announce(cell && head ? `${long(head, cell)}${locked ? ', locked' : ''}` : 'Unlocked.');
  });
  draw();

  return {
    element: body,
    tools: [],
    onDidChange: changes.event,
    update(next) {
      figure = next;
      cursor.fit(space());
      draw();
    },
    summary: () => summariseAttention(figure, shownHead()),
    table: () => {
      const head = shownHead();
      return head ? headTable(figure, head) : tabulate(figure);
    },
    picture: () => Promise.resolve(attentionPicture(figure, shownHead() ?? { layer: 0, head: 0 }, context.theme.current)),
    dispose: () => lifetime.dispose(),
  };
}

/** The pattern of one head as the page shows it: a row a destination, a column a source. */
function headTable({ tokens, allowed }: AttentionFigure, head: AttentionHead): Table {
  const name = (position: number) => `${tokens[position] ?? ''} (${position})`;
  return {
    columns: [{ title: `${headTitle(head)}: destination \\ source`, numeric: false }, ...tokens.map((_, source) => ({ title: name(source), numeric: true }))],
    rows: tokens.map((_, destination) => [name(destination), ...tokens.map((_, source) => {
      const cell = destination * tokens.length + source;
      return allowed[cell] === 0 ? 'masked' : Number(formatWeight(head.pattern[cell] ?? 0));
    })]),
  };
}

/** What the colours and the hatching mean. */
function legend(scale: HTMLElement): HTMLElement {
  return element('p', { class: 'attention-legend', 'aria-hidden': 'true' },
    '0', scale, '1', element('span', { class: 'legend-masked' }), 'masked');
}
