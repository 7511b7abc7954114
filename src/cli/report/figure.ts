import { formatNumber } from '../../common/numbers';
import { bytesOf } from '../../engine/frames';
import { csvOf, isNumericColumn, readableTableOf, tableOf, type FigureTable } from '../../engine/words/figureTable';
import type { Figure } from '../../protocol/figure';
import { drawAttention } from './attention';
import { drawBars } from './bars';
import { drawGraph } from './graph';
import { drawHeatmap, heatmapWidth } from './heatmap';
import { drawHistogram2d } from './histogram';
import { drawLines } from './lines';
import { markup, type Markup } from './markup';
import { drawNetwork } from './network';
import type { PieceKind, Pieces } from './pieces';

/** A table of more cells than this is a download only. */
const mostCells = 2000;
/** Bytes of numbers: above the first they are too many to write out, above the second even to draw. */
const mostWritten = 1 << 20;
const mostDrawn = 64 << 20;

/** A figure with its title, its picture, and its numbers as a table and a download, as far as the page has room. */
export function drawFigure(figure: Figure, pieces: Pieces): Markup {
  const bytes = bytesOf(figure);
  return markup`<figure class="figure${isNarrow(figure) ? ' narrow' : ''}">
    <figcaption><h4>${figure.title}</h4>${figure.caption === undefined ? undefined : markup`<p>${figure.caption}</p>`}</figcaption>
    <div class="picture">${bytes > mostDrawn ? leftOut('picture') : pieces.place('picture', drawPicture(figure), leftOut('picture'))}</div>
    ${figure.kind === 'table' ? undefined : bytes > mostWritten ? leftOut('values') : drawValues(figure, pieces)}
  </figure>`;
}

/** Whether it can stand beside another. */
function isNarrow(figure: Figure): boolean {
  return figure.kind === 'network' || (figure.kind === 'heatmap' && heatmapWidth(figure) <= narrowest);
}

const narrowest = 330;

const whatIsLeftOut = { picture: 'This picture is', values: 'These values are', download: 'The values to download are' } satisfies Record<PieceKind, string>;

/** What stands in the place of a part of a figure that would make the page too large. */
function leftOut(kind: PieceKind): Markup {
  return markup`<p class="left-out">${whatIsLeftOut[kind]} left out, because the page would be too large; <code>circuits analyze --json</code> has every number.</p>`;
}

function drawPicture(figure: Figure): Markup {
  switch (figure.kind) {
    case 'heatmap': return drawHeatmap(figure);
    case 'attention': return drawAttention(figure);
    case 'lines': return drawLines(figure);
    case 'bars': return drawBars(figure);
    case 'histogram2d': return drawHistogram2d(figure);
    case 'graph': return drawGraph(figure);
    case 'network': return drawNetwork(figure);
    case 'table': return drawTable(tableOf(figure), figure.title);
    default: return figure satisfies never;
  }
}

function drawValues(figure: Figure, pieces: Pieces): Markup {
  const table = readableTableOf(figure);
  const cells = table.columns.length * table.rows.length;
  const name = `${figure.title.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '').toLowerCase()}.csv`;
  const download = markup`<a href="data:text/csv;charset=utf-8,${addressText(csvOf(tableOf(figure)))}" download="${name}">Download as CSV</a>`;
  return markup`<details class="values"><summary>Values</summary>
    ${cells <= mostCells
      ? pieces.place('values', drawTable(table, figure.title), leftOut('values'))
      : markup`<p>${formatNumber(cells)} values are too many for a table here.</p>`}
    ${pieces.place('download', download, leftOut('download'))}</details>`;
}

/** Text for a data address, which need not escape the commas between numbers. */
function addressText(text: string): string {
  return encodeURI(text).replaceAll('#', '%23');
}

export function drawTable({ columns, rows }: FigureTable, title: string): Markup {
  return markup`<div class="scroll" role="group" aria-label="${title}" tabindex="0"><table>
    <thead><tr>${columns.map((column, i) => markup`<th scope="col" class="${isNumericColumn(rows, i) ? 'number' : 'word'}">${column}</th>`)}</tr></thead>
    <tbody>${rows.map(row => markup`<tr>${row.map(cell => (typeof cell === 'number' ? markup`<td class="number">${formatNumber(cell)}</td>` : markup`<td>${cell}</td>`))}</tr>`)}</tbody>
  </table></div>`;
}
