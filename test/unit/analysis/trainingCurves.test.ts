import { describe, expect, test } from 'vitest';
import { runAnalysis } from '../../../src/analysis/run';
import { trainingCurves } from '../../../src/analysis/trainingCurves';
import type { MetricsRow } from '../../../src/protocol/model';
import type { LinesFigure } from '../../../src/protocol/figure';
import { contextOf } from '../../support/analyses';
import { prepared } from '../../support/experiments';

const rows: readonly MetricsRow[] = [
  { step: 0, seconds: 0, trainLoss: 2, testLoss: 2.1, testAccuracy: 0, testExactMatch: 0 },
  { step: 1, seconds: 1, trainLoss: 1 },
  { step: 2, seconds: 2, trainLoss: 0, testLoss: 0.25, testAccuracy: 0.5, testExactMatch: 0.25 },
  { step: 3, seconds: 3, trainLoss: 1e-9, testLoss: 0.5, testAccuracy: 1, testExactMatch: 1 },
];

async function run(metrics: readonly MetricsRow[], checkpoints: readonly number[] = []) {
  const { figures, scalars } = await runAnalysis(trainingCurves, contextOf(prepared(), { metrics, checkpoints }), {});
  const points = (figure: LinesFigure) =>
    Object.fromEntries(figure.series.map(({ name, x, y }) => [name, [...x].map((step, index) => [step, y[index]])]));
  const [loss, accuracy] = figures as readonly LinesFigure[];
  return { loss: loss ?? expect.fail(), accuracy: accuracy ?? expect.fail(), points, scalars };
}

describe('training curves', () => {
  test('show each loss where it was measured, but no 0 on their logarithmic axis', async () => {
    const { loss, points } = await run(rows);
    expect(loss.y.logarithmic).toBe(true);
    expect(points(loss)).toEqual({
      train: [
        [0, 2],
        [1, 1],
        [3, 1e-9],
      ],
      test: [
        [0, 2.1],
        [2, 0.25],
        [3, 0.5],
      ],
    });
  });

  test('show accuracies with their zeros', async () => {
    const { accuracy, points } = await run(rows);
    expect(accuracy.y.logarithmic ?? false).toBe(false);
    expect(points(accuracy)).toEqual({
      answers: [
        [0, 0],
        [2, 0.5],
        [3, 1],
      ],
      'whole examples': [
        [0, 0],
        [2, 0.25],
        [3, 1],
      ],
    });
  });

  test('mark checkpoints where there are several', async () => {
    expect((await run(rows, [1, 3])).loss.marks).toEqual([
      { x: 1, label: 'checkpoint 1' },
      { x: 3, label: 'checkpoint 3' },
    ]);
    expect((await run(rows, [3])).loss.marks).toEqual([]);
  });

  test('measure the last value of each, and the lowest test loss', async () => {
    expect((await run(rows)).scalars).toEqual({
      trainLoss: 1e-9,
      testLoss: 0.5,
      testAccuracy: 1,
      testExactMatch: 1,
      lowestTestLoss: 0.25,
    });
    expect((await run(rows.slice(0, 2))).scalars).toEqual({
      trainLoss: 1,
      testLoss: 2.1,
      testAccuracy: 0,
      testExactMatch: 0,
      lowestTestLoss: 2.1,
    });
  });

  test('of a model that has measured nothing are empty', async () => {
    const { loss, accuracy, scalars } = await run([]);
    expect([...loss.series, ...accuracy.series].every(({ x }) => x.length === 0)).toBe(true);
    expect(scalars).toEqual({});
  });
});
