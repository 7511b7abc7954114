import { describe, expect, test } from 'vitest';
import type { AnalysisContext } from '../../../src/analysis/define';
import { stream } from '../../../src/analysis/examples';
import { generalization } from '../../../src/analysis/generalization';
import { runAnalysis } from '../../../src/analysis/run';
import { UserError } from '../../../src/common/errors';
import { Random } from '../../../src/common/random';
import { contextOf } from '../../support/analyses';
import { prepared } from '../../support/experiments';
import { constantContext, constantParameters, pathContext } from '../../support/numberAnswers';

const run = (context: AnalysisContext, examples = 200) => runAnalysis(generalization, context, { examples });

/** The losses of one answer to everything, on the examples that the analysis draws. */
function lossesOf({ task, details }: AnalysisContext, answer: number, examples = 200): readonly number[] {
  const random = stream(new Random(details.experiment.seed, 'analysis'), 0);
  return (task.otherSets ?? []).map(set => {
    const { labels: { data } } = set.sample(random, examples);
    return data.reduce((sum, label) => sum + (label - answer) ** 2, 0) / data.length;
  });
}

const names = ['preTraining', 'fineTuning', 'onPathSmallTarget', 'onPathTarget', 'anyTargetSmallGraphs', 'anySmallTarget', 'anyTarget'];

describe('generalization', () => {
  test('is the loss on each distribution by its name, and that of any target over that on the path', async () => {
    const context = constantContext(2);
    const losses = lossesOf(context, 2);
    const { scalars } = await run(context);
    expect(names.map(name => scalars[name])).toEqual(losses.map(loss => expect.closeTo(loss, 5) as number));
    expect(scalars['anyOverOnPath']).toBeCloseTo((losses[6] ?? NaN) / (losses[3] ?? NaN), 5);
    expect(Object.keys(scalars).toSorted()).toEqual([...names, 'anyOverOnPath'].toSorted());
  });

  test('stands beside the published losses, which are in one table with the model\'s own', async () => {
    const { figures: [bars, table] } = await run(constantContext(2));
    if (bars?.kind !== 'bars' || table?.kind !== 'table') expect.fail('there are bars and a table');
    expect(bars.series.map(({ name }) => name)).toEqual(['this model']);
    expect(bars.y).toEqual({ title: 'Mean squared error', logarithmic: true });
    // The report has room for 18 characters of a label.
    expect(bars.x.labels.filter(label => label.length > 18)).toEqual([]);
    expect(new Set(bars.x.labels).size).toBe(7);
    expect(table.columns.map(({ title }) => title)).toEqual(['Distribution', 'Loss', 'Accuracy', 'Published before', 'Published', 'Asked for']);
    expect(table.rows.map(row => row.slice(3, 5))).toEqual([[0.001623, ''], [0.5531, 0.01472], ['', 0.102], ['', 0.1451], ['', 61.44], ['', 47.06], ['', 72.87]]);
  });

  test('of a model that was fine-tuned stands beside that of the one it started from, on the same examples', async () => {
    const own = constantContext(2);
    const context = { ...own, base: () => Promise.resolve(own.model.withWeights(constantParameters(own, 3))) };
    const { scalars, figures: [bars, table] } = await run(context);
    const before = lossesOf(context, 3);
    expect(scalars['fineTuningBefore']).toBeCloseTo(before[1] ?? NaN, 5);
    if (bars?.kind !== 'bars' || table?.kind !== 'table') expect.fail('there are bars and a table');
    expect([...(bars.series[1]?.values ?? [])]).toEqual(before.map(loss => expect.closeTo(loss, 5) as number));
    expect(table.rows.map(row => row[3])).toEqual(before.map(loss => expect.closeTo(loss, 5) as number));
  });

  test('of a model whose base is gone is its own alone, and says so', async () => {
    const own = constantContext(2);
    const gone = '"base", which this model starts from, is gone; train it again.';
    const { scalars, figures: [bars, table] } = await run({ ...own, base: () => Promise.reject(new UserError(gone)) });
    expect(scalars).toEqual((await run(constantContext(2))).scalars);
    if (bars?.kind !== 'bars' || table?.kind !== 'table') expect.fail('there are bars and a table');
    expect(bars.series.map(({ name }) => name)).toEqual(['this model']);
    expect(table.columns).toHaveLength(6);
    expect(table.caption).toContain(gone);
    const broken = new Error('out of memory');
    await expect(run({ ...own, base: () => Promise.reject(broken) })).rejects.toThrow(broken);
  });

  test('is for tasks with other distributions', () => {
    expect(generalization.appliesTo(pathContext().details)).toBe(true);
    expect(generalization.appliesTo(contextOf(prepared()).details)).toBe(false);
  });
});
