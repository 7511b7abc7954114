import type { PlotlyHover } from 'plotly.js/lib/core';
import { listenForCellKeys, type Cell, type CellCursor, type CellSpace } from '../cursor';
import type { Chart } from '../plotly/chart';

/** What the keyboard walks over in a chart of series. */
export interface PointSpace extends CellSpace {
  /** What a point of a series is, in words. */
  describe(series: number, point: number): string;
}

/** Left and right walk along a series, up and down go to the next one; each point shows its label and is announced. */
export function walkPoints(chart: Chart, cursor: CellCursor, space: () => PointSpace, announce: (text: string) => void): void {
  listenForCellKeys(chart.element, cursor, space, () => {
    const { cell } = cursor;
    chart.showPoints(cell ? [{ curveNumber: cell.row, pointNumber: cell.column }] : []);
    if (cell) announce(`${space().describe(cell.row, cell.column)}${cursor.locked ? ', locked' : ''}`);
  });
  chart.element.addEventListener('blur', () => {
    chart.showPoints([]);
    if (!cursor.locked) cursor.clear();
  });
}

/** The point of a series under the pointer, as the keyboard knows it. */
export function pointOf({ points: [point] }: PlotlyHover): Cell | undefined {
  return typeof point?.pointNumber === 'number' ? { row: point.curveNumber, column: point.pointNumber } : undefined;
}
