import type { PlotlyHover, PlotlyValues } from 'plotly.js/lib/core';
import { Lifetime, type Disposable } from '../../src/common/lifetime';
import type { Figure, Subject } from '../../src/protocol/figure';
import { listenForCellKeys, type Cell, type CellCursor, type CellSpace } from '../cursor';
import { element } from '../elements';
import { formatNumber, formatPrecise } from '../numbers';
import { Chart } from '../plotly/chart';
import { headIn, joined } from '../subjects';
import { cellOutline, drawGrid, pickedOutlines, type Grid } from './gridDrawing';
import { Readout } from './readout';
import { tabulate } from './tabulate';
import { Tooltip } from './tooltip';
import type { FigureContext, FigureView } from './view';

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

/** A heatmap with a cursor: the pointer or the arrow keys move it, a click or Enter locks it, and others follow it. */
class GridChart implements Disposable {
  private readonly lifetime = new Lifetime();
  readonly chart: Chart;
  private readonly readout: Readout;
  private readonly tooltip: Tooltip;
  readonly element: HTMLElement;

  constructor(private grid: Grid, private readonly context: FigureContext, private readonly cursor: CellCursor) {
    this.chart = this.lifetime.add(new Chart(context.theme, width =>
      drawGrid(this.grid, this.shapes(), context.heads.picked, context.theme.current, width, axis => this.chart.visibleRange(axis))));
    this.readout = new Readout('Point at a cell, or use the arrow keys. Click or Enter locks, Escape unlocks.', context.openings);
    this.element = element('div', { class: 'grid-chart' }, this.chart.element, this.readout.element);
    this.tooltip = new Tooltip(this.element);
    this.name();
    this.lifetime.add(cursor.onDidChange(() => {
      this.showCursor();
      this.chart.adjust({ shapes: this.shapes() });
      const head = headIn(this.lockedSubject() ?? {});
      if (head) context.heads.pick(head);
    }));
    this.lifetime.add(context.heads.onDidChange(() => { if (this.hasHeads()) this.chart.draw(); }));
    this.lifetime.add(this.chart.onDidHover(hover => this.pointAt(hover)));
    this.lifetime.add(this.chart.onDidUnhover(() => {
      this.tooltip.hide();
      cursor.hover(undefined);
    }));
    this.lifetime.add(this.chart.onDidClick(hover => cursor.toggleLock(cellOf(hover), this.chart.element)));
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
    const { x, y, values, precise, instead, unit } = this.grid;
    const value = values[row]?.[column] ?? Number.NaN;
    const exact = precise?.(row, column);
    const text = Number.isNaN(value) ? instead?.(row, column) ?? 'no value' : `${exact === undefined ? formatNumber(value) : formatPrecise(exact)}${unit ? ` ${unit}` : ''}`;
    return `${y.title} ${y.labels[row] ?? row}, ${x.title} ${x.labels[column] ?? column}: ${text}`;
  }

  private describeCell(): string | undefined {
    const { cell, locked } = this.cursor;
    return cell && `${this.describeAt(cell)}${locked ? ', locked' : ''}`;
  }

  private showCursor(): void {
    const { cell, locked } = this.cursor;
    this.readout.update(cell && this.describeAt(cell), locked, this.lockedSubject());
  }

  private shapes(): readonly PlotlyValues[] {
    const { cell, locked } = this.cursor;
    return [...pickedOutlines(this.grid, this.context.heads.picked), ...cell ? cellOutline(this.grid, cell, locked ? 3 : 2) : []];
  }

  /** What the cell is about that was locked in this figure. */
  private lockedSubject(): Subject | undefined {
    const { subject, x, y } = this.grid;
    const { cell, lockedBy } = this.cursor;
    return cell && lockedBy === this.chart.element ? joined(subject, y.subjects?.[cell.row], x.subjects?.[cell.column]) : undefined;
  }

  private hasHeads(): boolean {
    const { x, y } = this.grid;
    return [x, y].some(({ subjects }) => subjects?.some(({ head }) => head !== undefined));
  }
}

function cellOf({ points }: PlotlyHover): Cell | undefined {
  const place = points[0]?.pointNumber;
  if (typeof place !== 'object') return undefined;
  const [row, column] = place;
  return { row, column };
}
