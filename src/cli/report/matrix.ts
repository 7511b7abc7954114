import type { ColourScale } from '../../common/colour';
import { formatNumber } from '../../common/numbers';
import { pngAddress } from '../../common/png';
import { markup, type Markup } from './markup';
import { scaleFor } from './scale';

/** Values in cells, row 0 at the top. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** undefined where there is none. */
  value(row: number, column: number): number | undefined;
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * The cells as an image of one pixel each, which the browser enlarges without smoothing. Cells without a value are
 * grey, so that they cannot be taken for a small value.
 */
export function drawMatrix(matrix: Matrix, scale: ColourScale, { left, top, width, height }: Box): Markup {
  const image = pngAddress(matrix.rows, matrix.columns, (row, column) => {
    const value = matrix.value(row, column);
    return value === undefined ? [0, 0, 0, 0] : scale.colour(value);
  });
  const missing = missingPath(matrix, width / matrix.columns, height / matrix.rows);
  return markup`<g transform="translate(${left} ${top})">
    <rect class="surface" width="${width}" height="${height}"/>
    <image href="${image}" width="${width}" height="${height}" preserveAspectRatio="none" class="pixels"/>
    ${missing === '' ? undefined : markup`<path d="${missing}" class="missing"/>`}
    <rect class="frame" width="${width}" height="${height}"/>
  </g>`;
}

/** One rectangle for each run of cells without a value. */
function missingPath(matrix: Matrix, cellWidth: number, cellHeight: number): string {
  const parts: string[] = [];
  for (let row = 0; row < matrix.rows; row++) {
    let start: number | undefined;
    for (let column = 0; column <= matrix.columns; column++) {
      const missing = column < matrix.columns && matrix.value(row, column) === undefined;
      if (missing) {
        start ??= column;
      } else if (start !== undefined) {
        parts.push(`M${short(start * cellWidth)} ${short(row * cellHeight)}h${short((column - start) * cellWidth)}v${short(cellHeight)}H${short(start * cellWidth)}z`);
        start = undefined;
      }
    }
  }
  return parts.join('');
}

/** The scale's colours from low (below) to high (above), with their values beside them. */
export function drawColourBar(scale: ColourScale, { left, top, width, height }: Box, title: string): Markup {
  const steps = 128;
  const at = (row: number) => scale.high - (row / (steps - 1)) * (scale.high - scale.low);
  const axis = scaleFor([scale.low, scale.high], { logarithmic: false, range: [height, 0], ticks: Math.max(3, Math.floor(height / 44)) });
  // Where there is one round number at most between the ends, they say what the colours mean.
  const ends = axis.ticks.length > 1 ? [] : [scale.low, scale.high].filter(value => value !== 0).map(value => ({ value, label: formatNumber(value, 2) }));
  const image = pngAddress(steps, 1, row => scale.colour(at(row)));
  return markup`<g transform="translate(${left} ${top})">
    <rect class="surface" width="${width}" height="${height}"/>
    <image href="${image}" width="${width}" height="${height}" preserveAspectRatio="none" class="pixels"/>
    <rect class="frame" width="${width}" height="${height}"/>
    ${[...axis.ticks, ...ends].map(tick => {
      const y = axis.at(tick.value) ?? 0;
      return markup`<text class="tick" x="${width + 6}" y="${short(y)}" dy=".35em">${tick.label}</text>`;
    })}
    ${title === '' ? undefined : markup`<text class="tick" x="0" y="-8">${title}</text>`}
  </g>`;
}

/** A coordinate with as many digits as a screen can show. */
export function short(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Roughly how wide a text of the report's tick size is, in pixels; there is nothing to measure with outside a browser. */
export function textWidth(text: string, size = 11): number {
  return [...text].length * size * 0.6;
}
