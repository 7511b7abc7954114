import { expect, test } from 'vitest';
import { onCommonScale } from '../../../src/analysis/commonScale';
import type { HeatmapFigure } from '../../../src/protocol/figure';

const heatmap = (...values: number[]): HeatmapFigure => ({
  kind: 'heatmap', title: 'some', x: { title: 'x' }, y: { title: 'y' }, rows: 1, columns: values.length, values: Float32Array.from(values), scale: 'diverging', unit: '',
});

test('heatmaps on a common scale reach as far as the largest of all by size, and at least as far as they must', () => {
  expect(onCommonScale([heatmap(0.5, -3), heatmap(1e-5)]).map(({ reach }) => reach)).toEqual([3, 3]);
  expect(onCommonScale([heatmap(0.5), heatmap(1e-5)], 1).map(({ reach }) => reach)).toEqual([1, 1]);
});
