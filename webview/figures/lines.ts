import type { PlotlyValues } from 'plotly.js/lib/core';
import { Lifetime } from '../../src/common/lifetime';
import type { LinesFigure } from '../../src/protocol/figure';
import { coloursFor } from '../colours';
import { checkbox } from '../controls/toolkit';
import { CellCursor } from '../cursor';
import { element, setText } from '../elements';
import { formatInteger, formatNumber } from '../numbers';
import { Chart, type ChartDrawing } from '../plotly/chart';
import { axisLayout, baseLayout, logarithmicExtent } from '../plotly/layout';
import { escapeText } from '../plotly/text';
import { labelTicks, widestLabel } from '../plotly/ticks';
import type { Theme } from '../theme';
import { pointOf, walkPoints } from './points';
import { summariseLines } from './summary';
import { positionText, tabulate } from './tabulate';
import type { FigureContext, FigureView } from './view';

interface Scales {
  readonly x: boolean;
  readonly y: boolean;
}

const plotHeight = 360;
const dashes = ['solid', 'dash', 'dot', 'dashdot', 'longdash', 'longdashdot'];
/** Series this short show each of their points. */
const markerLimit = 40;
/** More marks than this are short ticks at the bottom: lines would cover the chart. */
const tallMarkLimit = 40;

export function linesView(first: LinesFigure, context: FigureContext): FigureView<LinesFigure> {
  let figure = first;
  const logX = checkbox({ title: 'Log x', description: 'A logarithmic scale for the x axis' }, first.x.logarithmic ?? false);
  const logY = checkbox({ title: 'Log y', description: 'A logarithmic scale for the y axis' }, first.y.logarithmic ?? false);
  const scales = (): Scales => ({ x: logX.value && !figure.x.labels, y: logY.value });
  const lifetime = new Lifetime();
  const chart: Chart = lifetime.add(new Chart(context.theme, width => describe(figure, scales(), context.theme.current, width, axis => chart.visibleRange(axis))));
  const note = element('p', { class: 'chart-note' });
  const show = () => {
    chart.element.setAttribute('aria-label', `${figure.title}. Arrow keys walk along the series.`);
    const left = leftOut(figure, scales());
    note.hidden = left === 0;
    setText(note, `${formatInteger(left)} ${left === 1 ? 'point' : 'points'} at or below 0 cannot be on a logarithmic axis.`);
    chart.draw();
  };
  // A zoom on one scale means nothing on the other.
  const rescale = () => {
    show();
    chart.showAll();
  };
  logX.onDidChange(rescale);
  logY.onDidChange(rescale);
  const cursor = new CellCursor();
  lifetime.add(chart.onDidHover(hover => { if (figure.crowd) cursor.hover(pointOf(hover)); }));
  lifetime.add(chart.onDidUnhover(() => { if (figure.crowd) cursor.hover(undefined); }));
  lifetime.add(cursor.onDidChange(() => fadeOthers(chart, figure.crowd ? cursor.cell?.row : undefined)));
  walkPoints(chart, cursor, () => ({
    rows: figure.series.length,
    columns: series => figure.series[series]?.x.length ?? 0,
    describe: (series, point) => {
      const { name = '', x, y } = figure.series[series] ?? {};
      const best = point === figure.series[series]?.best ? ', the best' : '';
      return `${name}: ${formatNumber(y?.[point] ?? 0)} at ${figure.x.title} ${positionText(figure.x, x?.[point] ?? 0)}${best}`;
    },
  }), text => context.announce(text));
  show();
  return {
    element: element('div', { class: 'lines-chart' }, chart.element, note),
    // Categories have no scale.
    tools: [chart.resetTool, ...(first.x.labels ? [] : [logX.element]), logY.element],
    update(next) {
      figure = next;
      show();
    },
    summary: () => summariseLines(figure),
    table: () => tabulate(figure),
    picture: () => chart.picture(figure.title),
    dispose: () => lifetime.dispose(),
  };
}

