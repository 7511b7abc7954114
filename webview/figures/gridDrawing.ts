import type { PlotlyValues } from 'plotly.js/lib/core';
import type { Subject } from '../../src/protocol/figure';
import { coloursFor, colourTable, plotlyScale, readableOn, tableIndex } from '../colours';
import type { Cell } from '../cursor';
import { formatNumber } from '../numbers';
import type { Chart, ChartDrawing } from '../plotly/chart';
import { axisLayout, baseLayout, logarithmicExtent } from '../plotly/layout';
import { escapeText } from '../plotly/text';
import { labelRow, labelStep, labelTicks, widestLabel, type LabelSpace } from '../plotly/ticks';
import { isPicked, type HeadName } from '../subjects';
import type { Theme } from '../theme';
import { textWidth } from './text';

/** Numbers in rows and columns, wherever they come from. */
export interface Grid {
  readonly title: string;
  readonly x: GridAxis;
  readonly y: GridAxis;
  /** `[rows][columns]`; NaN where there is no value. */
  readonly values: readonly Float32Array[];
  /** A value as it is, where float32 rounds it. */
  readonly precise?: (row: number, column: number) => number | undefined;
  /** What to call a cell without a value, by its row and column; absent: just that. */
  readonly instead?: (row: number, column: number) => string | undefined;
  readonly scale: 'sequential' | 'diverging';
  /** Where the colours end, in place of the largest value by size. */
  readonly reach?: number;
  readonly unit: string;
  /** Whether row 0 is at the top. */
  readonly firstRowOnTop: boolean;
  /** Whether each cell should be as high as it is wide. */
  readonly square: boolean;
  /** What all of it is about. */
  readonly subject?: Subject;
}

export interface GridAxis {
  readonly title: string;
  readonly logarithmic: boolean;
  /** One more than there are cells. */
  readonly edges: ArrayLike<number>;
  /** What to call each cell. */
  readonly labels: readonly string[];
  /** Whether the labels stand at the axis; otherwise it shows the numbers of the edges. */
  readonly labelled: boolean;
  /** What each row or column is about. */
  readonly subjects?: readonly Subject[];
}

const [widestCell, highestCell, highestPlot] = [72, 30, 560];
/** More rows than this have no label each, and their cells are no higher than they are wide. */
const manyRows = 24;
/** Cells of a square of few rows may be larger. */
const [squareCell, fewRows] = [48, 6];
/** Room for the colour bar and the axis title, and above and below the cells, beyond what labels need. */
const [sides, ends] = [88, 42];
/** The same for axes that show numbers. */
const [numbersWide, numbersHigh] = [26, 20];
/** Even a single row is this high, and a plot as high as the title beside it where that is not very long. */
const [lowestPlot, highestTitle] = [44, 150];
/** More numbers than this are not written into their cells. */
const textLimit = 200;

