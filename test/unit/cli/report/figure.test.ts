import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drawFigure } from '../../../../src/cli/report/figure';
import { seriesClass } from '../../../../src/cli/report/frame';
import { textWidth } from '../../../../src/cli/report/matrix';
import { Pieces } from '../../../../src/cli/report/pieces';
import { style } from '../../../../src/cli/report/style';
import { csvOf, readableTableOf, tableOf } from '../../../../src/engine/words/figureTable';
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

describe('many lines', () => {
  const curves: LinesFigure = { ...lines([1, 0.1]), series: Array.from({ length: 14 }, (_, i) => ({ name: `length ${i + 1}`, x: Float64Array.of(0, 1), y: Float64Array.of(1, 0.1) })) };

  test('have no colour and dash in common, in the picture as in the legend', () => {
    const text = drawn(curves);
    for (const element of ['g', 'li']) {
      const classes = Array.from(text.matchAll(new RegExp(`<${element} class="(s\\d d\\d)"`, 'g')), ([, each]) => each);
      expect(classes).toHaveLength(14);
      expect(new Set(classes).size).toBe(14);
    }
  });

  test('have as many colours and dashes as the page has styles for', () => {
    for (let i = 0; i < 40; i++) {
      for (const name of seriesClass(i).split(' ')) if (name !== 'd0') expect(style).toContain(`.${name} {`);
    }
  });
});

describe('marks of lines', () => {
  const marked = (...marks: readonly [x: number, label: string][]) =>
    drawn({ ...lines([1, 0.1, 0.01]), marks: marks.map(([x, label]) => ({ x, label })) });
  const labels = (text: string) => Array.from(text.matchAll(/class="mark-label middle" x="([\d.]+)" y="([\d.]+)">([^<]*)</g), ([, x, y, label = '']) => ({ x: Number(x), y: Number(y), half: textWidth(label) / 2, label }));

  test('have their labels written where they are few, none over another or beyond the chart', () => {
    const found = labels(marked([0, 'length 1'], [1, 'length 2'], [1, 'length 3'], [1.05, 'length 4'], [2, 'no path'], [1.02, 'length 5']));
    expect(found.map(({ label }) => label).toSorted()).toEqual(['length 1', 'length 2', 'length 3', 'length 4', 'length 5', 'no path']);
    for (const one of found) {
      expect(one.x - one.half).toBeGreaterThanOrEqual(0);
      expect(one.x + one.half).toBeLessThanOrEqual(1020);
      for (const other of found) if (one !== other && one.y === other.y) expect(Math.abs(one.x - other.x)).toBeGreaterThan(one.half + other.half);
    }
    // What stands alone stands lowest.
    expect(found.filter(({ y }) => y === Math.max(...found.map(each => each.y))).map(({ label }) => label)).toContain('no path');
  });

  test('have them under the pointer alone where they are many', () => {
    const text = marked(...Array.from({ length: 9 }, (_, i) => [i / 4, `phase ${i}`] as [number, string]));
    expect(labels(text)).toEqual([]);
    expect(text.match(/<title>phase \d<\/title>/g)).toHaveLength(9);
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
