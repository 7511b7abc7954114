import { attentionScale } from '../../common/colour';
import { headName } from '../../model/names';
import type { AttentionFigure, AttentionHead } from '../../protocol/figure';
import { drawLabelsBelow, drawLabelsBeside, mustTurn, widestLabel } from './labels';
import { markup, type Markup } from './markup';
import { drawColourBar, drawMatrix, short } from './matrix';

// T positions

/** Pixels of a head's pattern: larger where there are few of them. */
const sides = { few: 400, many: 232 } as const;

/** The pattern of every head, destinations downwards and sources to the right, all on one scale from 0 to 1. */
export function drawAttention(figure: AttentionFigure): Markup {
  const size = figure.heads.length <= 4 ? 'few' : 'many';
  const layers = [...new Set(figure.heads.map(head => head.layer))].sort((a, b) => a - b);
  const rows = size === 'few' ? [figure.heads] : layers.map(layer => figure.heads.filter(head => head.layer === layer));
  return markup`
    ${rows.map(heads => markup`<div class="heads">${heads.map(head => drawHead(figure, head, size))}</div>`)}
    <div class="legend">${drawKey()}<span>destinations (queries) go down, sources (keys) to the right; grey is masked</span></div>`;
}

function drawHead(figure: AttentionFigure, { layer, head, pattern }: AttentionHead, size: keyof typeof sides): Markup {
  const side = sides[size];
  const T = figure.tokens.length;
  const tokens = { axis: { title: '', labels: figure.tokens }, count: T, length: side };
  const left = 12 + Math.ceil(widestLabel(tokens));
  const bottom = mustTurn(tokens) ? 14 + Math.ceil(widestLabel(tokens)) : 24;
  const [width, height] = [left + side + 2, side + bottom + 2];
  const name = headName(layer, head);
  const matrix = {
    rows: T,
    columns: T,
    value: (row: number, column: number) => (figure.allowed[row * T + column] === 0 ? undefined : pattern[row * T + column]),
  };
  return markup`<figure class="head ${size}"><figcaption>${name}</figcaption>
    <svg viewBox="0 0 ${width} ${height}" style="max-width:${width}px" role="img" aria-label="${figure.title}: ${name}">
      ${drawMatrix(matrix, attentionScale, { left, top: 1, width: side, height: side })}
      <g transform="translate(${left} 1)">${drawLabelsBeside(tokens)}</g>
      <g transform="translate(${left} ${short(side + 1)})">${drawLabelsBelow(tokens)}</g>
    </svg></figure>`;
}

function drawKey(): Markup {
  return markup`<svg class="key" viewBox="0 0 44 76" width="44" height="76" aria-hidden="true">${drawColourBar(attentionScale, { left: 2, top: 8, width: 12, height: 60 }, '')}</svg>`;
}
