import { formatNumber } from '../../common/numbers';
import type { BarsFigure } from '../../protocol/figure';
import { chartWidth, drawChart, frameFor, seriesClass } from './frame';
import { drawLabelsBelow, mustTurn, widestLabel } from './labels';
import { markup, type Markup } from './markup';
import { short } from './matrix';

/** Bars in groups: one group a label, one bar a series, all of them standing on 0 (or, on a logarithmic axis, on its end). */
export function drawBars(figure: BarsFigure): Markup {
  const logarithmic = figure.y.logarithmic ?? false;
  const values = figure.series.flatMap(series => [...series.values]);
  const frame = frameFor({
    yValues: logarithmic ? values : [0, ...values],
    yLogarithmic: logarithmic,
    x: () => ({ at: () => undefined, ticks: [] }),
  });
  const bottom = frame.top + frame.height;
  const zero = logarithmic ? bottom : frame.y.at(0) ?? bottom;
  const group = frame.width / Math.max(1, figure.x.labels.length);
  const bar = (group * 0.78) / Math.max(1, figure.series.length);
  const bars = figure.series.map((series, s) => markup`<g class="${seriesClass(s)}">${[...series.values].map((value, i) => {
    const top = frame.y.at(value) ?? bottom;
    const x = frame.left + (i + 0.11) * group + s * bar;
    return markup`<rect class="bar" x="${short(x)}" y="${short(Math.min(top, zero))}" width="${short(Math.max(0.5, bar - 1))}" height="${short(Math.abs(top - zero))}"><title>${figure.x.labels[i]}${figure.series.length > 1 ? `, ${series.name}` : ''}: ${formatNumber(value)}</title></rect>`;
  })}</g>`);
  const below = { axis: figure.x, count: figure.x.labels.length, length: chartWidth - 14 - frame.left };
  const height = mustTurn(below) ? 14 + Math.ceil(widestLabel(below)) : 24;
  return markup`${figure.series.length > 1 ? drawLegend(figure) : undefined}${drawChart(
    frame,
    { title: figure.title, xTitle: figure.x.title, yTitle: figure.y.title },
    [bars, markup`<line class="baseline" x1="${frame.left}" x2="${frame.left + frame.width}" y1="${short(zero)}" y2="${short(zero)}"/>`],
    { content: drawLabelsBelow(below), height },
  )}`;
}

function drawLegend({ series }: BarsFigure): Markup {
  return markup`<ul class="legend">${series.map(({ name }, i) => markup`<li class="${seriesClass(i)}"><svg class="key" viewBox="0 0 12 12" width="12" height="12" aria-hidden="true"><rect class="bar" width="12" height="12"/></svg>${name}</li>`)}</ul>`;
}
