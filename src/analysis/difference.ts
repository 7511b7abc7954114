import type {
  AttentionFigure, BarsFigure, Figure, GraphFigure, HeatmapFigure, Histogram2dFigure, LinesFigure, NetworkFigure, Series, TableFigure,
} from '../protocol/figure';
import { placeName } from '../protocol/network/words';
import { onCommonScale } from './commonScale';

/** What the two are called that a figure was made of. */
export type Names = readonly [string, string];

/**
 * What there is to draw of the difference of two figures that show the same of two models, `one` less `other`: lines over
 * each other, tables with both columns and their difference, everything else subtracted. None where the two do not range
 * over the same things, so that a difference would mean nothing.
 */
export function difference(one: Figure, other: Figure, names: Names): readonly Figure[] {
  switch (one.kind) {
    case 'heatmap': return other.kind === 'heatmap' ? ofHeatmaps(one, other, names) : [];
    case 'attention': return other.kind === 'attention' ? ofAttention(one, other, names) : [];
    case 'lines': return other.kind === 'lines' ? [bothLines(one, other, names)] : [];
    case 'bars': return other.kind === 'bars' ? ofBars(one, other, names) : [];
    case 'histogram2d': return other.kind === 'histogram2d' ? ofHistograms(one, other, names) : [];
    case 'table': return other.kind === 'table' ? ofTables(one, other, names) : [];
    case 'graph': return other.kind === 'graph' ? ofGraphs(one, other, names) : [];
    case 'network': return other.kind === 'network' ? ofNetworks(one, other, names) : [];
    default: return one satisfies never;
  }
}

function ofHeatmaps(one: HeatmapFigure, other: HeatmapFigure, names: Names): readonly HeatmapFigure[] {
  const { title, x, y, rows, columns, unit, subject } = one;
  if (rows !== other.rows || columns !== other.columns || unit !== other.unit) return [];
  if (!sameTexts(x.labels, other.x.labels) || !sameTexts(y.labels, other.y.labels)) return [];
  const both = one.present || other.present ? one.values.map((_, cell) => Number(one.present?.[cell] !== 0 && other.present?.[cell] !== 0)) : undefined;
  return [diverging({ title, x, y, rows, columns, unit, ...(subject && { subject }) }, names, one.values, other.values, both)];
}

type Cells = Pick<HeatmapFigure, 'title' | 'x' | 'y' | 'rows' | 'columns' | 'unit' | 'subject'>;

/** `one` less `other`, `[rows, columns]`, where both are; what a float32 cannot hold is none. */
function diverging(cells: Cells, names: Names, one: Float32Array, other: Float32Array, both?: ArrayLike<number>): HeatmapFigure {
  const values = one.map((value, cell) => value - (other[cell] ?? 0));
  const present = Uint8Array.from(values, (value, cell) => Number(both?.[cell] !== 0 && Number.isFinite(value)));
  return {
    ...cells, kind: 'heatmap', title: differenceTitle(cells.title), caption: lessCaption(names), scale: 'diverging',
    values: values.map((value, cell) => (present[cell] === 1 ? value : 0)),
    ...(present.includes(0) && { present }),
  };
}

/** A heatmap for each head that both have: rows of a difference sum to 0, which is no attention. */
function ofAttention(one: AttentionFigure, other: AttentionFigure, names: Names): readonly HeatmapFigure[] {
  const { tokens, allowed } = one;
  const T = tokens.length;
  // Words of a prompt, or positions of a task: other ones are looked at for other reasons.
  if (!sameTexts(tokens, other.tokens)) return [];
  const axis = { labels: tokens, subjects: tokens.map((_, position) => ({ position })) };
  const both = allowed.map((can, cell) => Number(can === 1 && other.allowed[cell] === 1));
  return onCommonScale(one.heads.flatMap(({ layer, head, pattern }) => {
    const same = other.heads.find(each => each.layer === layer && each.head === head);
    if (!same) return [];
    const x = { title: 'source', labels: tokens };
    const cells: Cells = { title: `L${layer}H${head}: ${one.title}`, x, y: { title: 'destination', ...axis }, rows: T, columns: T, unit: '', subject: { layer, head } };
    return [diverging(cells, names, pattern, same.pattern, both)];
  }));
}

