import { describe, expect, test } from 'vitest';
import type { AnalysisContext } from '../../../src/analysis/define';
import { lossByGroup, orderedShare } from '../../../src/analysis/lossByGroup';
import { runAnalysis } from '../../../src/analysis/run';
import { UserError } from '../../../src/common/errors';
import type { AnalysisResult } from '../../../src/protocol/analysis';
import { contextOf } from '../../support/analyses';
import { prepared } from '../../support/experiments';
import { constantParameters, pathContext } from '../../support/numberAnswers';

/** What a model answers to everything at each of its checkpoints, 100 steps apart. */
function answering(...answers: readonly number[]): AnalysisContext {
  const parametersAt = new Map(answers.map((answer, at) => [100 * (at + 1), constantParameters(pathContext(), answer)]));
  return pathContext({}, { parametersAt });
}

function run(context: AnalysisContext): Promise<AnalysisResult> {
  return runAnalysis(lossByGroup, context, { examples: 32 });
}

function linesOf({ figures: [lines] }: AnalysisResult) {
  return lines?.kind === 'lines' ? lines : expect.fail('losses are lines');
}

/** Lengths 1 to 5 and no path. */
const groups = 6;

describe('loss by group', () => {
  const early = [9, 9, 9, 9, 9, 9];
  const late = [1.01, 1.01, 1.01, 1.01, 1.01, 1.01];

  test('is the mean squared error of each path length at every checkpoint, in the order of steps', async () => {
    const result = await run(answering(0, 2, 5.5));
    const { series } = linesOf(result);
    expect(series.map(({ name }) => name)).toEqual(['length 1', 'length 2', 'length 3', 'length 4', 'length 5', 'no path']);
    for (const [index, { x, y }] of series.slice(0, 5).entries()) {
      // A logarithmic axis has no place for 0.
      const points = [0, 2, 5.5].map((answer, at) => [100 * (at + 1), (index + 1 - answer) ** 2]).filter(([, loss]) => loss !== 0);
      expect([...x].map((step, at) => [step, y[at]])).toEqual(points.map(([step = 0, loss = 0]) => [step, expect.closeTo(loss, 5)]));
    }
    expect(result.scalars['groups']).toBe(groups);
    expect(result.scalars['lastLoss']).toBeCloseTo(series.reduce((sum, { y }) => sum + (y.at(-1) ?? NaN), 0) / groups, 5);
  });

  test('marks where a group\'s loss drops suddenly, and says how far', async () => {
    const result = await run(answering(...early, ...late));
    const { marks, caption } = linesOf(result);
    expect(marks).toEqual([{ x: 700, label: 'length 1' }]);
    expect(result.scalars).toMatchObject({ groups, learned: 1, phases: 1, firstPhase: 700, lastPhase: 700 });
    // One group has no order.
    expect(result.scalars).not.toHaveProperty('orderedShare');
    const [, table] = result.figures;
    const rows = table?.kind === 'table' ? table.rows : [];
    const guess = Number(/every time has ([\d.]+)\./.exec(caption ?? '')?.[1]);
    // What is worse than a guess counts as one.
    expect(rows[0]).toEqual(['length 1', 32, 700, 700, expect.closeTo(guess, 2), expect.closeTo(1e-4, 6), expect.closeTo(1e-4, 6)]);
    expect(rows[1]).toEqual(['length 2', 32, '', '', '', '', expect.closeTo(0.99 ** 2, 5)]);
    expect(rows).toHaveLength(groups);
  });

  test('drops before the first checkpoint where a model starts untrained, but not where it starts from another', async () => {
    const context = answering(...late);
    expect(linesOf(await run(context)).marks).toEqual([{ x: 100, label: 'length 1' }]);
    const tuned = { ...context.details, experiment: { ...context.details.experiment, from: { id: 'other', name: 'other' } } };
    expect(linesOf(await run({ ...context, details: tuned })).marks).toEqual([]);
  });

  test('has no line for a group without any loss, and says so', async () => {
    const { series, caption } = linesOf(await run(answering(2)));
    expect(series.map(({ name }) => name)).toEqual(['length 1', 'length 3', 'length 4', 'length 5', 'no path']);
    expect(caption).toMatch(/ A loss of 0, which has no place on this axis: length 2\.$/);
    // At one of its checkpoints it has one.
    expect(linesOf(await run(answering(2, 1))).caption).not.toContain('A loss of 0');
  });

  test('counts a group as learned only when it stays so', async () => {
    // Lengths 1 and 2 are both near 1.6 once, and only length 2 is at the end.
    const result = await run(answering(1.05, 1.6, 2.05, 2.05));
    const [, table] = result.figures;
    expect(table?.kind === 'table' && table.rows.slice(0, 3).map(row => row[2])).toEqual(['', 200, '']);
    expect(result.scalars).toMatchObject({ learned: 1 });
  });

  test('shows what was measured so far, of the same groups', async () => {
    const seen: (AnalysisResult | undefined)[] = [];
    await run({ ...answering(...early), progress: (_, partial) => void seen.push(partial?.()) });
    expect(seen.map(partial => partial && linesOf(partial).series.map(({ x }) => x.length))).toEqual([undefined, ...[2, 3, 4, 5, 6].map(count => Array.from({ length: groups }, () => count))]);
  });

  test('leaves out a checkpoint that cannot be read, and says so', async () => {
    const context = answering(...early);
    const result = await run({
      ...context, atCheckpoint: step => (step === 200 ? Promise.reject(new UserError('The checkpoint is torn.')) : context.atCheckpoint(step)),
    });
    expect(linesOf(result).caption).toMatch(/The checkpoint at step 200 could not be read and is left out\.$/);
    expect([...(linesOf(result).series[0]?.x ?? [])]).toEqual([100, 300, 400, 500, 600]);
  });

  test('needs a checkpoint, and answers that are numbers', async () => {
    await expect(run(pathContext())).rejects.toThrow(/ has no checkpoints, so nothing can be measured along its training\.$/);
    await expect(run(contextOf(prepared()))).rejects.toThrow(/it needs a task whose answers are numbers/);
  });
});

describe('the ordered share of what was learned', () => {
  const learnedAt = (size: number | undefined, learned: number | undefined) => ({ size, learned });

  test('is 1 where shorter paths are learned first, 0 where they are learned last', () => {
    expect(orderedShare([learnedAt(1, 100), learnedAt(2, 300), learnedAt(4, 400)])).toBe(1);
    expect(orderedShare([learnedAt(1, 400), learnedAt(2, 300), learnedAt(4, 100)])).toBe(0);
    expect(orderedShare([learnedAt(4, 400), learnedAt(1, 100), learnedAt(2, 600)])).toBeCloseTo(2 / 3, 12);
  });

  test('counts those learned at once half, and graphs without a path not at all', () => {
    expect(orderedShare([learnedAt(1, 100), learnedAt(2, 100)])).toBe(0.5);
    expect(orderedShare([learnedAt(1, 100), learnedAt(2, 200), learnedAt(undefined, 50)])).toBe(1);
    expect(orderedShare([learnedAt(1, 100), learnedAt(undefined, 50)])).toBeUndefined();
    expect(orderedShare([learnedAt(1, 100), learnedAt(2, undefined)])).toBeUndefined();
  });
});