/** Draws a grid of colours, with its numbers in the cells where they are few. */
export function drawGrid(
  grid: Grid, shapes: readonly PlotlyValues[], picked: HeadName | undefined, theme: Theme, width: number, visible: Chart['visibleRange'],
): ChartDrawing {
  const { x, y, values, scale, reach, unit, firstRowOnTop } = grid;
  const [rows, columns] = [values.length, x.labels.length];
  const { zmin, zmax } = bounds(values, scale, reach);
  const beside = sides + barLabelWidth(zmin, zmax, theme);
  const free = width - beside;
  const labels = rowLabelWidth(grid, free, theme);
  const { cellWidth, cellHeight } = cellSize(grid, free - labels);
  const titleHeight = textWidth(y.title, `${theme.fontSize}px ${theme.font}`);
  const plotWidth = Math.max(80, cellWidth * columns);
  const plotHeight = Math.max(lowestPlot, Math.min(highestTitle, titleHeight - 12), cellHeight * rows);
  const { tickangle, spacing, depth } = x.labelled
    ? labelRow(x.labels, plotWidth / Math.max(1, columns), theme)
    : { tickangle: 0, spacing: 0, depth: numbersHigh };
  const stops = coloursFor(theme)[scale];
  const gap = x.labelled && Math.min(cellWidth, cellHeight) >= 12 ? 1 : 0;
  const cells = { type: 'heatmap', x: Array.from(x.edges), y: Array.from(y.edges), hoverinfo: 'none', xgap: gap, ygap: gap };
  const axis = (side: GridAxis, name: 'xaxis' | 'yaxis', space: LabelSpace, range: readonly number[]): PlotlyValues => ({
    ...axisLayout(theme, side.title, side.logarithmic ? logarithmicExtent(Array.from(side.edges), visible(name)) : undefined),
    ...(side.labelled ? labelTicks(side.labels, space, visible(name), index => isPicked(picked, grid.subject, side.subjects?.[index])) : {}),
    showgrid: false,
    autorange: false,
    range,
  });
  const data: PlotlyValues[] = [{
    ...cells,
    z: values,
    zmin,
    zmax,
    colorscale: plotlyScale(stops),
    colorbar: {
      // Where it does not fit along the bar, the caption has it.
      title: { text: textWidth(unit, `${theme.fontSize}px ${theme.font}`) <= plotHeight ? escapeText(unit) : '', side: 'right' },
      thickness: 10, outlinewidth: 1, outlinecolor: theme.muted, ypad: 0, len: 1, xpad: 8,
      tickcolor: theme.muted, ticks: 'outside', ticklen: 3, exponentformat: 'power', nticks: 6, ticklabeloverflow: 'allow',
      ...(plotHeight < lowBar ? endTicks(zmin, zmax) : {}),
    },
  }];
  if (values.some(row => row.some(Number.isNaN))) {
    // Cells without a value are grey: the page's own colour could be the colour of 0.
    const missing = values.map(row => row.map(value => Number.isNaN(value) ? 0 : Number.NaN));
    data.push({ ...cells, z: missing, colorscale: [[0, theme.faint], [1, theme.faint]], showscale: false });
  }
  if (x.labelled && rows * columns <= textLimit && cellHeight >= 16) {
    const numbers = shortNumbers(values, Math.max(Math.abs(zmin), Math.abs(zmax)));
    const widest = (size: number) => numbers.reduce((most, { text }) => Math.max(most, textWidth(text, `${size}px ${theme.font}`)), 0);
    const size = [1, 2, 3].map(less => theme.fontSize - less).find(size => widest(size) + 2 <= cellWidth);
    if (size !== undefined) data.push(numbersInCells(numbers, value => (value - zmin) / (zmax - zmin), stops, size));
  }
  return {
    data,
    layout: {
      ...baseLayout(theme, Math.min(width, plotWidth + labels + beside), plotHeight + ends + depth),
      hovermode: 'closest',
      dragmode: 'zoom',
      xaxis: { ...axis(x, 'xaxis', { pixels: plotWidth, spacing }, extent(x)), tickangle },
      yaxis: axis(y, 'yaxis', { pixels: plotHeight }, firstRowOnTop ? extent(y).reverse() : extent(y)),
      shapes,
    },
  };
}

/** The outline of a cell: a light line within a dark one shows on every colour. */
export function cellOutline({ x, y }: Grid, { row, column }: Cell, width: number, dash = 'solid'): PlotlyValues[] {
  const place = { type: 'rect', x0: x.edges[column], x1: x.edges[column + 1], y0: y.edges[row], y1: y.edges[row + 1] };
  return [
    { ...place, line: { color: '#000000', width: width + 2 } },
    { ...place, line: { color: '#ffffff', width, dash } },
  ];
}

/** The cells of the picked head that neither a row nor a column of its own marks: those of a layer's row and a head's column. */
export function pickedOutlines(grid: Grid, picked: HeadName | undefined): PlotlyValues[] {
  const { subject, x, y } = grid;
  if (!picked || !x.subjects || !y.subjects) return [];
  const columns = x.subjects;
  return y.subjects.flatMap((row, rowIndex) => isPicked(picked, subject, row) ? [] : columns.flatMap((column, columnIndex) => {
    const isCell = !isPicked(picked, subject, column) && (isPicked(picked, subject, row, column) || isPicked(picked, subject, column, row));
    return isCell ? cellOutline(grid, { row: rowIndex, column: columnIndex }, 2, 'dot') : [];
  }));
}

