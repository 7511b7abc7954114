import { describe, expect, test } from 'vitest';
import { drawFigure } from '../../../../src/cli/report/figure';
import { csvOf, readableTableOf, tableOf } from '../../../../src/cli/report/values';
import type { AttentionFigure, LinesFigure } from '../../../../src/protocol/figure';

const lines = (y: number[]): LinesFigure => ({
  kind: 'lines', title: 'Loss', x: { title: 'step' }, y: { title: 'loss', logarithmic: true },
  series: [{ name: 'test', x: Float64Array.from(y, (_, i) => i), y: Float64Array.from(y) }],
});

const attention: AttentionFigure = {
  kind: 'attention', title: 'Attention', tokens: ['BOS', '\n', 'a,"b"'], allowed: Uint8Array.of(1, 0, 0, 1, 1, 0, 1, 1, 1),
  heads: [{ layer: 1, head: 0, pattern: Float32Array.of(1, 0, 0, 0.25, 0.75, 0, 0.5, 0.25, 0.25) }],
};

describe('lines', () => {
  test('break where a logarithmic axis has no place for a value', () => {
    const path = /class="line" d="(M[^"]*L[^"]*)"/.exec(drawFigure(lines([1, 0.1, 0, 0.01, 0.001])).text.replace(/<ul.*<\/ul>/s, ''))?.[1];
    expect(path?.match(/M/g)).toHaveLength(2);
    expect(path?.match(/L/g)).toHaveLength(2);
  });

  test('of very many points keep their extremes', () => {
    const y = Array.from({ length: 100_000 }, (_, i) => (i === 54_321 ? 1000 : 1));
    const drawn = drawFigure(lines(y)).text.replace(/<details.*<\/details>/s, '');
    expect(drawn.length).toBeLessThan(60_000);
    expect(drawn).toMatch(/L\S+ 14[L\d]/); // 14 is the top of the plot area: the only 1000
  });
});

describe('the values of attention', () => {
  test('to read are where each destination looks most', () => {
    expect(readableTableOf(attention).rows).toEqual([['0 BOS', '0 BOS: 1.00'], ['1 ↵', '1 ↵: 0.75'], ['2 a,"b"', '0 BOS: 0.50']]);
  });

  test('to download leave out what the mask forbids', () => {
    expect(tableOf(attention).rows).toHaveLength(6);
  });

  test('are quoted as comma-separated values need it', () => {
    expect(csvOf(tableOf(attention)).split('\r\n').at(-1)).toBe('1.0,"2 a,""b""","2 a,""b""",0.25');
  });
});

test('a heatmap shows which cells have no value, and does not let them stretch its scale', () => {
  const { text } = drawFigure({
    kind: 'heatmap', title: 'Patching', x: { title: 'head' }, y: { title: 'layer' }, rows: 1, columns: 3, values: Float32Array.of(0.5, 99, -1),
    present: Uint8Array.of(1, 0, 1), scale: 'diverging', unit: 'nats',
  });
  expect(text.match(/class="missing"/g)).toHaveLength(1);
  expect(text).toContain('layer 0, head 2: −1');
  expect(text).not.toContain('99');
});