/** Both in one chart: where the steps of two curves differ there is nothing to subtract, and the eye does it better. */
function bothLines(one: LinesFigure, other: LinesFigure, [ofOne, ofOther]: Names): LinesFigure {
  const named = (series: readonly Series[], name: string) => series.map(each => ({ ...each, name: `${each.name} (${name})` }));
  // A series and its counterpart stand beside each other in the legend.
  const others = named(other.series, ofOther);
  const paired = new Set<number>();
  const series = named(one.series, ofOne).flatMap((line, at) => {
    const counterpart = other.series.findIndex(({ name }, index) => name === one.series[at]?.name && !paired.has(index));
    if (counterpart >= 0) paired.add(counterpart);
    const beside = others[counterpart];
    return beside ? [line, beside] : [line];
  });
  const { kind, title, x, y, subject } = one;
  return {
    kind, title: `${title}: both`, caption: `${ofOne} and ${ofOther} in one chart.`, x, y, ...(subject && { subject }),
    series: [...series, ...others.filter((_, index) => !paired.has(index))],
  };
}

/** For the labels and the series that both have. */
function ofBars(one: BarsFigure, other: BarsFigure, names: Names): readonly BarsFigure[] {
  const { title, x, y, subject } = one;
  const kept = x.labels.flatMap((label, at) => {
    // Of labels that occur more than once, the same occurrence.
    const occurrence = x.labels.slice(0, at).filter(each => each === label).length;
    const there = other.x.labels.flatMap((each, index) => (each === label ? [index] : []))[occurrence];
    return there === undefined ? [] : [{ label, at, there }];
  });
  const series = one.series.flatMap(({ name, values }) => {
    const same = other.series.find(each => each.name === name);
    return same ? [{ name, values: Float64Array.from(kept, ({ at, there }) => (values[at] ?? 0) - (same.values[there] ?? 0)) }] : [];
  });
  if (kept.length === 0 || series.length === 0) return [];
  const subjects = x.subjects && kept.map(({ at }) => x.subjects?.[at] ?? {});
  return [{
    kind: 'bars', title: differenceTitle(title), caption: lessCaption(names), ...(subject && { subject }), series,
    x: { title: x.title, labels: kept.map(({ label }) => label), ...(subjects && { subjects }) },
    // A difference may be negative, which has no logarithm.
    y: { title: y.title },
  }];
}

/** Counts in the same bins. */
function ofHistograms(one: Histogram2dFigure, other: Histogram2dFigure, names: Names): readonly HeatmapFigure[] {
  const { title, x, y, xEdges, yEdges, counts, subject } = one;
  const same = (a: Float64Array, b: Float64Array) => a.length === b.length && a.every((edge, at) => edge === b[at]);
  if (!same(xEdges, other.xEdges) || !same(yEdges, other.yEdges)) return [];
  const [columns, rows] = [xEdges.length - 1, yEdges.length - 1];
  const bins = (edges: Float64Array) => Array.from(edges.subarray(1), (upper, at) => `${brief(edges[at] ?? 0)} to ${brief(upper)}`);
  // A histogram's first row is at the bottom, a heatmap's at the top.
  const upsideDown = (values: Float32Array) => values.map((_, cell) => values[(rows - 1 - Math.floor(cell / columns)) * columns + (cell % columns)] ?? 0);
  const cells: Cells = {
    title, rows, columns, unit: 'counts', ...(subject && { subject }),
    x: { title: x.title, labels: bins(xEdges) }, y: { title: y.title, labels: bins(yEdges).reverse() },
  };
  return [diverging(cells, names, upsideDown(counts), upsideDown(other.counts))];
}

