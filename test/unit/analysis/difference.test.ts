import { describe, expect, test } from 'vitest';
import { difference } from '../../../src/analysis/difference';
import { checkFigure, type AttentionFigure, type BarsFigure, type Figure, type GraphFigure, type HeatmapFigure, type Histogram2dFigure, type LinesFigure, type NetworkFigure, type TableFigure } from '../../../src/protocol/figure';

const names = ['step 100', 'newest weights'] as const;

/** The only figure of the difference, checked as every figure is. */
function only<K extends Figure['kind']>(kind: K, one: Figure, other: Figure): Extract<Figure, { kind: K }> {
  const drawn = difference(one, other, names);
  drawn.forEach(checkFigure);
  const [figure] = drawn;
  if (drawn.length !== 1 || figure?.kind !== kind) throw new Error(`${drawn.length} figures, the first ${figure?.kind}`);
  return figure as Extract<Figure, { kind: K }>;
}

const heatmap = (values: readonly number[], over: Partial<HeatmapFigure> = {}): HeatmapFigure => ({
  kind: 'heatmap', title: 'QK', x: { title: 'source', labels: ['a', 'b', 'c'] }, y: { title: 'destination', labels: ['p', 'q'], subjects: [{ position: 0 }, { position: 1 }] },
  rows: 2, columns: 3, values: Float32Array.from(values), scale: 'sequential', unit: 'nats', subject: { layer: 1, head: 0 }, scalar: 'copying', ...over,
});

describe('of heatmaps', () => {
  test('every cell less the other, on a scale centred at 0, with what the cells are about', () => {
    const [a, b] = [[1, 2, 3, 4, 5, 6], [6, 4, 2, 0.5, -1, 6]];
    const { title, values, scale, unit, subject, y, scalar, caption } = only('heatmap', heatmap(a), heatmap(b));
    expect([...values]).toEqual(a.map((value, cell) => value - (b[cell] ?? 0)));
    expect({ title, scale, unit, subject, subjects: y.subjects }).toEqual({
      title: 'QK: difference', scale: 'diverging', unit: 'nats', subject: { layer: 1, head: 0 }, subjects: [{ position: 0 }, { position: 1 }],
    });
    expect(caption).toBe('step 100 less newest weights.');
    // A claim cannot assert it.
    expect(scalar).toBeUndefined();
  });

  test('only where both have a value that a float32 can hold', () => {
    const one = heatmap([1, 2, 3, 4, 5, 3e38], { present: Uint8Array.of(1, 0, 1, 1, 1, 1) });
    const other = heatmap([1, 1, 1, 1, 1, -3e38], { present: Uint8Array.of(1, 1, 0, 1, 1, 1) });
    const { values, present } = only('heatmap', one, other);
    expect([[...values], [...(present ?? [])]]).toEqual([[0, 0, 0, 3, 4, 0], [1, 0, 0, 1, 1, 0]]);
  });

  test.each<[string, Partial<HeatmapFigure>]>([
    ['other columns', { x: { title: 'source', labels: ['a', 'b', 'd'] } }],
    ['rows without labels', { y: { title: 'destination' } }],
    ['another shape', { rows: 3, columns: 2 }],
    ['another unit', { unit: 'bits' }],
  ])('none with %s', (_, over) => {
    expect(difference(heatmap([1, 2, 3, 4, 5, 6]), heatmap([1, 2, 3, 4, 5, 6], over), names)).toEqual([]);
  });
});

describe('of attention', () => {
  const figure = (heads: AttentionFigure['heads'], tokens = ['a', '=']): AttentionFigure => ({ kind: 'attention', title: 'Attention', tokens, heads, allowed: Uint8Array.of(1, 0, 1, 1) });
  const head = (layer: number, index: number, ...pattern: number[]) => ({ layer, head: index, pattern: Float32Array.from(pattern) });

  test('a heatmap for each head that both have, in colours of one scale, without what is masked', () => {
    const drawn = difference(figure([head(0, 0, 1, 0, 0.75, 0.25), head(0, 1, 1, 0, 0.5, 0.5), head(1, 0, 1, 0, 1, 0)]), figure([head(0, 1, 1, 0, 0.375, 0.625), head(0, 0, 1, 0, 0.25, 0.75)]), names);
    drawn.forEach(checkFigure);
    expect(drawn.map(each => each.kind === 'heatmap' && [each.title, each.subject, [...each.values], [...(each.present ?? [])], each.reach])).toEqual([
      ['L0H0: Attention: difference', { layer: 0, head: 0 }, [0, 0, 0.5, -0.5], [1, 0, 1, 1], 0.5],
      ['L0H1: Attention: difference', { layer: 0, head: 1 }, [0, 0, 0.125, -0.125], [1, 0, 1, 1], 0.5],
    ]);
  });

  test('none between other prompts, or without a head in common', () => {
    const one = figure([head(0, 0, 1, 0, 0.75, 0.25)]);
    expect(difference(one, figure([head(0, 0, 1, 0, 0.75, 0.25)], ['b', '=']), names)).toEqual([]);
    expect(difference(one, figure([head(1, 0, 1, 0, 0.75, 0.25)]), names)).toEqual([]);
  });
});

