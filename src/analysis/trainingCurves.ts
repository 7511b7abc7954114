import type { LinesFigure, Series } from '../protocol/figure';
import type { MetricName, MetricsRow } from '../protocol/model';
import { defineAnalysis } from './define';

/** Losses and accuracies against the training step, with a mark at every checkpoint. */
export const trainingCurves = defineAnalysis({
  id: 'training-curves',
  title: 'Training curves',
  description: 'Training and test loss, and test accuracy, at every step that was measured.',
  live: true,
  params: {
    logarithmicLoss: { kind: 'boolean', title: 'Log loss', description: 'Draw the losses on a logarithmic axis.', default: true },
    logarithmicSteps: { kind: 'boolean', title: 'Log steps', description: 'Draw the steps on a logarithmic axis; step 0 is then left out.', default: false },
  },
  scalars: {
    trainLoss: 'last training loss, in nats',
    testLoss: 'last test loss, in nats',
    testAccuracy: 'last fraction of answer positions that are right',
    testExactMatch: 'last fraction of examples that are right whole',
    lowestTestLoss: 'lowest test loss of the run, in nats',
  },
  appliesTo: () => true,
  run({ metrics, details }, { logarithmicLoss, logarithmicSteps }) {
    const shown = (name: string, metric: MetricName, logarithmic: boolean) => series(metrics, name, metric, logarithmicSteps, logarithmic);
    const x = { title: 'Step', logarithmic: logarithmicSteps };
    const marks = details.checkpoints.length > 1 ? details.checkpoints.map(step => ({ x: step, label: `checkpoint ${step}` })) : [];
    const loss: LinesFigure = {
      kind: 'lines',
      title: 'Loss',
      caption: 'Mean cross-entropy in nats.',
      x,
      y: { title: 'Loss', logarithmic: logarithmicLoss },
      series: [shown('train', 'trainLoss', logarithmicLoss), shown('test', 'testLoss', logarithmicLoss)],
      marks,
    };
    const accuracy: LinesFigure = {
      kind: 'lines',
      title: 'Test accuracy',
      caption: 'Fraction of answers, and of whole examples, that are right.',
      x,
      y: { title: 'Fraction right' },
      series: [shown('answers', 'testAccuracy', false), shown('whole examples', 'testExactMatch', false)],
      marks,
    };
    return { figures: [loss, accuracy], scalars: lastValues(metrics) };
  },
});

/** Points that an axis can show: a logarithmic one has no place for 0. */
function series(rows: readonly MetricsRow[], name: string, metric: MetricName, logX: boolean, logY: boolean): Series {
  const points = rows.flatMap(row => {
    const value = row[metric];
    return value === undefined || (logY && value <= 0) || (logX && row.step === 0) ? [] : [{ step: row.step, value }];
  });
  return { name, x: Float64Array.from(points, point => point.step), y: Float64Array.from(points, point => point.value) };
}

function lastValues(rows: readonly MetricsRow[]): Record<string, number> {
  const last = (metric: MetricName) => rows.findLast(row => row[metric] !== undefined)?.[metric];
  const testLosses = rows.flatMap(row => row.testLoss ?? []);
  const values = {
    trainLoss: last('trainLoss'),
    testLoss: last('testLoss'),
    testAccuracy: last('testAccuracy'),
    testExactMatch: last('testExactMatch'),
    lowestTestLoss: testLosses.length > 0 ? Math.min(...testLosses) : undefined,
  };
  return Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
