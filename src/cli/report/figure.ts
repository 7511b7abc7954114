import type { Figure } from '../../protocol/figure';
import { formatNumber } from '../numbers';
import { drawAttention } from './attention';
import { drawBars } from './bars';
import { drawGraph } from './graph';
import { drawHeatmap } from './heatmap';
import { drawHistogram2d } from './histogram';
import { drawLines } from './lines';
import { markup, type Markup } from './markup';
import { csvOf, readableTableOf, tableOf, type FigureTable } from './values';

/** A table of more cells than this is a download only. */
const mostCells = 2000;

/** A figure with its title, its picture, and its numbers as a table and a download. */
export function drawFigure(figure: Figure): Markup {
  return markup`<figure class="figure">
    <figcaption><h3>${figure.title}</h3>${figure.caption === undefined ? undefined : markup`<p>${figure.caption}</p>`}</figcaption>
    <div class="picture">${drawPicture(figure)}</div>
    ${figure.kind === 'table' ? undefined : drawValues(figure)}
  </figure>`;
}

function drawPicture(figure: Figure): Markup {
  switch (figure.kind) {
    case 'heatmap': return drawHeatmap(figure);
    case 'attention': return drawAttention(figure);
    case 'lines': return drawLines(figure);
    case 'bars': return drawBars(figure);
    case 'histogram2d': return drawHistogram2d(figure);
    case 'graph': return drawGraph(figure);
    case 'table': return drawTable(tableOf(figure), figure.title);
    default: return figure satisfies never;
  }
}

function drawValues(figure: Figure): Markup {
  const table = readableTableOf(figure);
  const cells = table.columns.length * table.rows.length;
  const csv = `data:text/csv;charset=utf-8,${encodeURIComponent(csvOf(tableOf(figure)))}`;
  const name = `${figure.title.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '').toLowerCase()}.csv`;
  return markup`<details class="values"><summary>Values</summary>
    ${cells <= mostCells ? drawTable(table, figure.title) : markup`<p>${formatNumber(cells)} values are too many for a table here.</p>`}
    <a href="${csv}" download="${name}">Download as CSV</a></details>`;
}

export function drawTable({ columns, rows }: FigureTable, title: string): Markup {
  return markup`<div class="scroll" role="group" aria-label="${title}" tabindex="0"><table>
    <thead><tr>${columns.map((column, i) => markup`<th scope="col" class="${isNumeric(rows, i) ? 'number' : 'word'}">${column}</th>`)}</tr></thead>
    <tbody>${rows.map(row => markup`<tr>${row.map(cell => (typeof cell === 'number' ? markup`<td class="number">${formatNumber(cell)}</td>` : markup`<td>${cell}</td>`))}</tr>`)}</tbody>
  </table></div>`;
}

function isNumeric(rows: FigureTable['rows'], column: number): boolean {
  return rows.length > 0 && rows.every(row => typeof row[column] === 'number' || row[column] === '');
}
