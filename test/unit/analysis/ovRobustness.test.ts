import { describe, expect, test } from 'vitest';
import type { AnalysisContext } from '../../../src/analysis/define';
import { ovRobustness } from '../../../src/analysis/ovRobustness';
import { runAnalysis } from '../../../src/analysis/run';
import { CancelledError, UserError } from '../../../src/common/errors';
import type { LinesFigure } from '../../../src/protocol/figure';
import { maxModel, numberContext } from '../../support/numberModels';
import { modularContext, withEntries } from '../../support/waves';

async function run(context: AnalysisContext, params: Readonly<Record<string, unknown>> = {}) {
  const { figures, scalars } = await runAnalysis(ovRobustness, context, params);
  const [shares, values, answers] = figures as readonly LinesFigure[];
  return { shares: shares ?? expect.fail(), values: values ?? expect.fail(), answers, scalars };
}

/** y of a line by its x. */
function lineOf({ series }: LinesFigure, name: string): ReadonlyMap<number, number> {
  const { x, y } = series.find(line => line.name === name) ?? expect.fail(name);
  return new Map(Array.from(x, (at, index) => [at, y[index] ?? NaN]));
}

/** A model whose heads copy, each with a weight of 1, except values below `blind`, of which they write nothing. */
function copier(heads: number, blind = 0): AnalysisContext {
  const made = maxModel(Array.from({ length: heads }, () => 1), 4);
  return withEntries(made, 'embed.W_E', (token, column, before) => (token < blind && column > 0 ? 0 : before));
}

describe('ov robustness', () => {
  test('of a model that only copies lasts until half of the attention is on another value', async () => {
    const { scalars, shares, values, answers } = await run(copier(2));
    expect(scalars).toEqual({ copied: 1, atTwenty: 1, tolerance: 0.45 });
    const every = lineOf(shares, 'every head');
    expect([every.get(0.45), every.get(0.55), every.get(1)]).toEqual([1, 0, 0]);
    // At a half both logits are the same, and the smaller output wins.
    expect(every.get(0.5)).toBe(0.5);
    // The other head's attention holds the value up to the very end.
    expect(lineOf(shares, 'L0H0 alone').get(0.95)).toBe(1);
    expect(shares.series.map(({ name }) => name)).toEqual(['every head', 'L0H0 alone', 'L0H1 alone']);
    expect([...lineOf(values, 'all attention on it')]).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map(value => [value, 1]));
    expect(answers).toBeUndefined();
  });

  test('counts the values that are asked for, and shows the others', async () => {
    const blind = copier(1, 2);
    const all = await run(blind);
    // Of nothing written at all, output 0 is the first of the largest.
    expect(all.scalars['copied']).toBe(7 / 8);
    expect(all.scalars['tolerance']).toBe(0);
    expect(all.shares.title).toBe('Accuracy as another value is mixed in');
    const { scalars, shares, values } = await run(blind, { from: 2 });
    expect(scalars).toEqual({ copied: 1, atTwenty: 1, tolerance: 0.45 });
    expect(shares.title).toBe('Accuracy of values from 2 on as another value is mixed in');
    expect([...lineOf(values, 'all attention on it').values()]).toEqual([1, 0, 1, 1, 1, 1, 1, 1]);
    // All that is mixed into 0 and 1 is larger, and nothing of theirs stands against it.
    expect([...lineOf(values, '20 % on another value').values()]).toEqual([0, 0, 1, 1, 1, 1, 1, 1]);
    expect(values.marks).toEqual([{ x: 2, label: 'counted from here on' }]);
    expect(shares.series).toHaveLength(1); // its one head alone is every head
  });

  test('has a line for each of several answers, which come to that of all', async () => {
    const { shares, answers } = await run(numberContext({ name: 'sort' }, { d_model: 16, d_head: 8 }), { others: 7 });
    const lines = answers ?? expect.fail('no lines by answer');
    expect(lines.series.map(({ name }) => name)).toEqual(['=', 's1', 's2']);
    for (const [share, accuracy] of lineOf(shares, 'every head')) {
      const each = lines.series.map(({ x, y }) => y[x.indexOf(share)] ?? NaN);
      expect(each.reduce((sum, value) => sum + value, 0) / 3).toBeCloseTo(accuracy, 12);
    }
  });

  test('draws the same prompts when it is asked for again, and others for another sample', async () => {
    const context = () => numberContext({ name: 'median' }, { d_model: 16, d_head: 8 });
    const [once, again, another] = [await run(context(), { others: 3 }), await run(context(), { others: 3 }), await run(context(), { others: 3, sample: 1 })];
    expect(again.shares).toEqual(once.shares);
    expect(another.shares.series).not.toEqual(once.shares.series);
  });

  test('stops between shares when it is cancelled', async () => {
    const controller = new AbortController();
    const fractions: number[] = [];
    const progress = (fraction: number) => {
      fractions.push(fraction);
      if (fractions.length === 3) controller.abort();
    };
    await expect(run({ ...copier(2), signal: controller.signal, progress })).rejects.toThrow(CancelledError);
    expect(fractions).toHaveLength(3);
  });
});

describe('ov robustness refuses in one sentence', () => {
  test('to count from where fewer than two values are left', async () => {
    await expect(run(copier(1), { from: 7 })).rejects.toThrow(UserError);
    await expect(run(copier(1), { from: 7 })).rejects.toThrow('Of the inputs\' values 1 is 7 or larger, and two are needed to mix; choose a smaller "from".');
  });

  test('a model whose answers are not among its inputs', async () => {
    await expect(run(modularContext(7))).rejects.toThrow('The analysis "ov-robustness" does not apply to modular-arithmetic; it needs one layer, and a task whose answers stand among its inputs, where every answer may attend to at least two of them.');
  });
});
