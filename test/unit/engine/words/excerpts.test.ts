import { expect, test } from 'vitest';
import { resultExcerpt } from '../../../../src/engine/words/excerpts';
import type { Figure, HeatmapFigure, LinesFigure } from '../../../../src/protocol/figure';

const excerptOf = (...figures: readonly Figure[]) => resultExcerpt({ figures, scalars: {} });

function heatmap(rows: number, columns: number): HeatmapFigure {
  return {
    kind: 'heatmap', title: 'Weights', x: { title: 'Key' }, y: { title: 'Query' }, rows, columns,
    values: Float32Array.from({ length: rows * columns }, (_, i) => i), scale: 'sequential', unit: '',
  };
}

function lines(series: number, points: number): LinesFigure {
  const line = (name: number) => ({ name: `line ${name}`, x: Float64Array.from({ length: points }, (_, i) => 10 * i), y: new Float64Array(points).fill(name) });
  return { kind: 'lines', title: 'Loss', caption: 'In nats.', x: { title: 'Step' }, y: { title: 'Loss' }, series: Array.from({ length: series }, (_, i) => line(i)) };
}

/** The steps that are shown of a line. */
function steps(text: string, line: string): number[] {
  return [...text.matchAll(new RegExp(`^${line} +([\\d\\u202f]+) `, 'gm'))].map(([, step = '']) => Number(step.replaceAll('\u202f', '')));
}

test('a result is its finding, its scalars and its figures', () => {
  expect(resultExcerpt({ finding: 'composes', scalars: { copying: 0.5 }, figures: [heatmap(2, 2)] })).toBe(
    'Found: composes\n\nscalar   value\ncopying    0.5\n\nWeights\nQuery  0  1\n0      0  1\n1      2  3');
});

test('of a large matrix its corner is shown, and how much that is', () => {
  expect(excerptOf(heatmap(30, 15))).not.toContain('Cut:');
  const text = excerptOf(heatmap(31, 2000));
  expect(text).toMatch(/\nCut: shown are the first 30 of 31 rows, and the first 16 of 2001 columns\.$/);
  expect(text.split('\n')).toHaveLength(1 + 1 + 30 + 1);
});

test('of a long line the ends are shown, and points between them that are as far from each other', () => {
  const text = excerptOf(lines(2, 1001));
  expect(text).toMatch(/^Loss\nIn nats\.\n/);
  expect(text).toMatch(/\nCut: shown are at most 30 points of each line, of up to 1001\.$/);
  for (const line of ['line 0', 'line 1']) {
    const shown = steps(text, line);
    expect(shown).toHaveLength(30);
    expect([shown[0], shown.at(-1)]).toEqual([0, 10_000]);
    const gaps = shown.slice(1).map((step, at) => step - (shown[at] ?? 0));
    expect(Math.max(...gaps) - Math.min(...gaps)).toBeLessThanOrEqual(10);
  }
  expect(excerptOf(lines(3, 20))).not.toContain('Cut:');
  expect(excerptOf(lines(40, 3))).toMatch(/\nCut: shown are the first 15 of 40 lines\.$/);
  expect(excerptOf(lines(0, 0))).toContain('Loss');
});

test('what comes after the twelfth figure is named', () => {
  const text = excerptOf(...Array.from({ length: 14 }, (_, i) => ({ ...heatmap(1, 1), title: `Head ${i}` })));
  expect(text).toMatch(/\nHead 11\n[^]*\nCut: 2 more figures, "Head 12", "Head 13"\.$/);
});