/** Rows with the same first cell, a column of numbers as three: of one, of the other, and the difference. */
function ofTables(one: TableFigure, other: TableFigure, names: Names): readonly TableFigure[] {
  const { title, columns, rows, subject } = one;
  if (!sameTexts(columns.map(column => column.title), other.columns.map(column => column.title))) return [];
  if (!columns.slice(1).some(({ numeric }) => numeric)) return [];
  const taken = new Set<number>();
  const matched = rows.flatMap((row, at) => {
    const there = other.rows.findIndex((each, index) => each[0] === row[0] && !taken.has(index));
    const same = other.rows[there];
    if (!same) return [];
    taken.add(there);
    return [{ at, cells: row.flatMap((cell, column) => besideEachOther(cell, same[column] ?? '', column === 0 || columns[column]?.numeric !== true)) }];
  });
  if (matched.length === 0) return [];
  const alone = [rows.length - matched.length, other.rows.length - matched.length];
  const missing = alone[0] === 0 && alone[1] === 0 ? '' : ` Left out are ${alone[0]} and ${alone[1]} rows that only one of them has.`;
  return [{
    kind: 'table', title: differenceTitle(title), caption: `${names[0]}, ${names[1]}, and the first less the second.${missing}`, ...(subject && { subject }),
    columns: columns.flatMap((column, at) => at === 0 || !column.numeric
      ? [column]
      : [`${column.title} (${names[0]})`, `${column.title} (${names[1]})`, `${column.title}: difference`].map(each => ({ title: each, numeric: true }))),
    rows: matched.map(({ cells }) => cells),
    ...(one.subjects && { subjects: matched.map(({ at }) => one.subjects?.[at] ?? {}) }),
  }];
}

function besideEachOther(one: string | number, other: string | number, isText: boolean): readonly (string | number)[] {
  if (isText) return one === other ? [one] : [`${one} / ${other}`];
  return [one, other, typeof one === 'number' && typeof other === 'number' ? one - other : ''];
}

/** The edges that both have, by how far their weights differ. */
function ofGraphs(one: GraphFigure, other: GraphFigure, names: Names): readonly GraphFigure[] {
  const key = ({ from, to, label }: GraphFigure['edges'][number]) => JSON.stringify([from, to, label ?? '']);
  const weights = new Map(other.edges.map(edge => [key(edge), edge.weight]));
  const edges = one.edges.flatMap(edge => {
    const there = weights.get(key(edge));
    return there === undefined ? [] : [{ ...edge, weight: edge.weight - there }];
  });
  if (edges.length === 0) return [];
  const alone = one.edges.length + other.edges.length - 2 * edges.length;
  const { title, nodes, subject } = one;
  const missing = alone === 0 ? '' : ` ${alone} ${alone === 1 ? 'edge that only one of them has is' : 'edges that only one of them has are'} left out.`;
  return [{ kind: 'graph', title: differenceTitle(title), caption: `${lessCaption(names)}${missing}`, ...(subject && { subject }), nodes, edges }];
}

/** The arrows that both have over the same graph: a difference may be negative, which no arrow is, so that it is a table. */
function ofNetworks(one: NetworkFigure, other: NetworkFigure, names: Names): readonly TableFigure[] {
  const places = ({ nodes, links }: NetworkFigure) => [...nodes.map(({ label }) => label), ...links.map((_, link) => placeName({ nodes, links }, { link }))];
  if (!sameTexts(places(one), places(other))) return [];
  const arrows = (figure: NetworkFigure): TableFigure => ({
    kind: 'table', title: figure.title, ...(figure.subject && { subject: figure.subject }),
    columns: [{ title: 'Arrow', numeric: false }, { title: 'Weight', numeric: true }],
    rows: figure.arrows.map(({ from, to, weight }) => [`${placeName(figure, from)} → ${placeName(figure, to)}`, weight]),
  });
  return ofTables(arrows(one), arrows(other), names);
}

function differenceTitle(title: string): string {
  return `${title}: difference`;
}

function lessCaption([one, other]: Names): string {
  return `${one} less ${other}.`;
}

function brief(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function sameTexts(one: readonly string[] | undefined, other: readonly string[] | undefined): boolean {
  return one === other || (one?.length === other?.length && one?.every((text, at) => text === other?.[at]) === true);
}
