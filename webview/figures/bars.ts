import { Lifetime } from '../../src/common/lifetime';
import type { BarsFigure } from '../../src/protocol/figure';
import { coloursFor } from '../colours';
import { CellCursor, type Cell } from '../cursor';
import { element } from '../elements';
import { formatNumber } from '../numbers';
import { Chart, type ChartDrawing } from '../plotly/chart';
import { axisLayout, baseLayout, logarithmicExtent } from '../plotly/layout';
import { escapeText } from '../plotly/text';
import { labelRow, labelTicks } from '../plotly/ticks';
import { headIn, isPicked, joined, type HeadName } from '../subjects';
import type { Theme } from '../theme';
import { pointOf, walkPoints, type PointSpace } from './points';
import { Readout } from './readout';
import { summariseBars } from './summary';
import { range, tabulate } from './tabulate';
import type { FigureContext, FigureView } from './view';

const plotHeight = 340;
/** Room beside the bars, for the numbers of the axis. */
const sides = 60;
/** Series are told apart by hatching as well as by colour. */
const hatches = ['', '/', 'x', '.', '\\', '-'];

export function barsView(first: BarsFigure, context: FigureContext): FigureView<BarsFigure> {
  let figure = first;
  const lifetime = new Lifetime();
  const cursor = new CellCursor();
  const readout = new Readout('Point at a bar, or use the arrow keys. Click or Enter locks, Escape unlocks.', context.openings);
  const chart: Chart = lifetime.add(new Chart(context.theme, width =>
    describe(figure, cursor.locked ? cursor.cell : undefined, context.heads.picked, context.theme.current, width, axis => chart.visibleRange(axis))));
  const space = (): PointSpace => ({
    rows: figure.series.length,
    columns: () => figure.x.labels.length,
    describe: (series, bar) => {
      const { name = '', values } = figure.series[series] ?? {};
      return `${figure.x.labels[bar] ?? ''}, ${name}: ${formatNumber(values?.[bar] ?? 0)}`;
    },
  });
  const lockedSubject = () => cursor.locked && cursor.cell ? joined(figure.subject, figure.x.subjects?.[cursor.cell.column]) : undefined;
  const showCursor = () => {
    const { cell, locked } = cursor;
    readout.update(cell && space().describe(cell.row, cell.column), locked, lockedSubject());
  };
  const name = () => chart.element.setAttribute('aria-label', `${figure.title}. Arrow keys walk along the bars, Enter locks.`);
  walkPoints(chart, cursor, space, text => context.announce(text));
  let wasLocked = false;
  lifetime.add(cursor.onDidChange(() => {
    showCursor();
    if (cursor.locked || wasLocked) chart.draw();
    wasLocked = cursor.locked;
    const head = headIn(lockedSubject() ?? {});
    if (head) context.heads.pick(head);
  }));
  lifetime.add(chart.onDidHover(hover => cursor.hover(pointOf(hover))));
  lifetime.add(chart.onDidUnhover(() => cursor.hover(undefined)));
  lifetime.add(chart.onDidClick(hover => cursor.toggleLock(pointOf(hover))));
  lifetime.add(context.heads.onDidChange(() => { if (figure.x.subjects) chart.draw(); }));
  name();
  return {
    element: element('div', { class: 'bars-chart' }, chart.element, readout.element),
    tools: [chart.resetTool],
    update(next) {
      figure = next;
      cursor.fit(space());
      name();
      showCursor();
      chart.draw();
    },
    summary: () => summariseBars(figure),
    table: () => tabulate(figure),
    picture: () => chart.picture(figure.title),
    dispose: () => lifetime.dispose(),
  };
}

function describe(
  { subject, x, y, series }: BarsFigure, locked: Cell | undefined, picked: HeadName | undefined, theme: Theme, width: number, visible: Chart['visibleRange'],
): ChartDrawing {
  const colours = coloursFor(theme).series;
  const positions = range(x.labels.length);
  const { tickangle, spacing } = labelRow(x.labels, (width - sides) / Math.max(1, x.labels.length), theme);
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
        line: { color: theme.foreground, width: positions.map(bar => locked?.row === i && locked.column === bar ? 3 : theme.highContrast ? 1 : 0) },
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
      xaxis: {
        ...axisLayout(theme, x.title),
        ...labelTicks(x.labels, { pixels: width - sides, spacing }, visible('xaxis'), bar => isPicked(picked, subject, x.subjects?.[bar])),
        tickangle,
        showgrid: false,
      },
      yaxis: {
        ...axisLayout(theme, y.title, y.logarithmic === true ? logarithmicExtent(series.flatMap(({ values }) => [...values]), visible('yaxis')) : undefined),
        zeroline: true,
        zerolinecolor: theme.muted,
      },
    },
  };
}
