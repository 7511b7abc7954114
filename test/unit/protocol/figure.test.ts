import { describe, expect, test } from 'vitest';
import { checkFigure, type Figure } from '../../../src/protocol/figure';

/** One right figure of each kind. */
const figures = {
  heatmap: {
    kind: 'heatmap',
    title: 'h',
    x: { title: 'x', labels: ['a', 'b'] },
    y: { title: 'y' },
    rows: 1,
    columns: 2,
    values: Float32Array.of(1, 2),
    scale: 'sequential',
    unit: '',
  },
  attention: {
    kind: 'attention',
    title: 'a',
    tokens: ['x', 'y'],
    heads: [{ layer: 0, head: 1, pattern: Float32Array.of(1, 0, 0.5, 0.5) }],
    allowed: Uint8Array.of(1, 0, 1, 1),
  },
  lines: {
    kind: 'lines',
    title: 'l',
    x: { title: 'x' },
    y: { title: 'y' },
    series: [{ name: 's', x: Float64Array.of(0, 1), y: Float64Array.of(2, 3) }],
    marks: [{ x: 1, label: 'm' }],
  },
  bars: {
    kind: 'bars',
    title: 'b',
    x: { title: 'x', labels: ['a', 'b'] },
    y: { title: 'y' },
    series: [{ name: 's', values: Float64Array.of(2, 3) }],
  },
  histogram2d: {
    kind: 'histogram2d',
    title: 'd',
    x: { title: 'x' },
    y: { title: 'y' },
    xEdges: Float64Array.of(0, 1, 2),
    yEdges: Float64Array.of(0, 1),
    counts: Float32Array.of(3, 4),
  },
  table: {
    kind: 'table',
    title: 't',
    columns: [
      { title: 'c', numeric: true },
      { title: 'd', numeric: false },
    ],
    rows: [[1, 'one']],
  },
  graph: {
    kind: 'graph',
    title: 'g',
    nodes: [{ id: 'n', label: 'n', column: 0, row: 0 }],
    edges: [{ from: 'n', to: 'n', weight: 1 }],
  },
  network: {
    kind: 'network',
    title: 'w',
    nodes: [{ id: 'a', label: 'a', x: 0, y: 1 }, { id: 'b', label: 'b', x: 1, y: 0.5 }],
    links: [{ from: 'a', to: 'b', marked: true }],
    arrows: [{ from: { link: 0 }, to: { node: 'b' }, weight: 0.25 }],
  },
} satisfies { readonly [K in Figure['kind']]: Extract<Figure, { kind: K }> };

test.each(Object.entries(figures))('a right %s passes', (_, figure) => {
  expect(() => checkFigure(figure)).not.toThrow();
});

describe('a figure with a number that is not finite is refused', () => {
  const wrong: readonly (readonly [Figure, string])[] = [Number.NaN, Infinity, -Infinity].flatMap(
    value =>
      [
        [{ ...figures.heatmap, values: Float32Array.of(1, value) }, `figure "h": the heatmap holds ${value} at 1`],
        [
          { ...figures.attention, heads: [{ layer: 0, head: 1, pattern: Float32Array.of(value, 0, 0.5, 0.5) }] },
          `figure "a": head 0.1 holds ${value} at 0`,
        ],
        [
          { ...figures.lines, series: [{ name: 's', x: Float64Array.of(0, value), y: Float64Array.of(2, 3) }] },
          `figure "l": x of "s" holds ${value} at 1`,
        ],
        [
          { ...figures.lines, series: [{ name: 's', x: Float64Array.of(0, 1), y: Float64Array.of(value, 3) }] },
          `figure "l": "s" holds ${value} at 0`,
        ],
        [{ ...figures.lines, marks: [{ x: value, label: 'm' }] }, `figure "l": the marks holds ${value} at 0`],
        [
          { ...figures.bars, series: [{ name: 's', values: Float64Array.of(2, value) }] },
          `figure "b": "s" holds ${value} at 1`,
        ],
        [
          { ...figures.histogram2d, xEdges: Float64Array.of(0, value, 2) },
          `figure "d": the x edges holds ${value} at 1`,
        ],
        [{ ...figures.histogram2d, yEdges: Float64Array.of(value, 1) }, `figure "d": the y edges holds ${value} at 0`],
        [{ ...figures.histogram2d, counts: Float32Array.of(value, 4) }, `figure "d": the counts holds ${value} at 0`],
        [{ ...figures.table, rows: [[value, 'x']] }, `figure "t": a row holds ${value} at 0`],
        [
          { ...figures.graph, edges: [{ from: 'n', to: 'n', weight: value }] },
          `figure "g": the edges holds ${value} at 0`,
        ],
        [
          { ...figures.graph, nodes: [{ id: 'n', label: 'n', column: 0, row: value }] },
          `figure "g": the nodes holds ${value} at 1`,
        ],
        [
          { ...figures.network, nodes: figures.network.nodes.map(node => ({ ...node, y: value })) },
          `figure "w": the nodes holds ${value} at 1`,
        ],
        [
          { ...figures.network, arrows: [{ from: { link: 0 }, to: { node: 'b' }, weight: value }] },
          `figure "w": the arrows holds ${value} at 0`,
        ],
      ] as const,
  );

  test.each(wrong)('$kind', (figure, message) => {
    expect(() => checkFigure(figure)).toThrow(message);
  });
});

