import { Lifetime } from '../../src/common/lifetime';
import type { TableFigure } from '../../src/protocol/figure';
import { element, svgElement } from '../elements';
import { serialised, titledPicture } from '../export/picture';
import { formatInteger, formatNumber } from '../numbers';
import { shorten } from '../plotly/ticks';
import { headIn, isPicked, joined } from '../subjects';
import type { Theme } from '../theme';
import { DataTable } from './dataTable';
import { Readout } from './readout';
import { summariseTable } from './summary';
import { tabulate, type Table } from './tabulate';
import { textWidth } from './text';
import type { FigureContext, FigureView, Picture } from './view';

const rowHeight = 24;
/** Rows of a table that a picture shows; the rest it counts. */
const pictureRows = 100;

export function tableView(first: TableFigure, context: FigureContext): FigureView<TableFigure> {
  let figure = first;
  let locked: number | undefined;
  const lifetime = new Lifetime();
  const subjectOf = (row: number) => joined(figure.subject, figure.subjects?.[row]);
  const readout = new Readout('Click a row, or press it with Enter, to lock it.', context.openings);
  const table = new DataTable(first.subjects && {
    isLocked: row => row === locked,
    isPicked: row => isPicked(context.heads.picked, figure.subject, figure.subjects?.[row]),
    toggle(row) {
      locked = row === locked ? undefined : row;
      show();
      const head = locked === undefined ? undefined : headIn(subjectOf(row));
      if (head) context.heads.pick(head);
    },
  });
  const show = () => {
    const row = locked === undefined ? undefined : figure.rows[locked];
    readout.element.hidden = figure.subjects === undefined;
    readout.update(row && String(row[0]), locked !== undefined, locked === undefined ? undefined : subjectOf(locked));
    table.markRows();
  };
  lifetime.add(context.heads.onDidChange(() => table.markRows()));
  table.update(first.title, first);
  show();
  return {
    element: element('div', {}, table.element, readout.element),
    tools: [],
    update(next) {
      // The same place may hold another row now.
      if (figure.rows[locked ?? -1]?.[0] !== next.rows[locked ?? -1]?.[0]) locked = undefined;
      figure = next;
      table.update(next.title, next);
      show();
    },
    summary: () => summariseTable(figure),
    table: () => tabulate(figure),
    picture: () => Promise.resolve(tablePicture(figure.title, figure, context.theme.current)),
    dispose: () => lifetime.dispose(),
  };
}

function tablePicture(title: string, { columns, rows }: Table, theme: Theme): Picture {
  const shown = rows.slice(0, pictureRows).map(row => row.map(value => typeof value === 'number' ? formatNumber(value) : shorten(value)));
  const font = `600 ${theme.fontSize}px ${theme.font}`;
  const widths = columns.map((column, i) => Math.ceil(
    24 + [column.title, ...shown.map(row => row[i] ?? '')].reduce((most, text) => Math.max(most, textWidth(text, font)), 0),
  ));
  const starts = widths.map((_, i) => widths.slice(0, i).reduce((sum, width) => sum + width, 0));
  const width = widths.reduce((sum, each) => sum + each, 0);
  const group = svgElement('g', { 'font-size': theme.fontSize, fill: theme.foreground });
  const line = (texts: readonly string[], row: number, weight: number) => {
    texts.forEach((text, i) => {
      const numeric = columns[i]?.numeric ?? false;
      const x = (starts[i] ?? 0) + (numeric ? (widths[i] ?? 0) - 12 : 12);
      group.append(svgElement('text', { x, y: row * rowHeight + 16, 'text-anchor': numeric ? 'end' : 'start', 'font-weight': weight }, text));
    });
    const y = (row + 1) * rowHeight;
    group.append(svgElement('path', { d: `M0 ${y}H${width}`, stroke: row === 0 ? theme.foreground : theme.faint }));
  };
  line(columns.map(column => column.title), 0, 600);
  shown.forEach((row, i) => line(row, i + 1, 400));
  const left = rows.length - shown.length;
  if (left > 0) group.append(svgElement('text', { x: 12, y: (shown.length + 1) * rowHeight + 18, fill: theme.muted }, `and ${formatInteger(left)} more`));
  return titledPicture(title, serialised(group), { width, height: (shown.length + 2) * rowHeight }, theme);
}
