import { describe, expect, test } from 'vitest';
import type { AnalysisContext } from '../../../src/analysis/define';
import { stream } from '../../../src/analysis/examples';
import { predictionHistogram } from '../../../src/analysis/predictionHistogram';
import { runAnalysis } from '../../../src/analysis/run';
import { Random } from '../../../src/common/random';
import type { TestSet } from '../../../src/tasks/task';
import { contextOf } from '../../support/analyses';
import { prepared } from '../../support/experiments';
import { constantContext, pathContext } from '../../support/numberAnswers';

async function run(context: AnalysisContext, params: Readonly<Record<string, unknown>> = {}) {
  const { figures: [histogram, table], scalars } = await runAnalysis(predictionHistogram, context, { examples: 300, ...params });
  if (histogram?.kind !== 'histogram2d' || table?.kind !== 'table') expect.fail('there are a histogram and a table');
  const columns = histogram.xEdges.length - 1;
  const column = (label: number) => [...histogram.counts].filter((_, at) => at % columns === label - (histogram.xEdges[0] ?? NaN) - 0.5);
  /** The bins of a label that predictions are in: middle and share. */
  const filled = (label: number) => column(label).flatMap((share, bin) => (share > 0 ? [{ at: ((histogram.yEdges[bin] ?? NaN) + (histogram.yEdges[bin + 1] ?? NaN)) / 2, share }] : []));
  return { histogram, table, scalars, filled };
}

/** The right answers that the analysis sees. */
const labelsOf = ({ details }: AnalysisContext, draw: TestSet['sample']) => [...draw(stream(new Random(details.experiment.seed, 'analysis'), 0), 300).labels.data];
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('the prediction histogram', () => {
  test('has the share of the predictions of each right number in a bin around each quarter', async () => {
    const { filled, table, scalars } = await run(constantContext(2.3));
    const context = pathContext();
    const labels = labelsOf(context, (random, count) => context.task.sample(random, count));
    for (const label of new Set(labels)) expect(filled(label)).toEqual([{ at: 2.25, share: expect.closeTo(1, 5) as number }]);
    expect(table.rows).toEqual([...new Set(labels)].sort().map(label =>
      [label, labels.filter(each => each === label).length, expect.closeTo((label - 2.3) ** 2, 5), expect.closeTo(2.3, 5), expect.closeTo(0, 5)]));
    expect(scalars).toEqual({
      loss: expect.closeTo(mean(labels.map(label => (label - 2.3) ** 2)), 5) as number,
      accuracy: labels.filter(label => label === 2).length / labels.length,
      bias: expect.closeTo(2.3 - mean(labels), 5) as number,
    });
  });

  test('of predictions that differ has columns that sum to 1, and their spread', async () => {
    const context = pathContext();
    const { filled, table } = await run(context, { examples: 2000 });
    for (const [label, , loss, centre, deviation] of table.rows) {
      expect(filled(Number(label)).reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 5);
      // The mean squared error is the variance and the squared bias.
      expect(Number(deviation) ** 2 + (Number(centre) - Number(label)) ** 2).toBeCloseTo(Number(loss), 6);
      expect(Number(deviation)).toBeGreaterThan(0);
    }
  });

  test('has predictions far away in its outermost bins, and says how many', async () => {
    const far = await run(constantContext(1e6));
    expect(far.filled(2)).toEqual([{ at: (far.histogram.yEdges.at(-1) ?? NaN) - 0.125, share: expect.closeTo(1, 5) as number }]);
    expect(far.histogram.caption).toMatch(/ 300 predictions lie further out and stand in the outermost bins\.$/);
    expect((await run(constantContext(-1e6))).filled(2)).toHaveLength(1);
  });

  test('is of another distribution where one is named', async () => {
    const context = constantContext(2);
    const set = context.task.otherSets?.find(({ id }) => id === 'any-target') ?? expect.fail();
    const { histogram, scalars } = await run(context, { distribution: 'any-target' });
    expect(histogram.title).toBe('Predictions: Any target in large graphs');
    expect(scalars['loss']).toBeCloseTo(mean(labelsOf(context, (random, count) => set.sample(random, count)).map(label => (label - 2) ** 2)), 5);
  });

  test('refuses a distribution that there is not, with the nearest', async () => {
    await expect(run(pathContext(), { distribution: 'any-tagret' })).rejects.toThrow(/^There is no distribution "any-tagret"; the nearest are "any-target"/);
  });

  test('is for answers that are numbers', () => {
    expect(predictionHistogram.appliesTo(pathContext().details)).toBe(true);
    expect(predictionHistogram.appliesTo(contextOf(prepared()).details)).toBe(false);
  });
});