describe('a figure whose arrays do not fill their shapes is refused', () => {
  test.each<readonly [Figure, string]>([
    [{ ...figures.heatmap, rows: 2 }, 'the heatmap has 2 values, not 4'],
    [{ ...figures.heatmap, present: Uint8Array.of(1) }, 'the mask has 1 values, not 2'],
    [{ ...figures.heatmap, x: { title: 'x', labels: ['a'] } }, 'the x axis has 1 values, not 2'],
    [{ ...figures.heatmap, y: { title: 'y', labels: [] } }, 'the y axis has 0 values, not 1'],
    [{ ...figures.attention, tokens: ['x'] }, 'the mask has 4 values, not 1'],
    [
      { ...figures.attention, heads: [{ layer: 2, head: 3, pattern: Float32Array.of(1) }] },
      'head 2.3 has 1 values, not 4',
    ],
    [
      { ...figures.lines, series: [{ name: 's', x: Float64Array.of(0, 1), y: Float64Array.of(2) }] },
      '"s" has 1 values, not 2',
    ],
    [
      { ...figures.lines, series: [{ name: 's', x: Float64Array.of(0, 1), y: Float64Array.of(2, 3), best: 2 }] },
      'the best of "s" is 2, not one of 2 places',
    ],
    [
      { ...figures.lines, x: { title: 'x', labels: ['a'] }, series: [{ name: 's', x: Float64Array.of(0, 1), y: Float64Array.of(2, 3) }] },
      'x of "s" is 1, not one of 1 places',
    ],
    [{ ...figures.bars, series: [{ name: 's', values: Float64Array.of(2) }] }, '"s" has 1 values, not 2'],
    [{ ...figures.histogram2d, counts: Float32Array.of(1) }, 'the counts has 1 values, not 2'],
    [{ ...figures.table, rows: [[1]] }, 'a row has 1 values, not 2'],
  ])('$kind', (figure, message) => {
    expect(() => checkFigure(figure)).toThrow(message);
  });
});

describe('a network is refused', () => {
  const { network } = figures;
  const arrow = { from: { link: 0 }, to: { node: 'b' }, weight: 1 };
  test.each<readonly [string, Figure, string]>([
    ['outside of the unit square', { ...network, nodes: network.nodes.map(node => ({ ...node, x: 1.5 })) }, 'the nodes holds 1.5, outside of [0, 1]'],
    ['with two nodes of one id', { ...network, nodes: [...network.nodes, ...network.nodes] }, 'the ids of the nodes, each once, has 2 values, not 4'],
    ['with a link to nowhere', { ...network, links: [{ from: 'a', to: 'c' }] }, 'link 0 is at "c", which is no node'],
    ['with a node joined to itself', { ...network, links: [{ from: 'a', to: 'a' }] }, 'link 0 joins "a" to itself'],
    ['with an arrow from nowhere', { ...network, arrows: [{ ...arrow, from: { node: 'c' } }] }, 'arrow 0 is at "c", which is no node'],
    ['with an arrow to a link that it lacks', { ...network, arrows: [arrow, { ...arrow, to: { link: 1 } }] }, 'the link of arrow 1 is 1, not one of 1 places'],
    ['with a weight above 1', { ...network, arrows: [{ ...arrow, weight: 1.01 }] }, 'the arrows holds 1.01, outside of [0, 1]'],
    ['with a negative weight', { ...network, arrows: [{ ...arrow, weight: -0.1 }] }, 'the arrows holds -0.1, outside of [0, 1]'],
  ])('%s', (_, figure, message) => {
    expect(() => checkFigure(figure)).toThrow(`figure "w": ${message}`);
  });
});
