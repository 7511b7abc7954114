import { wholeTypes, type TensorSlice, type TensorStatistics, type TensorSummary } from '../../src/protocol/checkpointFile';
import type { PageSlice } from '../../src/protocol/checkpointPage';
import type { BarsFigure, HeatmapFigure } from '../../src/protocol/figure';
import { formatInteger, formatNumber, formatPrecise } from '../numbers';

/** How many numbers lie where; nothing where none is finite. */
export function histogramFigure({ dtype }: TensorSummary, { minimum, maximum, histogram, elements, sampled }: TensorStatistics): BarsFigure | undefined {
  if (minimum === undefined || maximum === undefined || histogram.length === 0) return undefined;
  const isOneEach = wholeTypes.includes(dtype) && histogram.length === maximum - minimum + 1;
  // In halves: the whole width may be beyond the largest number.
  const middle = (bin: number) => 2 * (minimum / 2 + (maximum / 2 - minimum / 2) * ((bin + 0.5) / histogram.length));
  return {
    kind: 'bars',
    title: 'Histogram',
    caption: sampled < elements
      ? `Numbers in each of ${histogram.length} equally wide bins, of ${formatInteger(sampled)} that are evenly spread over the tensor.`
      : `Numbers in ${histogram.length === 1 ? 'the one bin' : `each of ${histogram.length} equally wide bins`}.`,
    x: {
      title: isOneEach ? 'value' : 'value in the middle of the bin',
      labels: histogram.map((_, bin) => isOneEach ? formatPrecise(minimum + bin) : formatNumber(Number(middle(bin).toPrecision(3)))),
    },
    y: { title: 'numbers' },
    series: [{ name: 'numbers', values: Float64Array.from(histogram) }],
  };
}

/** A slice as a picture; cells that are not finite have no colour, and say what they are. */
export function sliceFigure({ shape }: TensorSummary, { index, rows, columns }: PageSlice, slice: TensorSlice): HeatmapFigure {
  const { values, precise, notFinite } = slice;
  const present = new Uint8Array(values.length).fill(1);
  for (const { at } of notFinite) present[at] = 0;
  const axis = (at: number, from: number, count: number) => ({ title: `axis ${at}`, labels: Array.from({ length: count }, (_, i) => String(from + i)) });
  return {
    kind: 'heatmap',
    title: shape.length > 2 ? `Slice [${[...index, ':', ':'].join(', ')}]` : 'Values',
    x: axis(Math.max(0, shape.length - 1), columns.from, slice.columns),
    y: shape.length < 2 ? { title: '', labels: [''] } : axis(shape.length - 2, rows.from, slice.rows),
    rows: slice.rows,
    columns: slice.columns,
    values,
    ...(precise && { precise }),
    ...(notFinite.length === 0 ? {} : { present, instead: notFinite.map(({ at, value }) => ({ at, text: value.replace('-', '−') })) }),
    scale: values.some(value => value < 0) ? 'diverging' : 'sequential',
    unit: '',
  };
}
