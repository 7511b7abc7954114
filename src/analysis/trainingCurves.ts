import type { LinesFigure, Series } from '../protocol/figure';
import type { MetricName, MetricsRow } from '../protocol/model';
import { measuresOf } from './answerMeasures';
import { defineAnalysis, knownScalars } from './define';

/** Losses and accuracies against the training step, with a mark at every checkpoint. */
export const trainingCurves = defineAnalysis({
  id: 'training-curves',
  title: 'Training curves',
  description: 'Training and test loss, and test accuracy, at every step that was measured.',
  group: 'Training',
  live: true,
  atCheckpoint: false,
  params: {},
  scalars: {
    trainLoss: 'last training loss: in nats, or the mean squared error where answers are numbers',
    testLoss: 'last test loss, of the same kind',
    testAccuracy: 'last fraction of answer positions that are right; numbers are when they round to the right one',
    testExactMatch: 'last fraction of examples that are right whole',
    lowestTestLoss: 'lowest test loss of the run',
  },
  appliesTo: () => true,
  python: () => ({ reason: 'it was measured while the model trained, and TransformerLens keeps no record of that' }),
  run({ metrics, details, task }) {
    const measures = measuresOf(task);
    const x = { title: 'Step' };
    const marks = details.checkpoints.length > 1 ? details.checkpoints.map(step => ({ x: step, label: `checkpoint ${step}` })) : [];
    const loss: LinesFigure = {
      kind: 'lines',
      title: 'Loss',
      caption: `Mean ${measures.lossKind}.`,
      x,
      y: { title: measures.loss, logarithmic: true },
      series: [series(metrics, 'train', 'trainLoss', true), series(metrics, 'test', 'testLoss', true)],
      marks,
    };
    const accuracy: LinesFigure = {
      kind: 'lines',
      title: 'Test accuracy',
      caption: 'Fraction of answers, and of whole examples, that are right.',
      x,
      y: { title: measures.right },
      series: [series(metrics, 'answers', 'testAccuracy'), series(metrics, 'whole examples', 'testExactMatch')],
      marks,
    };
    return { figures: [loss, accuracy], scalars: lastValues(metrics) };
  },
});

/** The measured points of a metric; a logarithmic axis has no place for 0. */
function series(rows: readonly MetricsRow[], name: string, metric: MetricName, logarithmic = false): Series {
  const points = rows.flatMap(row => {
    const value = row[metric];
    return value === undefined || (logarithmic && value <= 0) ? [] : [{ step: row.step, value }];
  });
  return { name, x: Float64Array.from(points, point => point.step), y: Float64Array.from(points, point => point.value) };
}

function lastValues(rows: readonly MetricsRow[]): Record<string, number> {
  const last = (metric: MetricName) => rows.findLast(row => row[metric] !== undefined)?.[metric];
  const testLosses = rows.flatMap(row => row.testLoss ?? []);
  return knownScalars({
    trainLoss: last('trainLoss'),
    testLoss: last('testLoss'),
    testAccuracy: last('testAccuracy'),
    testExactMatch: last('testExactMatch'),
    lowestTestLoss: testLosses.length > 0 ? Math.min(...testLosses) : undefined,
  });
}
