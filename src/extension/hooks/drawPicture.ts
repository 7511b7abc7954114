import { attentionScale, divergingScale } from '../../common/colour';
import { pngAddress, type Colour } from '../../common/png';
import type { Picture } from '../../protocol/tensors';

/** A PNG, as VS Code shows it in a hover. */
export interface DrawnPicture {
  /** A `data:` address. */
  readonly address: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

/** The room that a hover has, in pixels. */
const widest = 400;
const highest = 130;
const largestCell = 16;
/** How high a few wide rows are at least. */
const ribbon = 64;
/** Pixels between heads. */
const gap = 6;
const frame = 1;
const transparent: Colour = [0, 0, 0, 0];
/** Stands on light and dark alike. */
const frameColour: Colour = [128, 128, 128, 160];

/**
 * Draws a picture with cells of whole pixels, square but where few rows are wide, heads side by side in frames. What is 0 is the page's own colour; a hover
 * would smooth a smaller picture that it makes larger.
 */
export function drawPicture({ rows, columns, values, empty, panels, scale }: Picture): DrawnPicture {
  const across = columns / panels;
  const borders = panels * 2 * frame + (panels - 1) * gap;
  const cell = Math.max(1, Math.min(largestCell, Math.floor((widest - borders) / columns), Math.floor((highest - 2 * frame) / rows)));
  // What would be a thread is a ribbon.
  const cellHeight = across > 2 * rows ? Math.max(cell, Math.min(largestCell, Math.floor(ribbon / rows))) : cell;
  const panelWidth = across * cell + 2 * frame;
  const width = panels * panelWidth + (panels - 1) * gap;
  const height = rows * cellHeight + 2 * frame;
  const colours = scale === 'attention' ? attentionScale : divergingScale(values);
  const address = pngAddress(height, width, (y, x) => {
    const panel = Math.floor(x / (panelWidth + gap));
    const within = x - panel * (panelWidth + gap);
    if (within >= panelWidth) return transparent;
    if (within < frame || within >= panelWidth - frame || y < frame || y >= height - frame) return frameColour;
    const at = Math.floor((y - frame) / cellHeight) * columns + panel * across + Math.floor((within - frame) / cell);
    return empty?.[at] === 1 ? transparent : colours.colour(values[at] ?? 0);
  });
  return { address, width, height };
}
