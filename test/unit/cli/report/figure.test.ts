import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drawFigure } from '../../../../src/cli/report/figure';
import { Pieces } from '../../../../src/cli/report/pieces';
import { csvOf, readableTableOf, tableOf } from '../../../../src/cli/report/values';
import type { AttentionFigure, Figure, HeatmapFigure, LinesFigure } from '../../../../src/protocol/figure';

/** A figure whole. */
function drawn(figure: Figure): string {
  const pieces = new Pieces();
  return pieces.fill(drawFigure(figure, pieces).text, Infinity);
}

const lines = (y: number[]): LinesFigure => ({
  kind: 'lines', title: 'Loss', x: { title: 'step' }, y: { title: 'loss', logarithmic: true },
  series: [{ name: 'test', x: Float64Array.from(y, (_, i) => i), y: Float64Array.from(y) }],
});

const attention: AttentionFigure = {
  kind: 'attention', title: 'Attention', tokens: ['BOS', '\n', 'a,"b"'], allowed: Uint8Array.of(1, 0, 0, 1, 1, 0, 1, 1, 1),
  heads: [{ layer: 1, head: 0, pattern: Float32Array.of(1, 0, 0, 0.25, 0.75, 0, 0.5, 0.25, 0.25) }],
};

const heatmap: HeatmapFigure = {
  kind: 'heatmap', title: 'Patching', x: { title: 'position' }, y: { title: 'layer' }, rows: 0, columns: 0, values: new Float32Array(), scale: 'diverging', unit: '',
};

describe('lines', () => {
  test('break where a logarithmic axis has no place for a value', () => {
    const path = /class="line" d="(M[^"]*L[^"]*)"/.exec(drawn(lines([1, 0.1, 0, 0.01, 0.001])).replace(/<ul.*<\/ul>/s, ''))?.[1];
    expect(path?.match(/M/g)).toHaveLength(2);
    expect(path?.match(/L/g)).toHaveLength(2);
  });

  test('over named places have the names for ticks, and in their values', () => {
    const stages: LinesFigure = { ...lines([1, 0.1]), x: { title: 'stream', labels: ['embed', 'after L0', 'final'] } };
    const text = drawn(stages);
    for (const name of ['embed', 'after L0', 'final']) expect(text).toContain(`>${name}</text>`);
    expect(tableOf(stages).rows).toEqual([['test', 'embed', 1], ['test', 'after L0', 0.1]]);
  });

  test('of very many points keep their extremes', () => {
    const y = Array.from({ length: 100_000 }, (_, i) => (i === 54_321 ? 1000 : 1));
    const picture = drawn(lines(y)).replace(/<details.*<\/details>/s, '');
    expect(picture.length).toBeLessThan(60_000);
    expect(picture).toMatch(/L\S+ 14[L\d]/); // 14 is the top of the plot area: the only 1000
  });
});

describe('attention under a mask of its own', () => {
  const allowed = Uint8Array.from('x....x....xx.....x....xx.', mark => Number(mark === 'x'));
  const listCopy: AttentionFigure = {
    kind: 'attention', title: 'List copy', tokens: ['d1', 'd2', 'SEP', 'o1', 'o2'], allowed,
    heads: [{ layer: 0, head: 0, pattern: Float32Array.of(1, 0, 0, 0, 0, /**/ 1, 0, 0, 0, 0, /**/ 0, 1, 0, 0, 0, /**/ 0, 0, 1, 0, 0, /**/ 0, 0, 1, 0, 0) }],
  };

  test('is grey in every cell that it forbids, and in none of a weight of 0', () => {
    const text = drawn(listCopy);
    const path = /<path d="([^"]*)" class="missing"/.exec(text)?.[1] ?? '';
    const side = 80; // 400 pixels for five positions
    const grey = Array.from(path.matchAll(/M([\d.]+) ([\d.]+)h([\d.]+)v/g), ([, x, y, width]) => [Number(y), Number(x), Number(width)].map(length => length / side));
    expect(grey).toEqual([[0, 1, 4], [1, 1, 4], [2, 2, 3], [3, 0, 2], [3, 3, 2], [4, 0, 2], [4, 4, 1]]);
    expect(text).toContain('grey is masked');
  });

  test('has values where it allows them', () => {
    expect(tableOf(listCopy).rows.map(([, destination, source, weight]) => [destination, source, weight])).toEqual([
      ['0 d1', '0 d1', 1], ['1 d2', '0 d1', 1], ['2 SEP', '0 d1', 0], ['2 SEP', '1 d2', 1], ['3 o1', '2 SEP', 1], ['4 o2', '2 SEP', 1], ['4 o2', '3 o1', 0],
    ]);
  });
});

