import { headName } from '../../model/names';
import type { AttentionFigure, Axis, Figure } from '../../protocol/figure';
import { networkColumns, networkRows } from '../../protocol/network/words';

/** A figure as rows of a table: what a reader has who cannot see the picture, and what a spreadsheet opens. */
export interface FigureTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** All numbers of a figure; those of single precision with the digits that tell them apart. */
export function tableOf(figure: Figure): FigureTable {
  switch (figure.kind) {
    case 'heatmap':
      return grid(figure.y.title, figure.rows, figure.columns, i => labelAt(figure.y, i), i => labelAt(figure.x, i),
        i => (figure.present?.[i] === 0 ? '' : single(figure.values[i])));
    case 'histogram2d': {
      const [rows, columns] = [figure.yEdges.length - 1, figure.xEdges.length - 1];
      const bin = (edges: Float64Array, i: number) => `${edges[i] ?? ''} to ${edges[i + 1] ?? ''}`;
      return grid(figure.y.title, rows, columns, i => bin(figure.yEdges, i), i => bin(figure.xEdges, i), i => single(figure.counts[i]));
    }
    case 'attention':
      return {
        columns: ['head', 'destination', 'source', 'attention'],
        rows: figure.heads.flatMap(({ layer, head, pattern }) => attentionRows(figure, headName(layer, head), pattern)),
      };
    case 'lines':
      return {
        columns: ['series', figure.x.title, figure.y.title],
        rows: figure.series.flatMap(({ name, x, y }) => Array.from(x, (value, i) => [name, figure.x.labels?.[value] ?? value, y[i] ?? ''])),
      };
    case 'bars':
      return {
        columns: [figure.x.title, ...figure.series.map(series => series.name)],
        rows: figure.x.labels.map((label, i) => [label, ...figure.series.map(series => series.values[i] ?? '')]),
      };
    case 'table':
      return { columns: figure.columns.map(column => column.title), rows: figure.rows };
    case 'graph': {
      const labelled = figure.edges.some(({ label }) => label !== undefined);
      return {
        columns: ['from', 'to', ...(labelled ? ['label'] : []), 'weight'],
        rows: figure.edges.map(({ from, to, weight, label = '' }) => [from, to, ...(labelled ? [label] : []), weight]),
      };
    }
    case 'network':
      return { columns: networkColumns.map(title => title.toLowerCase()), rows: networkRows(figure) };
    default:
      return figure satisfies never;
  }
}

/** The table to read beside the picture: the whole one, or of attention where each destination looks most. */
export function readableTableOf(figure: Figure): FigureTable {
  if (figure.kind !== 'attention') return tableOf(figure);
  return {
    columns: ['destination', ...figure.heads.map(({ layer, head }) => headName(layer, head))],
    rows: figure.tokens.map((token, destination) => [
      positionName(token, destination),
      ...figure.heads.map(({ pattern }) => strongest(figure, pattern, destination)),
    ]),
  };
}

/** Whether a column holds numbers, or nothing, and no words. */
export function isNumericColumn(rows: FigureTable['rows'], column: number): boolean {
  return rows.length > 0 && rows.every(row => typeof row[column] === 'number' || row[column] === '');
}

/** Comma-separated values (RFC 4180). */
export function csvOf({ columns, rows }: FigureTable): string {
  const cell = (value: string | number) => (typeof value === 'string' && /[",\n\r]/.test(value) ? `"${value.replace(/"/g, '""')}"` : String(value));
  return [columns, ...rows].map(row => row.map(cell).join(',')).join('\r\n');
}

/** The name of a category: its label, or its number where the axis has none. */
export function labelAt(axis: Axis, index: number): string {
  return axis.labels?.[index] ?? String(index);
}

function strongest(figure: AttentionFigure, pattern: Float32Array, destination: number): string {
  const T = figure.tokens.length;
  let source = 0;
  for (let i = 1; i < T; i++) if ((pattern[destination * T + i] ?? 0) > (pattern[destination * T + source] ?? 0)) source = i;
  return `${positionName(figure.tokens[source] ?? '', source)}: ${(pattern[destination * T + source] ?? 0).toFixed(2)}`;
}

function attentionRows(figure: AttentionFigure, head: string, pattern: Float32Array): (string | number)[][] {
  const T = figure.tokens.length;
  const rows: (string | number)[][] = [];
  for (let i = 0; i < T * T; i++) {
    if (figure.allowed[i] === 0) continue;
    const [destination, source] = [Math.floor(i / T), i % T];
    rows.push([head, positionName(figure.tokens[destination] ?? '', destination), positionName(figure.tokens[source] ?? '', source), single(pattern[i])]);
  }
  return rows;
}

function positionName(token: string, position: number): string {
  return `${position} ${token.replace(/\n/g, '↵')}`;
}

function grid(
  corner: string,
  rows: number,
  columns: number,
  rowName: (index: number) => string,
  columnName: (index: number) => string,
  value: (index: number) => string | number,
): FigureTable {
  return {
    columns: [corner, ...Array.from({ length: columns }, (_, i) => columnName(i))],
    rows: Array.from({ length: rows }, (_, row) => [
      rowName(row),
      ...Array.from({ length: columns }, (_, column) => value(row * columns + column)),
    ]),
  };
}

/** The number as it is meant in single precision: 0.1, where double precision has 0.10000000149011612. Nine digits always do. */
function single(value: number | undefined): number | string {
  if (value === undefined) return '';
  for (const digits of [7, 8]) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) return shorter;
  }
  return Number(value.toPrecision(9));
}
