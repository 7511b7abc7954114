import type { PlotlyHover, PlotlyValues } from 'plotly.js/lib/core';
import type { Figure } from '../../src/protocol/figure';
import { Lifetime, type Disposable } from '../../src/common/lifetime';
import { coloursFor, plotlyScale } from '../colours';
import { listenForCellKeys, type Cell, type CellCursor, type CellSpace } from '../cursor';
import { element } from '../elements';
import { formatNumber } from '../numbers';
import { Chart, escapeText, type ChartDrawing } from '../plotly/chart';
import { axisLayout, baseLayout, labelTicks, labelWidth, type LabelSpace } from '../plotly/layout';
import { Readout } from './readout';
import { Tooltip } from './tooltip';
import { tabulate } from './tabulate';
import type { FigureContext, FigureView } from './view';

/** Numbers in rows and columns, wherever they come from. */
export interface Grid {
  readonly title: string;
  readonly x: GridAxis;
  readonly y: GridAxis;
  /** `[rows][columns]`; NaN where there is no value. */
  readonly values: readonly Float32Array[];
  readonly scale: 'sequential' | 'diverging';
  readonly unit: string;
  /** Whether row 0 is at the top. */
  readonly firstRowOnTop: boolean;
  /** Whether each cell should be as high as it is wide. */
  readonly square: boolean;
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
}

/** Draws a kind of figure that is a grid underneath. `space` names what it ranges over: equal spaces share a cursor. */
export function gridView<F extends Figure>(
  first: F,
  kind: { grid(figure: F): Grid; summary(figure: F): string; space(figure: F): string },
  context: FigureContext,
): FigureView<F> {
  let figure = first;
  const grid = new GridChart(kind.grid(first), context, context.cursor(kind.space(first)));
  return {
    element: grid.element,
    tools: [grid.chart.resetTool],
    update(next) {
      figure = next;
      grid.update(kind.grid(next));
    },
    summary: () => kind.summary(figure),
    table: () => tabulate(figure),
    picture: () => grid.chart.picture(figure.title),
    dispose: () => grid.dispose(),
  };
}

const [leastCell, widestCell, highestCell] = [1, 72, 36];
const highestPlot = 560;
/** More numbers than this are not written into their cells. */
const textLimit = 200;

/** A heatmap with a cursor: the pointer or the arrow keys move it, a click or Enter locks it, and others follow it. */
class GridChart implements Disposable {
  private readonly lifetime = new Lifetime();
  readonly chart: Chart;
  private readonly readout = new Readout('Point at a cell, or use the arrow keys. Click or Enter locks, Escape unlocks.');
  private readonly tooltip: Tooltip;
  readonly element: HTMLElement;

  constructor(private grid: Grid, private readonly context: FigureContext, private readonly cursor: CellCursor) {
    this.chart = this.lifetime.add(new Chart(context.theme, width => this.describe(width)));
    this.element = element('div', { class: 'grid-chart' }, this.chart.element, this.readout.element);
    this.tooltip = new Tooltip(this.element);
    this.name();
    this.lifetime.add(cursor.onDidChange(() => this.showCursor()));
    this.lifetime.add(this.chart.onDidHover(hover => this.pointAt(hover)));
    this.lifetime.add(this.chart.onDidUnhover(() => {
      this.tooltip.hide();
      cursor.hover(undefined);
    }));
    this.lifetime.add(this.chart.onDidClick(hover => cursor.toggleLock(cellOf(hover))));
    listenForCellKeys(this.chart.element, cursor, () => this.space(), () => {
      this.context.announce(this.describeCell() ?? 'Unlocked.');
    });
  }