function describe({ series, marks = [], x, y, crowd = false }: LinesFigure, scales: Scales, theme: Theme, width: number, visible: Chart['visibleRange']): ChartDrawing {
  const extent = (axis: 'x' | 'y') => logarithmicExtent(series.flatMap(line => [...line[axis]]), visible(`${axis}axis`));
  const colours = coloursFor(theme).series;
  const only = scales.x ? undefined : onlyPlace(series);
  const lines = series.map((line, i): PlotlyValues => ({
    type: 'scatter',
    mode: (line.x.length <= markerLimit && !crowd) || line.best !== undefined ? 'lines+markers' : 'lines',
    name: escapeText(line.name),
    x: line.x,
    y: line.y,
    line: { color: colours[i % colours.length], ...(crowd ? crowdLine(theme) : { dash: dashOf(i, colours.length), width: theme.highContrast ? 2.5 : 1.75 }) },
    ...(crowd ? { hovertemplate: `<b>%{fullData.name}</b><br>${escapeText(x.title)} %{x}: %{y}<extra></extra>` } : {}),
    marker: {
      color: colours[i % colours.length],
      size: line.best === undefined ? 5 : Array.from(line.x, (_, point) => point === line.best ? 13 : 5),
      ...(line.best === undefined ? {} : { symbol: Array.from(line.x, (_, point) => point === line.best ? 'star' : 'circle') }),
    },
  }));
  return {
    data: [...lines, ...(marks.length > 0 ? [markTrace(marks, theme)] : [])],
    layout: {
      ...baseLayout(theme, width, plotHeight),
      hovermode: crowd ? 'closest' : 'x unified',
      dragmode: 'zoom',
      showlegend: series.length > 1 && !crowd,
      legend: { orientation: 'h', x: 0, y: 1.02, yanchor: 'bottom', bgcolor: 'rgba(0,0,0,0)', itemwidth: 40 },
      xaxis: {
        ...axisLayout(theme, x.title, scales.x ? extent('x') : undefined),
        ...(only === undefined ? {} : { tickmode: 'array', tickvals: [only] }),
        ...(x.labels ? { range: [-0.5, x.labels.length - 0.5], ...labelTicks(x.labels, { pixels: width, spacing: widestLabel(x.labels, theme) + 8 }, visible('xaxis')) } : {}),
      },
      yaxis: { ...axisLayout(theme, y.title, scales.y ? extent('y') : undefined), hoverformat: '.4~g' },
      yaxis2: { overlaying: 'y', range: [0, 1], visible: false, fixedrange: true },
    },
  };
}

/** Where along x all points are, as those of a model that was not trained are at step 0: the axis has no steps beside it. */
function onlyPlace(series: LinesFigure['series']): number | undefined {
  const only = series.find(({ x }) => x.length > 0)?.x[0];
  return series.every(({ x }) => x.every(at => at === only)) ? only : undefined;
}

/** In a crowd, the line that the reader looks at stands out: the others fade. */
function fadeOthers({ element }: Chart, line: number | undefined): void {
  element.querySelectorAll('.scatterlayer > .trace').forEach((other, i) => other.classList.toggle('faded', line !== undefined && i !== line));
}

/** Once the colours are used up, they come back with other dashes. */
function dashOf(line: number, colours: number): string | undefined {
  return dashes[(line + Math.floor(line / colours)) % dashes.length];
}

/** Dashes tell no line from another where no legend names them. */
function crowdLine(theme: Theme): PlotlyValues {
  return { dash: 'solid', width: theme.highContrast ? 1.75 : 1.25 };
}

/** Vertical lines as one trace on an axis of its own that spans the height, so that hundreds of them stay one path. */
function markTrace(marks: NonNullable<LinesFigure['marks']>, theme: Theme): PlotlyValues {
  const height = marks.length > tallMarkLimit ? 0.03 : 1;
  return {
    type: 'scatter',
    mode: 'lines',
    yaxis: 'y2',
    showlegend: false,
    name: '',
    x: marks.flatMap(mark => [mark.x, mark.x, null]),
    y: marks.flatMap(() => [0, height, null]),
    text: marks.flatMap(({ label }) => [escapeText(label), escapeText(label), '']),
    hovertemplate: '%{text}<extra></extra>',
    line: { color: theme.muted, width: 1 },
    opacity: theme.highContrast ? 1 : 0.55,
  };
}

function leftOut({ series }: LinesFigure, scales: Scales): number {
  return series.reduce((sum, line) => sum + line.x.reduce(
    (count, at, i) => count + Number((scales.x && at <= 0) || (scales.y && (line.y[i] ?? 1) <= 0)), 0), 0);
}
