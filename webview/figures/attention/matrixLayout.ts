import { svgElement } from '../../elements';
import { niceStep } from '../../plotly/ticks';
import type { Theme } from '../../theme';
import { textWidth } from '../text';

/** Where the parts of a large pattern are, in pixels from its top left corner. */
export interface MatrixLayout {
  readonly cell: number;
  /** Corner of the first cell. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Every how many positions there is room for a label. */
  readonly labelStep: number;
  readonly upright: boolean;
}

const [leastCell, largestCell, largestMatrix] = [3, 56, 560];
const titleHeight = 18;
const longestLabel = 12;

/** Fits a pattern over `tokens` into `available` pixels; very long ones overflow, and scroll. */
export function layOutMatrix(tokens: readonly string[], available: number, theme: Theme): MatrixLayout {
  const font = `${theme.fontSize - 1}px ${theme.font}`;
  const longest = Math.ceil(tokens.reduce((most, token) => Math.max(most, textWidth(tokenLabel(token), font)), 0));
  const left = titleHeight + longest + 8;
  const count = Math.max(1, tokens.length);
  const cell = Math.max(leastCell, Math.min(largestCell, Math.floor(Math.min(available - left - 2, largestMatrix) / count)));
  const labelStep = niceStep((theme.fontSize + 2) / cell);
  // Labels stand upright where they are wider than what they label.
  const upright = longest > cell * labelStep - 4;
  const top = titleHeight + (upright ? longest : theme.fontSize) + 8;
  return { cell, left, top, width: left + cell * count + 2, height: top + cell * count + 2, labelStep, upright };
}

/** The tokens along both axes, and what the axes are. */
export function matrixLabels(tokens: readonly string[], layout: MatrixLayout, theme: Theme): SVGGElement {
  const { cell, left, top, labelStep, upright } = layout;
  const group = svgElement('g', { 'font-size': theme.fontSize - 1, fill: theme.foreground });
  tokens.forEach((token, position) => {
    if (position % labelStep !== 0) return;
    const label = tokenLabel(token);
    const middle = (position + 0.5) * cell;
    group.append(
      svgElement('text', { x: left - 6, y: top + middle, 'text-anchor': 'end', 'dominant-baseline': 'central' }, label),
      upright
        ? svgElement('text', { transform: `translate(${left + middle} ${top - 6}) rotate(-90)`, 'dominant-baseline': 'central' }, label)
        : svgElement('text', { x: left + middle, y: top - 7, 'text-anchor': 'middle' }, label),
    );
  });
  const half = (tokens.length * cell) / 2;
  group.append(
    svgElement('text', { x: left + half, y: 11, 'text-anchor': 'middle', fill: theme.muted }, 'source →'),
    svgElement('text', { transform: `translate(11 ${top + half}) rotate(-90)`, 'text-anchor': 'middle', fill: theme.muted }, '← destination'),
  );
  return group;
}

/** A token short enough for an axis; spaces are made visible. */
export function tokenLabel(token: string): string {
  const characters = [...token.replaceAll(' ', '␣').replaceAll('\n', '↵')];
  return characters.length <= longestLabel ? characters.join('') : `${characters.slice(0, longestLabel - 1).join('')}…`;
}
