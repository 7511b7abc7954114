import { sequentialScale, type ColourScale } from '../../common/colour';
import type { Histogram2dFigure } from '../../protocol/figure';
import { drawChart, frameFor } from './frame';
import type { Markup } from './markup';
import { drawColourBar, drawMatrix } from './matrix';
import { scaleFor } from './scale';

/** Room for the colour bar. */
const barRoom = 84;

/** Counts in cells of one size, between edges that are equally spaced on their axis; empty bins stay empty. */
export function drawHistogram2d(figure: Histogram2dFigure): Markup {
  const [rows, columns] = [figure.yEdges.length - 1, figure.xEdges.length - 1];
  const counts = sequentialScale([0, ...figure.counts]);
  const scale: ColourScale = { ...counts, colour: count => (count === 0 ? [0, 0, 0, 0] : counts.colour(count)) };
  // Scales end exactly at the outermost edges, so that the picture fills the plot area.
  const frame = frameFor({
    yValues: [],
    yLogarithmic: false,
    x: ([from, to]) => scaleFor(figure.xEdges, { logarithmic: figure.x.logarithmic ?? false, range: [from, to - barRoom], ticks: 8 }),
  });
  const width = frame.width - barRoom;
  const y = scaleFor(figure.yEdges, { logarithmic: figure.y.logarithmic ?? false, range: [frame.top + frame.height, frame.top], ticks: 6 });
  const matrix = {
    rows,
    columns,
    value: (row: number, column: number) => figure.counts[(rows - 1 - row) * columns + column],
  };
  return drawChart({ ...frame, y, width }, { title: figure.title, xTitle: figure.x.title, yTitle: figure.y.title }, [
    drawMatrix(matrix, scale, { left: frame.left, top: frame.top, width, height: frame.height }),
    drawColourBar(scale, { left: frame.left + width + 20, top: frame.top, width: 12, height: frame.height }, ''),
  ]);
}