test('of lines is both in one chart, each beside its counterpart', () => {
  const lines = (...series: [string, number[], number[]][]): LinesFigure => ({
    kind: 'lines', title: 'Loss', x: { title: 'step' }, y: { title: 'nats', logarithmic: true }, marks: [{ x: 3, label: 'checkpoint' }],
    series: series.map(([name, x, y]) => ({ name, x: Float64Array.from(x), y: Float64Array.from(y) })),
  });
  const both = only('lines', lines(['train', [0, 1], [2, 1]], ['test', [0, 1], [3, 2]]), lines(['test', [0, 2], [4, 1]], ['extra', [0], [9]]));
  expect(both.series.map(({ name, x, y }) => [name, [...x], [...y]])).toEqual([
    ['train (step 100)', [0, 1], [2, 1]],
    ['test (step 100)', [0, 1], [3, 2]],
    ['test (newest weights)', [0, 2], [4, 1]],
    ['extra (newest weights)', [0], [9]],
  ]);
  expect([both.title, both.y.logarithmic]).toEqual(['Loss: both', true]);
});

describe('of bars', () => {
  const bars = (labels: string[], series: Record<string, number[]>): BarsFigure => ({
    kind: 'bars', title: 'Norms', x: { title: 'frequency', labels, subjects: labels.map((_, position) => ({ position })) }, y: { title: 'norm', logarithmic: true },
    series: Object.entries(series).map(([name, values]) => ({ name, values: Float64Array.from(values) })),
  });

  test('by label and series, on an axis that takes negative numbers', () => {
    const { x, y, series } = only('bars', bars(['1', '2', '3', '2'], { cos: [1, 2, 3, 4], sin: [5, 6, 7, 8] }), bars(['2', '9', '1', '2'], { sin: [0.5, 0, 0.25, 1], other: [1, 1, 1, 1] }));
    expect([x.labels, x.subjects, y.logarithmic]).toEqual([['1', '2', '2'], [{ position: 0 }, { position: 1 }, { position: 3 }], undefined]);
    expect(series.map(({ name, values }) => [name, [...values]])).toEqual([['sin', [4.75, 5.5, 7]]]);
  });

  test('none with nothing in common', () => {
    expect(difference(bars(['1'], { cos: [1] }), bars(['2'], { cos: [1] }), names)).toEqual([]);
    expect(difference(bars(['1'], { cos: [1] }), bars(['1'], { sin: [1] }), names)).toEqual([]);
  });
});

test('of two-dimensional histograms is a heatmap with the same rows from bottom to top, where the bins are the same', () => {
  const histogram = (counts: number[], yEdges = [0, 1, 2]): Histogram2dFigure => ({
    kind: 'histogram2d', title: 'Neurons', x: { title: 'x' }, y: { title: 'y' }, xEdges: Float64Array.of(0, 0.5, 1, 4), yEdges: Float64Array.from(yEdges), counts: Float32Array.from(counts),
  });
  const { rows, columns, values, x, y } = only('heatmap', histogram([1, 2, 3, 4, 5, 6]), histogram([1, 1, 1, 7, 7, 0]));
  expect({ rows, columns, values: [...values], x: x.labels, y: y.labels }).toEqual({
    rows: 2, columns: 3, values: [-3, -2, 6, 0, 1, 2], x: ['0 to 0.5', '0.5 to 1', '1 to 4'], y: ['1 to 2', '0 to 1'],
  });
  expect(difference(histogram([1, 2, 3, 4, 5, 6]), histogram([1, 2, 3, 4, 5, 6], [0, 1, 3]), names)).toEqual([]);
});

