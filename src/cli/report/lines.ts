import { formatNumber } from '../../common/numbers';
import { thinnedPlaces } from '../../common/thinning';
import { labelAt } from '../../engine/words/figureTable';
import type { Axis, LinesFigure, Series } from '../../protocol/figure';
import { drawChart, frameFor, seriesClass, type Frame } from './frame';
import { cut, labelledIndices, widestLabel } from './labels';
import { markup, type Markup } from './markup';
import { short, textWidth } from './matrix';
import { scaleFor, type Scale } from './scale';

/** More points than a pixel column can show are thinned to the lowest and highest of each column. */
const mostPoints = 1500;

export function drawLines(figure: LinesFigure): Markup {
  const logarithmic = { x: figure.x.logarithmic ?? false, y: figure.y.logarithmic ?? false };
  const xValues = [...figure.series.flatMap(series => [...series.x]), ...(figure.marks ?? []).map(mark => mark.x), ...(figure.x.labels ?? []).keys()];
  const frame = frameFor({
    yValues: figure.series.flatMap(series => [...series.y]),
    yLogarithmic: logarithmic.y,
    x: range => named(scaleFor(xValues, { logarithmic: logarithmic.x, range, ticks: 10 }), figure.x, range),
  });
  const texts = { title: figure.title, xTitle: figure.x.title, yTitle: figure.y.title };
  return markup`${drawLegend(figure.series)}${drawChart(frame, texts, [
    figure.series.map((series, i) => drawSeries(series, i, frame)),
    drawMarks(figure, frame),
  ])}`;
}

/** The scale with the names of the categories 0, 1, 2, … in place of its ticks, where the axis has any. */
function named(scale: Scale, axis: Axis, [from, to]: readonly [number, number]): Scale {
  if (!axis.labels) return scale;
  const count = axis.labels.length;
  const ticks = labelledIndices(count, to - from, widestLabel({ axis, count, length: to - from }) + 12);
  return { ...scale, ticks: ticks.map(index => ({ value: index, label: cut(labelAt(axis, index)) })) };
}

function drawSeries({ name, x, y }: Series, index: number, frame: Frame): Markup {
  const points: (readonly [number, number] | undefined)[] = [];
  for (let i = 0; i < x.length; i++) {
    const [px, py] = [frame.x.at(x[i] ?? 0), frame.y.at(y[i] ?? 0)];
    points.push(px === undefined || py === undefined ? undefined : [px, py]);
  }
  const drawn = thinnedPlaces(points.map(point => point?.[1]), mostPoints).map(i => points[i]);
  const last = [...drawn].reverse().find(point => point !== undefined);
  return markup`<g class="${seriesClass(index)}"><title>${name}</title><path class="line" d="${pathOf(drawn)}"/>
    ${last && markup`<circle class="dot" cx="${short(last[0])}" cy="${short(last[1])}" r="3"/>`}</g>`;
}

/** A line that breaks where there is no point. */
function pathOf(points: readonly (readonly [number, number] | undefined)[]): string {
  let pen = 'M';
  return points.map(point => {
    if (point === undefined) {
      pen = 'M';
      return '';
    }
    const part = `${pen}${short(point[0])} ${short(point[1])}`;
    pen = 'L';
    return part;
  }).join('');
}

/** More marks than this show their labels under the pointer alone: there can be hundreds. */
const mostLabelledMarks = 8;
const markHeight = 7;
const markLabelHeight = 14;

/** Small marks on the x axis; few of them have their labels above them, each as low as it can be beside the others. */
function drawMarks({ marks = [] }: LinesFigure, frame: Frame): Markup {
  const bottom = frame.top + frame.height;
  const placed = marks.flatMap(({ x, label }) => {
    const at = frame.x.at(x);
    return at === undefined ? [] : [{ at, label }];
  });
  const triangles = placed.map(({ at, label }) => markup`<path class="mark" d="M${short(at)} ${bottom}l-3.5 -${markHeight}h7z"><title>${label}</title></path>`);
  if (placed.length > mostLabelledMarks) return markup`${triangles}`;
  const labels = stacked(placed, frame).map(each => ({ ...each, y: bottom - markHeight - 4 - each.row * markLabelHeight }));
  return markup`${triangles}${labels.filter(({ row }) => row > 0).map(({ at, y }) =>
    markup`<path class="mark leader" d="M${short(at)} ${bottom - markHeight}V${y + 2}"/>`)}${labels.map(({ centre, label, y }) =>
    markup`<text class="mark-label middle" x="${short(centre)}" y="${y}">${cut(label)}</text>`)}`;
}

interface PlacedMark {
  /** Pixels from the left. */
  readonly at: number;
  readonly label: string;
}

/** Where the labels of marks are written: within the frame, and in the lowest row in which one meets none before it. */
function stacked(marks: readonly PlacedMark[], { left, width }: Frame): readonly (PlacedMark & { readonly centre: number; readonly row: number })[] {
  const ends: number[] = []; // of the last label of each row
  return [...marks].sort((one, other) => one.at - other.at).map(mark => {
    const half = textWidth(cut(mark.label)) / 2 + 3;
    const centre = Math.max(left + half, Math.min(left + width - half, mark.at));
    const free = ends.findIndex(end => end <= centre - half);
    const row = free < 0 ? ends.length : free;
    ends[row] = centre + half;
    return { ...mark, centre, row };
  });
}

/** Names of the series with where each of them ends. */
function drawLegend(series: readonly Series[]): Markup {
  return markup`<ul class="legend">${series.map(({ name, y }, i) => {
    const last = y[y.length - 1];
    return markup`<li class="${seriesClass(i)}"><svg class="key" viewBox="0 0 24 10" width="24" height="10" aria-hidden="true"><path class="line" d="M1 5H23"/></svg>${name}${last === undefined ? undefined : markup` <b>${formatNumber(last)}</b>`}</li>`;
  })}</ul>`;
}
