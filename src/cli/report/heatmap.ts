import { divergingScale, sequentialScale, type ColourScale } from '../../common/colour';
import { formatNumber } from '../../common/numbers';
import { labelAt } from '../../engine/words/figureTable';
import type { HeatmapFigure } from '../../protocol/figure';
import { drawLabelsBelow, drawLabelsBeside, mustTurn, widestLabel } from './labels';
import { markup, type Markup } from './markup';
import { drawColourBar, drawMatrix, short, textWidth, type Matrix } from './matrix';

const widest = 560;
/** Above this, cells are too many to carry a tooltip each. */
const mostTooltips = 1000;

export function drawHeatmap(figure: HeatmapFigure): Markup {
  const matrix = matrixOf(figure);
  const ranged = figure.reach === undefined ? present(figure) : [0, figure.reach];
  const scale = figure.scale === 'diverging' ? divergingScale(ranged) : sequentialScale(ranged);
  const { cell, width, height, below, beside, left, top, bottom, barHeight, total } = layoutOf(figure);
  return markup`<svg viewBox="0 0 ${total.width} ${total.height}" style="max-width:${total.width}px" role="img" aria-label="${figure.title}">
    ${drawMatrix(matrix, scale, { left, top, width, height })}
    <g transform="translate(${left} ${top})">${drawCells(figure, matrix, scale, cell)}${drawLabelsBeside(beside)}</g>
    <g transform="translate(${left} ${short(top + height)})">${drawLabelsBelow(below)}</g>
    <text class="axis middle" x="${short(left + width / 2)}" y="${short(top + height + bottom - 8)}">${figure.x.title}</text>
    <text class="axis middle" transform="translate(14 ${short(top + height / 2)}) rotate(-90)">${figure.y.title}</text>
    ${drawColourBar(scale, { left: left + width + barGap, top, width: 12, height: barHeight }, figure.unit)}
  </svg>`;
}

/** Pixels between the cells and the colour bar. */
const barGap = 24;

/** Pixels of the picture of a heatmap, with all that stands around it. */
export function heatmapWidth(figure: HeatmapFigure): number {
  return layoutOf(figure).total.width;
}

interface CellSize {
  readonly width: number;
  readonly height: number;
}

/** Square where there are as many rows as columns; otherwise the fewer of them get more room. */
function cellOf({ rows, columns }: HeatmapFigure): CellSize {
  const [width, height] = [Math.min(largestCell, widest / columns), Math.min(largestCell, widest / rows)];
  return { width: Math.min(width, longestCell * height), height: Math.min(height, longestCell * width) };
}

const largestCell = 46;
/** How many times longer one side of a cell may be than the other. */
const longestCell = 2.5;

function layoutOf(figure: HeatmapFigure) {
  const cell = cellOf(figure);
  const [width, height] = [cell.width * figure.columns, cell.height * figure.rows];
  const below = { axis: figure.x, count: figure.columns, length: width };
  const beside = { axis: figure.y, count: figure.rows, length: height };
  const left = 34 + Math.ceil(widestLabel(beside));
  const top = figure.unit === '' ? 8 : 24;
  const bottom = mustTurn(below) ? 32 + Math.ceil(widestLabel(below)) : 46;
  const barHeight = Math.max(80, Math.min(height, 260));
  const total = {
    width: Math.ceil(left + width + barGap + Math.max(86, textWidth(figure.unit) + 8)),
    height: Math.ceil(top + Math.max(height + bottom, barHeight + 8)),
  };
  return { cell, width, height, below, beside, left, top, bottom, barHeight, total };
}

/** Tooltips where there are few enough cells, and the values themselves where they fit. */
function drawCells(figure: HeatmapFigure, matrix: Matrix, scale: ColourScale, cell: CellSize): Markup | undefined {
  if (figure.rows * figure.columns > mostTooltips) return undefined;
  const cells: Markup[] = [];
  for (let row = 0; row < figure.rows; row++) {
    for (let column = 0; column < figure.columns; column++) {
      const value = matrix.value(row, column);
      if (value === undefined) continue;
      const [x, y] = [short(column * cell.width), short(row * cell.height)];
      const where = `${figure.y.title} ${labelAt(figure.y, row)}, ${figure.x.title} ${labelAt(figure.x, column)}`;
      cells.push(markup`<rect class="cell" x="${x}" y="${y}" width="${short(cell.width)}" height="${short(cell.height)}"><title>${where}: ${formatNumber(value)}</title></rect>`);
      if (cell.width >= 40 && cell.height >= 16) {
        cells.push(markup`<text class="value middle ${scale.inkOn(value)}" x="${short(x + cell.width / 2)}" y="${short(y + cell.height / 2)}" dy=".35em">${cellText(value, cell.width)}</text>`);
      }
    }
  }
  return markup`${cells}`;
}

/** The value in a cell, with fewer digits where it would not fit; the tooltip and the table have it whole. */
function cellText(value: number, width: number): string {
  const text = formatNumber(value, 2);
  if (textWidth(text) <= width - 4) return text;
  const rounded = Number(value.toPrecision(1));
  return Math.abs(rounded) >= 1 ? formatNumber(rounded) : rounded.toExponential(0).replace(/-/g, '−');
}

function matrixOf({ rows, columns, values, present }: HeatmapFigure): Matrix {
  return {
    rows,
    columns,
    value: (row, column) => {
      const i = row * columns + column;
      return present !== undefined && present[i] === 0 ? undefined : values[i];
    },
  };
}

function present({ values, present }: HeatmapFigure): Iterable<number> {
  return present === undefined ? values : values.filter((_, i) => present[i] !== 0);
}
