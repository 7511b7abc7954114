import { describe, expect, test } from 'vitest';
import { checkFigure } from '../../src/protocol/figure';
import type { RunCurve } from '../../src/protocol/sweep';
import { curvesFigure } from '../../webview/sweep/curvesFigure';
import { curveOf, seedRows, underWay } from './sweepSamples';

const three: RunCurve[] = [0, 1, 2].map(run => curveOf(run, [[0, 4], [10, 1 / (1 + run)], [20, 0]]));

describe('the runs of a sweep through their training', () => {
  test('are a line each, named by its swept values; zero has no place on the axis of a loss', () => {
    const figure = curvesFigure({ rows: seedRows(3), metric: 'testLoss', curves: three });
    checkFigure(figure);
    expect(figure).toMatchObject({ title: 'Test loss through training', caption: 'A line for each run that has begun.', x: { title: 'Step' }, y: { title: 'Test loss', logarithmic: true } });
    expect(figure.series).toEqual([0, 1, 2].map(run => ({ name: `seed ${run}`, x: Float64Array.of(0, 10), y: Float64Array.of(4, 1 / (1 + run)) })));
    expect(figure).not.toHaveProperty('crowd');
    const accuracies = curvesFigure({ rows: seedRows(3), metric: 'testAccuracy', curves: three });
    expect(accuracies.y).toEqual({ title: 'Test accuracy', logarithmic: false });
    expect([...accuracies.series[0]?.y ?? []]).toEqual([4, 1, 0]);
  });

  test('are there while they go on, but not where nothing was measured, and not before they begin', () => {
    const curves = underWay.map(({ index }) => curveOf(index, index === 2 ? [] : [[0, 2]]));
    const { series } = curvesFigure({ rows: underWay, metric: 'testLoss', curves });
    expect(series.map(({ name }) => name)).toEqual([
      'd_model 8, seed 0', 'd_model 8, seed 1', 'd_model 16, seed 1', 'd_model 32, seed 0', 'd_model 32, seed 1', 'd_model 64, seed 0', 'd_model 64, seed 1', 'd_model 128, seed 0',
    ]);
  });

  test('are one line where two runs share a model', () => {
    const rows = seedRows(2).map(row => ({ ...row, model: 'shared' }));
    expect(curvesFigure({ rows, metric: 'testLoss', curves: three }).series.map(({ name }) => name)).toEqual(['seed 0']);
  });

  test('are a crowd once no legend could tell them apart; of very many the first are there, and it is said', () => {
    const figureOf = (count: number) => curvesFigure({ rows: seedRows(count), metric: 'testLoss', curves: seedRows(count).map(({ index }) => curveOf(index, [[0, 1]])) });
    expect([figureOf(12).crowd, figureOf(13).crowd]).toEqual([undefined, true]);
    expect(figureOf(50).caption).not.toContain('first');
    const many = figureOf(1200);
    expect(many.series.map(({ name }) => name)).toEqual(Array.from({ length: 50 }, (_, seed) => `seed ${seed}`));
    expect(many.caption).toContain('The first 50 of 1,200 runs.');
  });

  test('say so where points were left out', () => {
    const figure = curvesFigure({ rows: seedRows(1), metric: 'testLoss', curves: [{ ...curveOf(0, [[0, 1], [9, 2]]), measured: 1000 }] });
    expect(figure.caption).toBe('A line for each run that has begun. Of many measurements, the lowest and highest of neighbours.');
  });
});
