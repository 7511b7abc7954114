import type { Axis, HeatmapFigure } from '../../src/protocol/figure';
import { gridView } from './grid';
import type { Grid, GridAxis } from './gridDrawing';
import { summariseHeatmap } from './summary';
import { labelAt, range } from './tabulate';
import type { FigureContext, FigureView } from './view';

export function heatmapView(first: HeatmapFigure, context: FigureContext): FigureView<HeatmapFigure> {
  return gridView(first, {
    grid: gridOf,
    summary: summariseHeatmap,
    space: ({ rows, columns, x, y }) => `${rows} ${y.title} × ${columns} ${x.title}`,
  }, context);
}

function gridOf({ title, subject, x, y, rows, columns, values, precise, present, instead, scale, reach, unit }: HeatmapFigure): Grid {
  const texts = new Map(instead?.map(({ at, text }) => [at, text]));
  return {
    title,
    x: indexAxis(x, columns),
    y: indexAxis(y, rows),
    values: range(rows).map(row => {
      const line = values.slice(row * columns, (row + 1) * columns);
      return present ? line.map((value, column) => present[row * columns + column] === 0 ? Number.NaN : value) : line;
    }),
    scale,
    unit,
    firstRowOnTop: true,
    square: rows === columns,
    ...(precise && { precise: (row, column) => precise[row * columns + column] }),
    ...(instead ? { instead: (row, column) => texts.get(row * columns + column) } : {}),
    ...(reach === undefined ? {} : { reach }),
    ...(subject ? { subject } : {}),
  };
}

/** Cells around 0, 1, 2, …: each reaches half a unit to both sides. */
function indexAxis(axis: Axis, cells: number): GridAxis {
  return {
    title: axis.title,
    logarithmic: false,
    edges: range(cells + 1).map(edge => edge - 0.5),
    labels: range(cells).map(index => labelAt(axis, index)),
    labelled: true,
    ...(axis.subjects ? { subjects: axis.subjects } : {}),
  };
}
