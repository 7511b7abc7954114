import { formatNumber } from '../../common/numbers';
import type { AnalysisResult } from '../../protocol/analysis';
import type { Figure, LinesFigure } from '../../protocol/figure';
import { readableTableOf } from './figureTable';
import { figureTable, scalarsText } from './results';

/** What is written of a result for a language model, which reads it all. */
const mostFigures = 12;
const mostRows = 30;
const mostColumns = 16;
const mostPoints = 60;
const mostSeries = 15;

/** What an analysis gave, of its figures so much as can be read; what was cut is said. */
export function resultExcerpt({ scalars, figures, finding }: AnalysisResult): string {
  const left = figures.slice(mostFigures).map(({ title }) => `"${title}"`);
  return [
    ...(finding === undefined ? [] : [`Found: ${finding}`]),
    ...(Object.keys(scalars).length === 0 ? [] : [scalarsText(scalars)]),
    ...figures.slice(0, mostFigures).map(figureExcerpt),
    ...(left.length === 0 ? [] : [`Cut: ${formatNumber(left.length)} more figures, ${left.slice(0, mostFigures).join(', ')}${left.length > mostFigures ? ', …' : ''}.`]),
  ].join('\n\n');
}

function figureExcerpt(figure: Figure): string {
  const { figure: shown, cuts: points } = figure.kind === 'lines' ? thinned(figure) : { figure, cuts: [] };
  const { columns, rows } = readableTableOf(shown);
  const rowsShown = figure.kind === 'lines' ? rows : rows.slice(0, mostRows);
  const cuts = [
    ...points,
    ...(rowsShown.length < rows.length ? [`the first ${mostRows} of ${formatNumber(rows.length)} rows`] : []),
    ...(columns.length > mostColumns ? [`the first ${mostColumns} of ${formatNumber(columns.length)} columns`] : []),
  ];
  return [
    figure.title,
    ...(figure.caption === undefined ? [] : [figure.caption]),
    figureTable(columns.slice(0, mostColumns), rowsShown.map(row => row.slice(0, mostColumns))),
    ...(cuts.length === 0 ? [] : [`Cut: shown are ${cuts.join(', and ')}.`]),
  ].join('\n');
}

/** Points of each line that are as far from each other as can be, with its ends. */
function thinned(figure: LinesFigure): { readonly figure: LinesFigure; readonly cuts: readonly string[] } {
  const shown = figure.series.slice(0, mostSeries);
  const most = Math.max(4, Math.floor(mostPoints / shown.length));
  const series = shown.map(({ name, x, y }) => {
    const places = spread(x.length, most);
    return { name, x: Float64Array.from(places, place => x[place] ?? 0), y: Float64Array.from(places, place => y[place] ?? 0) };
  });
  const cuts = [
    ...(shown.length < figure.series.length ? [`the first ${mostSeries} of ${formatNumber(figure.series.length)} lines`] : []),
    ...(shown.some(({ x }) => x.length > most) ? [`at most ${most} points of each line, of up to ${formatNumber(Math.max(...shown.map(({ x }) => x.length)))}`] : []),
  ];
  return { figure: { ...figure, series }, cuts };
}

function spread(length: number, most: number): number[] {
  if (length <= most) return Array.from({ length }, (_, i) => i);
  return Array.from({ length: most }, (_, i) => Math.round(i * (length - 1) / (most - 1)));
}