describe('of tables', () => {
  const columns = [{ title: 'token', numeric: false }, { title: 'rank', numeric: true }, { title: 'copied', numeric: false }];
  const table = (...rows: (readonly (string | number)[])[]): TableFigure => ({ kind: 'table', title: 'Tokens', columns, rows, subjects: rows.map((_, position) => ({ position })) });

  test('rows with the same first cell, their numbers side by side and subtracted', () => {
    const { columns: shown, rows, subjects, caption } = only('table', table(['a', 3, 'yes'], ['b', 1, 'no'], ['c', 2, 'no']), table(['c', 5, 'no'], ['a', 1, 'no'], ['d', 0, 'yes']));
    expect(shown.map(({ title, numeric }) => [title, numeric])).toEqual([
      ['token', false], ['rank (step 100)', true], ['rank (newest weights)', true], ['rank: difference', true], ['copied', false],
    ]);
    expect(rows).toEqual([['a', 3, 1, 2, 'yes / no'], ['c', 2, 5, -3, 'no']]);
    expect(subjects).toEqual([{ position: 0 }, { position: 2 }]);
    expect(caption).toBe('step 100, newest weights, and the first less the second. Left out are 1 and 1 rows that only one of them has.');
  });

  test('a first cell that occurs twice means its first row first', () => {
    expect(only('table', table(['a', 3, ''], ['a', 5, '']), table(['a', 1, ''], ['a', 1, ''])).rows).toEqual([['a', 3, 1, 2, ''], ['a', 5, 1, 4, '']]);
  });

  test('none of other columns, of text alone, or of other rows', () => {
    expect(difference(table(['a', 3, 'yes']), { ...table(['a', 3, 'yes']), columns: [...columns.slice(0, 2), { title: 'else', numeric: false }] }, names)).toEqual([]);
    expect(difference(table(['a', 3, 'yes']), table(['b', 3, 'yes']), names)).toEqual([]);
    const text: TableFigure = { kind: 'table', title: 'Words', columns: [{ title: 'a', numeric: false }], rows: [['x']] };
    expect(difference(text, text, names)).toEqual([]);
  });
});

describe('of graphs', () => {
  const graph = (...edges: GraphFigure['edges']): GraphFigure => ({ kind: 'graph', title: 'Edges', nodes: ['a', 'b'].map((id, column) => ({ id, label: id, column, row: 0 })), edges });

  test('the edges that both have, told apart by their labels', () => {
    const { edges, caption } = only('graph',
      graph({ from: 'a', to: 'b', weight: 3, label: 'q' }, { from: 'a', to: 'b', weight: 5, label: 'k' }, { from: 'b', to: 'a', weight: 1 }),
      graph({ from: 'a', to: 'b', weight: 1, label: 'k' }, { from: 'a', to: 'b', weight: 7, label: 'q' }));
    expect(edges).toEqual([{ from: 'a', to: 'b', weight: -4, label: 'q' }, { from: 'a', to: 'b', weight: 4, label: 'k' }]);
    expect(caption).toBe('step 100 less newest weights. 1 edge that only one of them has is left out.');
  });

  test('none without an edge in common', () => {
    expect(difference(graph({ from: 'a', to: 'b', weight: 1 }), graph({ from: 'a', to: 'b', weight: 1, label: 'q' }), names)).toEqual([]);
  });
});

describe('of networks', () => {
  const network = (weights: readonly number[], second = 'b'): NetworkFigure => ({
    kind: 'network', title: 'Graph', nodes: ['a', second].map((id, x) => ({ id, label: id, x, y: 0 })), links: [{ from: 'a', to: second }],
    arrows: weights.map((weight, at) => ({ from: at === 0 ? { link: 0 } : { node: 'a' }, to: { node: second }, weight })),
  });

  test('the arrows that both have, as a table: a negative weight is no arrow', () => {
    const { rows, columns, caption } = only('table', network([0.75, 0.5]), network([0.5]));
    expect(columns.map(({ title }) => title)).toEqual(['Arrow', 'Weight (step 100)', 'Weight (newest weights)', 'Weight: difference']);
    expect(rows).toEqual([['a-b → b', 0.75, 0.5, 0.25]]);
    expect(caption).toContain('Left out are 1 and 0 rows that only one of them has.');
  });

  test('none of other graphs, or without arrows', () => {
    expect(difference(network([0.5]), network([0.5], 'c'), names)).toEqual([]);
    expect(difference(network([]), network([]), names)).toEqual([]);
  });
});

test('figures of different kinds have no difference', () => {
  const table: TableFigure = { kind: 'table', title: 'QK', columns: [], rows: [] };
  expect(difference(heatmap([1, 2, 3, 4, 5, 6]), table, names)).toEqual([]);
});
