import { formatNumber } from '../../common/numbers';
import { textTable, type TextColumn } from '../../common/textTable';
import type { AnalysisResult } from '../../protocol/analysis';
import type { Figure } from '../../protocol/figure';
import { isNumericColumn, readableTableOf, type FigureTable } from './figureTable';

/** What is written of a figure at once; the rest is a page's and a spreadsheet's. */
const mostRows = 30;
const mostColumns = 16;

/** Where the numbers of a figure are that are not written, and the rest of a table's rows. */
export interface Elsewhere {
  readonly numbers: string;
  readonly rest: string;
}

/** What an analysis gave: its finding, its scalars and its figures. */
export function resultText({ scalars, figures, finding }: AnalysisResult, elsewhere: Elsewhere): string {
  return [
    ...(finding === undefined ? [] : [`Found: ${finding}`]),
    ...(Object.keys(scalars).length === 0 ? [] : [scalarsText(scalars)]),
    ...figures.map(figure => figureText(figure, elsewhere)),
  ].join('\n\n');
}

/** A scalar a line. */
export function scalarsText(scalars: AnalysisResult['scalars']): string {
  return textTable([
    { title: 'scalar', value: (name: string) => name },
    { title: 'value', numeric: true, value: (name: string) => formatNumber(scalars[name] ?? 0) },
  ], Object.keys(scalars));
}

/** A figure's numbers where they fit a screen; of a table always the first of them. */
export function figureText(figure: Figure, elsewhere: Elsewhere): string {
  const { columns, rows } = readableTableOf(figure);
  const title = `${figure.title}${figure.caption === undefined ? '' : `\n${figure.caption}`}`;
  if (columns.length > mostColumns || (rows.length > mostRows && figure.kind !== 'table')) {
    return `${title}\n(${figure.kind}, ${formatNumber(rows.length)} rows; ${elsewhere.numbers})`;
  }
  const more = rows.length > mostRows ? `\n… and ${formatNumber(rows.length - mostRows)} more; ${elsewhere.rest}` : '';
  return `${title}\n${figureTable(columns, rows.slice(0, mostRows))}${more}`;
}

/** Rows of a figure's numbers under each other. */
export function figureTable(columns: FigureTable['columns'], rows: FigureTable['rows']): string {
  return textTable(columns.map((column, at) => figureColumn(column, at, rows)), rows);
}

function figureColumn(title: string, at: number, rows: FigureTable['rows']): TextColumn<FigureTable['rows'][number]> {
  return {
    title,
    numeric: isNumericColumn(rows, at),
    value: row => {
      const cell = row[at] ?? '';
      return typeof cell === 'number' ? formatNumber(cell) : cell;
    },
  };
}
