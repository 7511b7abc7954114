import { describe, expect, test } from 'vitest';
import { StopRule } from '../../../src/training/stopRule';

const run = (rule: StopRule, losses: readonly (number | undefined)[]) =>
  losses.map(testLoss => rule.holds(testLoss === undefined ? {} : { testLoss }));

describe('a stop rule', () => {
  test('holds when the metric has been below its bound for so many evaluations in a row', () => {
    const rule = new StopRule({ metric: 'testLoss', below: 0.1, evaluations: 3 }, 0);
    expect(run(rule, [0.05, 0.05, 0.2, 0.05, 0.05, 0.05])).toEqual([false, false, false, false, false, true]);
  });

  test('a metric at its bound, one that was not measured, and one that is not a number, end the row', () => {
    const rule = new StopRule({ metric: 'testLoss', below: 0.1, evaluations: 2 }, 0);
    expect(run(rule, [0.05, 0.1, 0.05, undefined, 0.05, Number.NaN, 0.05, 0.05])).toEqual([
      false,
      false,
      false,
      false,
      false,
      false,
      false,
      true,
    ]);
  });

  test('above works the other way round', () => {
    expect(run(new StopRule({ metric: 'testLoss', above: 2, evaluations: 1 }, 0), [1, 2, 2.5])).toEqual([
      false,
      false,
      true,
    ]);
  });

  test('goes on where it was when a run is resumed', () => {
    const rule = new StopRule({ metric: 'testLoss', below: 0.1, evaluations: 3 }, 2);
    expect(run(rule, [0.05])).toEqual([true]);
  });

  test('without a rule there is none', () => {
    expect(run(new StopRule(undefined, 0), [0, 0, 0])).toEqual([false, false, false]);
  });
});