function barLabelWidth(zmin: number, zmax: number, theme: Theme): number {
  return widestLabel(endTicks(zmin, zmax).ticktext, theme);
}

/** Width of the row labels that there is room for. */
function rowLabelWidth(grid: Grid, available: number, theme: Theme): number {
  const { labels, labelled } = grid.y;
  if (!labelled) return numbersWide;
  const { cellHeight } = cellSize(grid, available - widestLabel(labels, theme));
  const step = labelStep(labels.length, cellHeight * labels.length);
  return widestLabel(labels.filter((_, row) => row % step === 0), theme);
}

function cellSize({ values, x, square }: Grid, available: number): { readonly cellWidth: number; readonly cellHeight: number } {
  const cellWidth = Math.min(widestCell, Math.max(1, available / Math.max(1, x.labels.length)));
  const highest = values.length > manyRows ? cellWidth : square && values.length <= fewRows ? squareCell : highestCell;
  const cellHeight = Math.min(highest, highestPlot / Math.max(1, values.length));
  const side = Math.min(cellWidth, cellHeight);
  return square ? { cellWidth: side, cellHeight: side } : { cellWidth, cellHeight };
}

interface CellNumber {
  readonly x: number;
  readonly y: number;
  readonly value: number;
  readonly text: string;
}

/** The values that are there, rounded to a hundredth of the largest: the cursor tells the rest. */
function shortNumbers(values: readonly Float32Array[], largest: number): readonly CellNumber[] {
  const grain = 10 ** (Math.ceil(Math.log10(largest || 1)) - 2);
  const text = (value: number) => formatNumber(Number((Math.round(value / grain) * grain).toPrecision(6)));
  return values.flatMap((row, y) => [...row].flatMap((value, x) => Number.isNaN(value) ? [] : [{ x, y, value, text: text(value) }]));
}

/** Numbers as text in their cells, black or white by the cell's colour. */
function numbersInCells(cells: readonly CellNumber[], share: (value: number) => number, stops: readonly string[], size: number): PlotlyValues {
  const table = colourTable(stops);
  return {
    type: 'scatter',
    mode: 'text',
    x: cells.map(({ x }) => x),
    y: cells.map(({ y }) => y),
    text: cells.map(({ text }) => text),
    textfont: { size, color: cells.map(({ value }) => readableOn(table, tableIndex(share(value)))) },
    hoverinfo: 'skip',
    showlegend: false,
  };
}

/** A colour bar lower than this names both its ends and 0, rather than round numbers. */
const lowBar = 110;

function endTicks(zmin: number, zmax: number) {
  const values = zmin < 0 && zmax > 0 ? [zmin, 0, zmax] : [zmin, zmax];
  return { tickmode: 'array', tickvals: values, ticktext: values.map(value => formatNumber(Number(value.toPrecision(2)))) };
}

/** The ends of an axis in Plotly's coordinates, which are powers of ten where it is logarithmic. */
function extent({ edges, logarithmic }: GridAxis): number[] {
  return [edges[0] ?? 0, edges[edges.length - 1] ?? 1].map(edge => logarithmic ? Math.log10(edge) : edge);
}

/** The values at both ends of the colours: 0 in the middle for diverging scales, and never the same value twice. */
function bounds(values: readonly Float32Array[], scale: Grid['scale'], reach?: number): { readonly zmin: number; readonly zmax: number } {
  if (reach !== undefined && reach > 0) return { zmin: scale === 'diverging' ? -reach : 0, zmax: reach };
  let [zmin, zmax] = [Infinity, -Infinity];
  for (const row of values) {
    for (const value of row) {
      if (value < zmin) zmin = value;
      if (value > zmax) zmax = value;
    }
  }
  if (zmin > zmax) [zmin, zmax] = [0, 1];
  if (scale === 'diverging') {
    const most = Math.max(Math.abs(zmin), Math.abs(zmax)) || 1;
    return { zmin: -most, zmax: most };
  }
  return zmin === zmax ? { zmin: Math.min(0, zmin), zmax: Math.max(0, zmax) || 1 } : { zmin, zmax };
}
