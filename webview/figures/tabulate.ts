import type { AttentionFigure, Axis, Figure, LinesFigure } from '../../src/protocol/figure';
import { networkColumns, networkRows } from '../../src/protocol/network/words';
import { formatNumber, shortestFloat32 } from '../numbers';

export interface Table {
  readonly columns: readonly Column[];
  /** Empty text where there is no value. */
  readonly rows: readonly (readonly (string | number)[])[];
}

export interface Column {
  readonly title: string;
  readonly numeric: boolean;
  /** Whether whole numbers are shown in all of their digits. */
  readonly precise?: boolean;
}

/** A figure's numbers as rows, exactly: what its table shows and its CSV holds. */
export function tabulate(figure: Figure): Table {
  switch (figure.kind) {
    case 'heatmap': {
      const { rows, columns, values, precise, present } = figure;
      const valueAt = (at: number) => precise?.[at] ?? exact(values[at]);
      const instead = new Map(figure.instead?.map(({ at, text }) => [at, text]));
      return {
        columns: [text(`${figure.y.title} \\ ${figure.x.title}`), ...range(columns).map(column => ({ ...numeric(labelAt(figure.x, column)), ...(precise && { precise: true }) }))],
        rows: range(rows).map(row => [
          labelAt(figure.y, row),
          ...range(columns).map(column => present?.[row * columns + column] === 0 ? instead.get(row * columns + column) ?? '' : valueAt(row * columns + column)),
        ]),
      };
    }
    case 'histogram2d': {
      const { counts, xEdges, yEdges } = figure;
      const bins = xEdges.length - 1;
      return {
        columns: [text(`${figure.y.title} \\ ${figure.x.title}`), ...range(bins).map(bin => numeric(binLabel(xEdges, bin)))],
        rows: range(yEdges.length - 1).map(row => [
          binLabel(yEdges, row),
          ...range(bins).map(bin => exact(counts[row * bins + bin])),
        ]),
      };
    }
    case 'attention':
      return tabulateAttention(figure);
    case 'lines':
      return tabulateLines(figure);
    case 'bars':
      return {
        columns: [text(figure.x.title), ...figure.series.map(({ name }) => numeric(name))],
        rows: figure.x.labels.map((label, i) => [label, ...figure.series.map(({ values }) => values[i] ?? '')]),
      };
    case 'table':
      return figure;
    case 'graph': {
      const labelled = figure.edges.some(({ label }) => label !== undefined);
      return {
        columns: [text('From'), text('To'), ...(labelled ? [text('Label')] : []), numeric('Weight')],
        rows: figure.edges.map(({ from, to, label = '', weight }) => [from, to, ...(labelled ? [label] : []), weight]),
      };
    }
    case 'network':
      return { columns: networkColumns.map(title => title === 'Weight' ? numeric(title) : text(title)), rows: networkRows(figure) };
    default:
      return figure satisfies never;
  }
}

/** Every head's pattern, a row a weight; what the mask forbids is left out. */
function tabulateAttention({ tokens, heads, allowed }: AttentionFigure): Table {
  const positions = tokens.length;
  return {
    columns: [
      numeric('Layer'), numeric('Head'), numeric('Destination'), text('Destination token'),
      numeric('Source'), text('Source token'), numeric('Weight'),
    ],
    rows: heads.flatMap(({ layer, head, pattern }) => range(positions ** 2).filter(cell => allowed[cell] !== 0).map(cell => {
      const [destination, source] = [Math.floor(cell / positions), cell % positions];
      return [layer, head, destination, tokens[destination] ?? '', source, tokens[source] ?? '', exact(pattern[cell])];
    })),
  };
}

/** A column a series, joined on x. */
function tabulateLines({ x, series }: LinesFigure): Table {
  const rows = new Map<number, (string | number)[]>();
  series.forEach((line, index) => line.x.forEach((at, i) => {
    const row = rows.get(at) ?? [at, ...series.map(() => '')];
    row[index + 1] = line.y[i] ?? '';
    rows.set(at, row);
  }));
  return {
    columns: [x.labels ? text(x.title) : numeric(x.title), ...series.map(({ name }) => numeric(name))],
    rows: [...rows.values()].sort((a, b) => Number(a[0]) - Number(b[0])).map(([at = 0, ...values]) => [x.labels ? labelAt(x, Number(at)) : at, ...values]),
  };
}

/** The label of an axis at an index, or the index itself. */
export function labelAt({ labels }: Axis, index: number): string {
  return labels?.[index] ?? String(index);
}

/** Where a point of a line is along an axis, in words. */
export function positionText(axis: Axis, at: number): string {
  return axis.labels ? labelAt(axis, at) : formatNumber(at);
}

export function binLabel(edges: Float64Array, bin: number): string {
  return `${formatNumber(edges[bin] ?? 0)} to ${formatNumber(edges[bin + 1] ?? 0)}`;
}

export function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

const numeric = (title: string): Column => ({ title, numeric: true });
const text = (title: string): Column => ({ title, numeric: false });
const exact = (value: number | undefined) => value === undefined ? '' : shortestFloat32(value);
