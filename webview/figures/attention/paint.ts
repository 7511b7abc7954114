import type { AttentionFigure } from '../../../src/protocol/figure';
import { coloursFor, colourTable, tableIndex, tableSize } from '../../colours';
import { svgElement } from '../../elements';
import type { Theme } from '../../theme';

type Mask = AttentionFigure['allowed'];

/** The colours of weights: `[256 × 3]`, from 0 to 1 and the same for every head, so that heads compare. */
export function weightColours(theme: Theme): Uint8ClampedArray {
  return colourTable(coloursFor(theme).sequential);
}

/**
 * Paints a pattern `[T, T]` a pixel a cell; the page scales it up. What the mask forbids stays transparent, and lets the
 * hatched ground show.
 */
export function paintPattern(canvas: HTMLCanvasElement, pattern: Float32Array, allowed: Mask, positions: number, colours: Uint8ClampedArray): void {
  if (positions === 0) return;
  if (canvas.width !== positions || canvas.height !== positions) {
    canvas.width = positions;
    canvas.height = positions;
  }
  const image = new ImageData(positions, positions);
  for (let cell = 0; cell < positions * positions; cell++) {
    if (allowed[cell] === 0) continue;
    const colour = tableIndex(pattern[cell] ?? 0) * 3;
    image.data[cell * 4] = colours[colour] ?? 0;
    image.data[cell * 4 + 1] = colours[colour + 1] ?? 0;
    image.data[cell * 4 + 2] = colours[colour + 2] ?? 0;
    image.data[cell * 4 + 3] = 255;
  }
  canvas.getContext('2d')?.putImageData(image, 0, 0);
}

/** The same as shapes of one unit a cell: a path for each colour that occurs. */
export function patternShapes(pattern: Float32Array, allowed: Mask, positions: number, colours: Uint8ClampedArray): SVGGElement {
  const paths = Array.from({ length: tableSize }, () => '');
  for (let cell = 0; cell < positions * positions; cell++) {
    if (allowed[cell] === 0) continue;
    const index = tableIndex(pattern[cell] ?? 0);
    paths[index] += `M${cell % positions} ${Math.floor(cell / positions)}h1v1h-1z`;
  }
  return svgElement('g', { 'shape-rendering': 'crispEdges' }, ...paths.flatMap((d, index) => {
    if (d === '') return [];
    const [red, green, blue] = colours.slice(index * 3, index * 3 + 3);
    return [svgElement('path', { d, fill: `rgb(${red} ${green} ${blue})` })];
  }));
}