describe('the values of attention', () => {
  test('to read are where each destination looks most', () => {
    expect(readableTableOf(attention).rows).toEqual([['0 BOS', '0 BOS: 1.00'], ['1 ↵', '1 ↵: 0.75'], ['2 a,"b"', '0 BOS: 0.50']]);
  });

  test('to download leave out what the mask forbids', () => {
    expect(tableOf(attention).rows).toHaveLength(6);
  });

  test('have the digits that tell them from other numbers of single precision, and no more than nine', () => {
    fc.assert(fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), value => {
      const values = Float32Array.of(value);
      const written = tableOf({ ...heatmap, rows: 1, columns: 1, values }).rows[0]?.[1];
      expect(Math.fround(Number(written)) === values[0]).toBe(true);
      expect(String(written).replace(/e.*/, '').replace(/[-.]/g, '').replace(/^0+|0+$/g, '').length).toBeLessThanOrEqual(9);
    }));
    expect(tableOf({ ...heatmap, rows: 1, columns: 1, values: Float32Array.of(0.1) }).rows).toEqual([['0', 0.1]]);
  });

  test('are quoted as comma-separated values need it', () => {
    expect(csvOf(tableOf(attention)).split('\r\n').at(-1)).toBe('L1H0,"2 a,""b""","2 a,""b""",0.25');
  });
});

test('a heatmap shows which cells have no value, and does not let them stretch its scale', () => {
  const text = drawn({
    kind: 'heatmap', title: 'Patching', x: { title: 'head' }, y: { title: 'layer' }, rows: 1, columns: 3, values: Float32Array.of(0.5, 99, -1),
    present: Uint8Array.of(1, 0, 1), scale: 'diverging', unit: 'nats',
  });
  expect(text.match(/class="missing"/g)).toHaveLength(1);
  expect(text).toContain('layer 0, head 2: −1');
  expect(text).not.toContain('99');
});

test('a figure of more numbers than a page can hold says so, without drawing them', () => {
  const side = 6000;
  const text = drawn({ ...heatmap, rows: side, columns: side, values: new Float32Array(side * side) });
  expect(text).toContain('This picture is left out');
  expect(text).toContain('These values are left out');
  expect(text.length).toBeLessThan(2000);
});

test('the name of a series cannot end the address of a download', () => {
  const address = /href="(data:[^"]*)"/.exec(drawn({ ...lines([1]), series: [{ name: '50 % #1 & "2"\n', x: Float64Array.of(1), y: Float64Array.of(2) }] }))?.[1] ?? '';
  const csv = decodeURIComponent(address.replaceAll('&amp;', '&').replaceAll('&#39;', "'").slice(address.indexOf(',') + 1));
  expect(csv).toBe('series,step,loss\r\n"50 % #1 & ""2""\n",1,2');
  expect(address).not.toContain('#');
});

test('edges between the same two nodes are told apart in their values', () => {
  const graph: Figure = {
    kind: 'graph', title: 'Circuit', nodes: [], edges: [{ from: 'L0H0', to: 'L1H0', label: 'k', weight: 0.9 }, { from: 'L0H0', to: 'L1H0', label: 'v', weight: -0.1 }, { from: 'L0H0', to: 'Logits', weight: 0 }],
  };
  expect(tableOf(graph)).toEqual({ columns: ['from', 'to', 'label', 'weight'], rows: [['L0H0', 'L1H0', 'k', 0.9], ['L0H0', 'L1H0', 'v', -0.1], ['L0H0', 'Logits', '', 0]] });
  expect(tableOf({ ...graph, edges: [{ from: 'a', to: 'b', weight: 1 }] })).toEqual({ columns: ['from', 'to', 'weight'], rows: [['a', 'b', 1]] });
});
