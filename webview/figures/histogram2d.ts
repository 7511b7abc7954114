import type { Axis, Histogram2dFigure } from '../../src/protocol/figure';
import { gridView } from './grid';
import type { Grid, GridAxis } from './gridDrawing';
import { summariseHistogram2d } from './summary';
import { binLabel, range } from './tabulate';
import type { FigureContext, FigureView } from './view';

export function histogram2dView(first: Histogram2dFigure, context: FigureContext): FigureView<Histogram2dFigure> {
  return gridView(first, {
    grid: gridOf,
    summary: summariseHistogram2d,
    space: ({ xEdges, yEdges, x, y }) => `${yEdges.join()} ${y.title} × ${xEdges.join()} ${x.title}`,
  }, context);
}

function gridOf({ title, x, y, xEdges, yEdges, counts }: Histogram2dFigure): Grid {
  const columns = xEdges.length - 1;
  return {
    title,
    x: binAxis(x, xEdges),
    y: binAxis(y, yEdges),
    values: range(yEdges.length - 1).map(row => counts.slice(row * columns, (row + 1) * columns)),
    scale: 'sequential',
    unit: 'count',
    firstRowOnTop: false,
    square: false,
  };
}

function binAxis({ title, logarithmic }: Axis, edges: Float64Array): GridAxis {
  return {
    title,
    // There is no logarithm of 0: such bins stay on a linear axis.
    logarithmic: logarithmic === true && (edges[0] ?? 0) > 0,
    edges,
    labels: range(edges.length - 1).map(bin => binLabel(edges, bin)),
    labelled: false,
  };
}
