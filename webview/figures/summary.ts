import type { AttentionFigure, BarsFigure, GraphFigure, HeatmapFigure, Histogram2dFigure, LinesFigure, NetworkFigure, NetworkNode, TableFigure } from '../../src/protocol/figure';
import { placeName } from '../../src/protocol/network/words';
import { count, extremes, formatNumber, formatPrecise, formatWeight } from '../numbers';
import { binLabel, labelAt, positionText } from './tabulate';
import { headTitle, type HeadName } from '../subjects';

/** A figure in a sentence or two: how large it is, and where its smallest and largest values are. */
export function summariseHeatmap({ rows, columns, values, precise, present, x, y, unit }: HeatmapFigure): string {
  const found = extremes(precise ?? values, index => present?.[index] === 0);
  if (!found) return 'There are no values.';
  const where = (index: number) => `(${labelAt(y, Math.floor(index / columns))}, ${labelAt(x, index % columns)})`;
  const missing = present?.reduce((count, there) => count + Number(there === 0), 0) ?? 0;
  const note = missing > 0 ? ` ${count(missing, 'cell')} without a value, in grey.` : '';
  return `${rows} × ${columns}. ${range(found, unit, where, precise && formatPrecise)}${note}`;
}

export function summariseBars({ x, series }: BarsFigure): string {
  const all = series.flatMap(({ values }) => [...values]);
  const found = extremes(all);
  if (!found) return 'There are no values.';
  const where = (index: number) => {
    const label = x.labels[index % x.labels.length] ?? '';
    return series.length === 1 ? label : `${label}, ${series[Math.floor(index / x.labels.length)]?.name ?? ''}`;
  };
  return range(found, '', index => `“${where(index)}”`);
}

export function summariseLines({ x, series }: LinesFigure): string {
  const drawn = series.filter(line => line.x.length > 0);
  if (drawn.length === 0) return 'There are no points yet.';
  const most = 4;
  const sentences = drawn.slice(0, most).map(line => {
    if (line.best !== undefined) return `${line.name}: best ${formatNumber(line.y[line.best] ?? 0)} at ${x.title} ${positionText(x, line.x[line.best] ?? 0)}.`;
    const found = extremes(line.y);
    const last = line.y.length - 1;
    const lowest = found ? ` Smallest ${formatNumber(found.smallest.value)} at ${formatNumber(line.x[found.smallest.index] ?? 0)}.` : '';
    return `${line.name}: ${formatNumber(line.y[0] ?? 0)} to ${formatNumber(line.y[last] ?? 0)} at ${x.title} ${formatNumber(line.x[last] ?? 0)}.${lowest}`;
  });
  const others = drawn.length - most;
  return [...sentences, ...(others > 0 ? [`And ${others} more.`] : [])].join(' ');
}

export function summariseHistogram2d({ counts, xEdges, yEdges }: Histogram2dFigure): string {
  const found = extremes(counts);
  if (!found) return 'There are no bins.';
  const bins = xEdges.length - 1;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const { value, index } = found.largest;
  return `${formatNumber(total)} in all. Most, ${formatNumber(value)}, at ${binLabel(xEdges, index % bins)}, ${binLabel(yEdges, Math.floor(index / bins))}.`;
}

export function summariseTable({ rows, columns }: TableFigure): string {
  return `${count(rows.length, 'row')}, ${count(columns.length, 'column')}.`;
}

export function summariseGraph({ nodes, edges }: GraphFigure): string {
  const name = (id: string) => nodes.find(node => node.id === id)?.label ?? id;
  const found = extremes(edges.map(({ weight }) => Math.abs(weight)));
  const heaviest = found && edges[found.largest.index];
  const size = `${count(nodes.length, 'node')}, ${count(edges.length, 'edge')}.`;
  if (!heaviest) return size;
  const note = edges.some(({ weight }) => weight < 0) ? ' Dashed edges are negative.' : '';
  return `${size} Heaviest: ${name(heaviest.from)} → ${name(heaviest.to)}, ${formatNumber(heaviest.weight)}.${note}`;
}

export function summariseNetwork(figure: NetworkFigure): string {
  const { nodes, links, arrows } = figure;
  const labelled = (mark: NetworkNode['mark']) => nodes.find(node => node.mark === mark)?.label;
  const [start, end] = [labelled('start'), labelled('end')];
  const marked = links.filter(link => link.marked === true).length;
  const found = extremes(arrows.map(({ weight }) => weight));
  const heaviest = found && arrows[found.largest.index];
  return [
    `${count(nodes.length, 'node')}, ${count(links.length, 'line')}.`,
    ...(start === undefined || end === undefined ? [] : [`From ${start} to ${end}${marked === 0 ? '' : `, a path of ${count(marked, 'line')}`}.`]),
    ...(heaviest ? [`${count(arrows.length, 'arrow')}; heaviest: ${placeName(figure, heaviest.from)} → ${placeName(figure, heaviest.to)}, ${formatWeight(heaviest.weight)}.`] : []),
  ].join(' ');
}

export function summariseAttention({ tokens, heads, allowed }: AttentionFigure, picked: HeadName | undefined): string {
  const size = `${count(heads.length, 'head')} over ${count(tokens.length, 'position')}.`;
  const shown = heads.find(({ layer, head }) => layer === picked?.layer && head === picked.head);
  // A row with one place to look at gives it everything, whatever the head does.
  const choices = tokens.map((_, row) => tokens.reduce((count, _token, column) => count + Number(allowed[row * tokens.length + column] !== 0), 0));
  const found = shown && extremes(shown.pattern, cell => allowed[cell] === 0 || (choices[Math.floor(cell / tokens.length)] ?? 0) < 2);
  if (!shown || !found) return size;
  const place = (position: number) => `“${tokens[position] ?? ''}” (${position})`;
  const { value, index } = found.largest;
  const [destination, source] = [Math.floor(index / tokens.length), index % tokens.length];
  return `${size} ${headTitle(shown)} is strongest from ${place(destination)} to ${place(source)}, ${formatWeight(value)}.`;
}

function range({ smallest, largest }: NonNullable<ReturnType<typeof extremes>>, unit: string, where: (index: number) => string, format = formatNumber): string {
  const place = ({ value, index }: typeof smallest) => `${format(value)}${unit ? ` ${unit}` : ''} at ${where(index)}`;
  return `Smallest ${place(smallest)}; largest ${place(largest)}.`;
}
