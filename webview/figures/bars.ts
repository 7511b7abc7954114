import type { BarsFigure } from '../../src/protocol/figure';
import { coloursFor } from '../colours';
import { formatNumber } from '../numbers';
import { Chart, type ChartDrawing } from '../plotly/chart';
import { axisLayout, baseLayout, logarithmicExtent } from '../plotly/layout';
import { escapeText } from '../plotly/text';
import { labelTicks, labelWidth } from '../plotly/ticks';
import type { Theme } from '../theme';
import { walkPoints } from './points';
import { summariseBars } from './summary';
import { range, tabulate } from './tabulate';
import type { FigureContext, FigureView } from './view';

const plotHeight = 340;
/** Series are told apart by hatching as well as by colour. */
const hatches = ['', '/', 'x', '.', '\\', '-'];

export function barsView(first: BarsFigure, context: FigureContext): FigureView<BarsFigure> {
  let figure = first;
  const chart: Chart = new Chart(context.theme, width => describe(figure, context.theme.current, width, axis => chart.visibleRange(axis)));
  const name = () => chart.element.setAttribute('aria-label', `${figure.title}. Arrow keys walk along the bars.`);
  walkPoints(chart, () => ({
    rows: figure.series.length,
    columns: () => figure.x.labels.length,
    describe: (series, bar) => {
      const { name = '', values } = figure.series[series] ?? {};
      return `${figure.x.labels[bar] ?? ''}, ${name}: ${formatNumber(values?.[bar] ?? 0)}`;
    },
  }), text => context.announce(text));
  name();
  return {
    element: chart.element,
    tools: [chart.resetTool],
    update(next) {
      figure = next;
      name();
      chart.draw();
    },
    summary: () => summariseBars(figure),
    table: () => tabulate(figure),
    picture: () => chart.picture(figure.title),
    dispose: () => chart.dispose(),
  };
}

function describe({ x, y, series }: BarsFigure, theme: Theme, width: number, visible: Chart['visibleRange']): ChartDrawing {
  const colours = coloursFor(theme).series;
  const positions = range(x.labels.length);
  return {
    data: series.map(({ name, values }, i) => ({
      type: 'bar',
      name: escapeText(name),
      x: positions,
      y: values,
      hovertext: x.labels.map((label, bar) => escapeText(`${label}: ${formatNumber(values[bar] ?? 0)}`)),
      hovertemplate: '%{hovertext}<extra>%{fullData.name}</extra>',
      marker: {
        color: colours[i % colours.length],
        pattern: { shape: hatches[i % hatches.length], fillmode: 'overlay', fgcolor: theme.background, size: 6, solidity: 0.25 },
        line: { color: theme.highContrast ? theme.foreground : theme.background, width: theme.highContrast ? 1 : 0 },
      },
    })),
    layout: {
      ...baseLayout(theme, width, plotHeight),
      barmode: 'group',
      bargap: 0.2,
      hovermode: 'closest',
      dragmode: 'zoom',
      showlegend: series.length > 1,
      legend: { orientation: 'h', x: 0, y: 1.02, yanchor: 'bottom', bgcolor: 'rgba(0,0,0,0)' },
      xaxis: { ...axisLayout(theme, x.title), showgrid: false, ...labelTicks(x.labels, { pixels: width - 60, spacing: labelWidth(x.labels, theme) }, visible('xaxis')) },
      yaxis: {
        ...axisLayout(theme, y.title, y.logarithmic === true ? logarithmicExtent(series.flatMap(({ values }) => [...values]), visible('yaxis')) : undefined),
        zeroline: true,
        zerolinecolor: theme.muted,
      },
    },
  };
}