  update(grid: Grid): void {
    this.grid = grid;
    this.name();
    this.cursor.fit(this.space());
    this.showCursor();
    this.chart.draw();
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  private name(): void {
    const { values, x } = this.grid;
    this.chart.element.setAttribute('aria-label', `${this.grid.title}, ${values.length} by ${x.labels.length}. Arrow keys move, Enter locks.`);
  }

  private space(): CellSpace {
    return { rows: this.grid.values.length, columns: () => this.grid.x.labels.length };
  }

  private pointAt(hover: PlotlyHover): void {
    const cell = cellOf(hover);
    this.cursor.hover(cell);
    const { event } = hover;
    if (cell && event) this.tooltip.show(this.describeAt(cell), event.clientX, event.clientY);
  }

  private describeAt({ row, column }: Cell): string {
    const { x, y, values, unit } = this.grid;
    const value = values[row]?.[column] ?? Number.NaN;
    const text = Number.isNaN(value) ? 'no value' : `${formatNumber(value)}${unit ? ` ${unit}` : ''}`;
    return `${y.title} ${y.labels[row] ?? row}, ${x.title} ${x.labels[column] ?? column}: ${text}`;
  }

  private describeCell(): string | undefined {
    const { cell, locked } = this.cursor;
    return cell && `${this.describeAt(cell)}${locked ? ', locked' : ''}`;
  }

  private showCursor(): void {
    const { cell, locked } = this.cursor;
    this.readout.update(cell && this.describeAt(cell), locked);
    this.chart.adjust({ shapes: this.shapes() });
  }

  /** The outline of the cursor's cell: a light line within a dark one shows on every colour. */
  private shapes(): PlotlyValues[] {
    const { cell, locked } = this.cursor;
    if (!cell) return [];
    const { x, y } = this.grid;
    const place = {
      type: 'rect',
      x0: x.edges[cell.column], x1: x.edges[cell.column + 1],
      y0: y.edges[cell.row], y1: y.edges[cell.row + 1],
    };
    const width = locked ? 3 : 2;
    return [
      { ...place, line: { color: '#000000', width: width + 2 } },
      { ...place, line: { color: '#ffffff', width } },
    ];
  }

  private describe(width: number): ChartDrawing {
    const theme = this.context.theme.current;
    const { x, y, values, scale, unit, firstRowOnTop, square } = this.grid;
    const [rows, columns] = [values.length, x.labels.length];
    const sides = 150;
    const available = Math.max(columns * leastCell, width - sides);
    let cellWidth = Math.min(widestCell, available / Math.max(1, columns));
    let cellHeight = Math.min(highestCell, highestPlot / Math.max(1, rows));
    if (square) cellWidth = cellHeight = Math.min(cellWidth, cellHeight);
    const [plotWidth, plotHeight] = [Math.max(80, cellWidth * columns), Math.max(60, cellHeight * rows)];
    const stops = coloursFor(theme)[scale];
    const writeNumbers = rows * columns <= textLimit && cellWidth >= 40 && cellHeight >= 16;
    const axis = (side: GridAxis, name: 'xaxis' | 'yaxis', space: LabelSpace, range: readonly number[]): PlotlyValues => ({
      ...axisLayout(theme, side.title, side.logarithmic),
      ...(side.labelled ? labelTicks(side.labels, space, this.chart.visibleRange(name)) : {}),
      showgrid: false,
      autorange: false,
      range,
    });
    const gap = x.labelled && Math.min(cellWidth, cellHeight) >= 12 ? 1 : 0;
    const edges = { type: 'heatmap', x: Array.from(x.edges), y: Array.from(y.edges), hoverinfo: 'none', xgap: gap, ygap: gap };
    const height = plotHeight + 70;
    return {
      data: [{
        ...edges,
        z: values,
        ...bounds(values, scale),
        colorscale: plotlyScale(stops),
        ...(writeNumbers ? { text: values.map(row => Array.from(row, value => Number.isNaN(value) ? '' : formatNumber(value))), texttemplate: '%{text}' } : {}),
        colorbar: {
          title: { text: escapeText(unit), side: 'right' },
          thickness: 10, outlinewidth: 1, outlinecolor: theme.muted, ypad: 0, len: 1, xpad: 8,
          tickcolor: theme.muted, ticks: 'outside', ticklen: 3, exponentformat: 'power', nticks: 6,
        },
      }, ...(values.some(row => row.some(Number.isNaN)) ? [{
        // Cells without a value, in grey: the page's own colour could be the colour of 0.
        ...edges,
        z: values.map(row => row.map(value => Number.isNaN(value) ? 0 : Number.NaN)),
        colorscale: [[0, theme.faint], [1, theme.faint]],
        showscale: false,
      }] : [])],
      layout: {
        ...baseLayout(theme, Math.min(width, plotWidth + sides), height),
        hovermode: 'closest',
        dragmode: 'zoom',
        xaxis: axis(x, 'xaxis', { pixels: plotWidth, spacing: labelWidth(x.labels, theme) }, ends(x)),
        yaxis: axis(y, 'yaxis', { pixels: plotHeight }, firstRowOnTop ? ends(y).reverse() : ends(y)),
        shapes: this.shapes(),
      },
    };
  }
}

function cellOf({ points }: PlotlyHover): Cell | undefined {
  const place = points[0]?.pointNumber;
  if (typeof place !== 'object') return undefined;
  const [row, column] = place;
  return { row, column };
}

/** The ends of an axis in Plotly's coordinates, which are powers of ten where it is logarithmic. */
function ends({ edges, logarithmic }: GridAxis): number[] {
  return [edges[0] ?? 0, edges[edges.length - 1] ?? 1].map(edge => logarithmic ? Math.log10(edge) : edge);
}

/** The values at both ends of the colours: 0 in the middle for diverging scales, and never the same value twice. */
function bounds(values: readonly Float32Array[], scale: Grid['scale']): { readonly zmin: number; readonly zmax: number } {
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
