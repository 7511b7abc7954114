import { describe, expect, test } from 'vitest';
import { checkFigure } from '../../src/protocol/figure';
import type { SweepRow, SweptValues } from '../../src/protocol/sweep';
import { sweepFigure } from '../../webview/sweep/figure';
import { widthRows } from './sweepSamples';

const fields = ['model.d_model', 'seed'];
const loss = (index: number, values: SweptValues, testLoss: number, over: Partial<SweepRow> = {}): SweepRow =>
  ({ index, values, model: `m${index}`, status: 'finished', progress: { step: 1, steps: 1 }, metrics: { testLoss, testAccuracy: 1 / (1 + testLoss) }, ...over });

describe('the figure of a sweep', () => {
  test('has a line for each combination of the other fields, in the order of its x axis, with its best point', () => {
    const rows = [loss(0, { 'model.d_model': 64, seed: 0 }, 0.1), loss(1, { 'model.d_model': 8, seed: 0 }, 0.3), loss(2, { 'model.d_model': 16, seed: 1 }, 0.2)];
    const figure = sweepFigure({ fields, rows, field: 'model.d_model', metric: 'testLoss' });
    checkFigure(figure);
    expect(figure.series).toEqual([
      { name: 'seed 0', x: Float64Array.of(8, 64), y: Float64Array.of(0.3, 0.1), best: 1 },
      { name: 'seed 1', x: Float64Array.of(16), y: Float64Array.of(0.2), best: 0 },
    ]);
    expect(figure).toMatchObject({ title: 'Test loss by d_model', x: { title: 'd_model' }, y: { title: 'Test loss' } });
  });

  test('takes the highest accuracy for the best', () => {
    const figure = sweepFigure({ fields, rows: widthRows([8, 32], [0]), field: 'model.d_model', metric: 'testAccuracy' });
    expect(figure.series.map(({ best }) => best)).toEqual([1]);
  });

  test('leaves out runs that have not finished, were not measured, or lack the field', () => {
    const rows = [
      loss(0, { 'model.d_model': 8, seed: 0 }, 0.1, { status: 'training' }), loss(1, { 'model.d_model': 16, seed: 0 }, 0.1, { metrics: {} }),
      loss(2, { seed: 0 }, 0.1), loss(3, { 'model.d_model': 32, seed: 0 }, 0.4),
    ];
    expect(sweepFigure({ fields, rows, field: 'model.d_model', metric: 'testLoss' }).series).toEqual([
      { name: 'seed 0', x: Float64Array.of(32), y: Float64Array.of(0.4), best: 0 },
    ]);
    expect(sweepFigure({ fields, rows: [], field: 'seed', metric: 'testLoss' }).series).toEqual([]);
  });

  test('has logarithmic axes only where positive values span more than fifty times', () => {
    const axes = (widths: readonly number[]) => sweepFigure({ fields, rows: widthRows(widths, [0]), field: 'model.d_model', metric: 'testLoss' });
    expect([axes([8, 400]), axes([8, 401])].map(({ x, y }) => [x.logarithmic, y.logarithmic])).toEqual([[false, false], [true, true]]);
    expect(sweepFigure({ fields, rows: widthRows([8, 401], [0, 1]), field: 'seed', metric: 'testLoss' }).x.logarithmic).toBe(false);
  });

  test('has categories in the order of the runs where values are no numbers', () => {
    const rows = ['sort', 'max', { name: 'median', count: 5 }, 'max'].map((task, i) => loss(i, { task, seed: i < 3 ? 0 : 1 }, i + 1));
    const figure = sweepFigure({ fields: ['task', 'seed'], rows, field: 'task', metric: 'testLoss' });
    expect(figure.x).toEqual({ title: 'task', labels: ['sort', 'max', 'median'] });
    expect(figure.series.map(({ x }) => [...x])).toEqual([[0, 1, 2], [1]]);
  });

  test('shows the best of very many lines, and says so', () => {
    const rows = Array.from({ length: 30 }, (_, seed) => loss(seed, { 'model.d_model': 8, seed }, 30 - seed));
    const figure = sweepFigure({ fields, rows, field: 'model.d_model', metric: 'testLoss' });
    expect(figure.series.map(({ name }) => name)).toEqual(Array.from({ length: 12 }, (_, i) => `seed ${18 + i}`));
    expect(figure.caption).toContain('The 12 best of 30 lines.');
  });
});
