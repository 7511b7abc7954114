import { describe, expect, test } from 'vitest';
import { logitPeriodicity } from '../../../src/analysis/logitPeriodicity';
import { runAnalysis } from '../../../src/analysis/run';
import type { AnalysisContext } from '../../../src/analysis/define';
import type { BarsFigure, Figure, LinesFigure, TableFigure } from '../../../src/protocol/figure';
import { expectClose } from '../../support/close';
import { Draw } from '../../support/draw';
import { lookupModel, randomModel } from '../../support/modularModels';
import { otherContext } from '../../support/waves';
import { answerOf, definedCosines, lossOver, wholePairs } from '../../support/wholePairs';

async function run(context: AnalysisContext, frequencies = '') {
  const { figures, scalars } = await runAnalysis(logitPeriodicity, context, { frequencies });
  const [bars, lines, parts, answers] = figures as readonly [BarsFigure, LinesFigure, TableFigure, TableFigure, ...Figure[]];
  return { scalars, bars, lines, parts, answers };
}

describe('logit periodicity', () => {
  test.each([['add', 13, 1], ['subtract', 14, 2]] as const)('is that of the definition: %s modulo %i, %i layers', async (operation, p, n_layers) => {
    const keys = [1, 4, Math.floor(p / 2)];
    for (const context of [randomModel(operation, p, { n_layers }), randomModel(operation, p, { n_layers, normalization_type: 'LN' }), lookupModel(operation, p, 18.5)]) {
      const whole = await wholePairs(context);
      const every = definedCosines(whole, Array.from({ length: Math.floor(p / 2) }, (_, at) => at + 1));
      const { norm, residual, coefficients, approximation } = definedCosines(whole, keys);
      const { scalars, bars, parts, answers } = await run(context, keys.join(' '));

      const [all, key] = bars.series;
      expectClose(all?.values ?? [], every.coefficients.map(value => value / norm), { absolute: 1e-5 });
      expect(Array.from(key?.values ?? []).flatMap((value, at) => (value === 0 ? [] : [at + 1]))).toEqual(keys);
      expectClose(parts.rows.slice(0, 3).map(([, coefficient]) => Number(coefficient)), coefficients, { absolute: 1e-5 * norm });
      expectClose([scalars['keySimilarity'] ?? NaN], [Math.hypot(...coefficients) / norm], { absolute: 1e-5 });
      expectClose([scalars['residual'] ?? NaN], [residual], { absolute: 1e-5 });
      expectClose([Number(parts.rows[5]?.[2])], [every.residual], { absolute: 1e-5 });

      const pairs = Array.from({ length: p * p }, (_, pair) => pair);
      const rows = pairs.map(pair => approximation.slice(pair * p, (pair + 1) * p));
      expectClose([scalars['loss'] ?? NaN], [lossOver(whole, whole.logits, pairs)], { relative: 1e-5 });
      expectClose([scalars['approximationLoss'] ?? NaN], [lossOver(whole, rows, pairs)], { relative: 1e-4 });
      const accuracyOf = (logits: readonly (readonly number[])[]) =>
        pairs.filter(pair => logits[pair]?.every((value, c) => c === answerOf(whole, pair) || value < (logits[pair]?.[answerOf(whole, pair)] ?? NaN))).length / pairs.length;
      expect(scalars['accuracy']).toBeCloseTo(accuracyOf(whole.logits), 6);
      expect(scalars['approximationAccuracy']).toBe(accuracyOf(rows));
      expect(answers.rows.map(row => row[1])).toEqual([scalars['loss'], scalars['approximationLoss']]);
    }
  });

  test('shows the logits by how far an output is from the answer', async () => {
    const context = lookupModel('subtract', 13, 5);
    const { logits } = await wholePairs(context);
    const { lines } = await run(context, '1');
    const means = Array.from({ length: 13 }, (_, d) => logits.reduce((sum, row, pair) => sum + (row[(Math.floor(pair / 13) - (pair % 13) - d + 26) % 13] ?? NaN), 0) / 169);
    expectClose(lines.series[0]?.y ?? [], means, { absolute: 1e-5 });
    expect(lines.title).toBe('Logits by a − b − c');
  });

  test('is compared with a random cube, which is about as similar as it says', async () => {
    const context = randomModel('add', 13);
    const logits = (await wholePairs(context)).logits.flat();
    const { parts } = await run(context, '1');
    const draw = new Draw('cubes');
    const norm = Math.hypot(...logits);
    const squares = Array.from({ length: 200 }, () => {
      const { data } = draw.float32([logits.length]);
      return (logits.reduce((sum, value, at) => sum + value * (data[at] ?? NaN), 0) / norm / Math.hypot(...data)) ** 2;
    });
    const typical = Math.sqrt(squares.reduce((sum, value) => sum + value, 0) / squares.length);
    const [name, , similarity] = parts.rows.at(-1) ?? [];
    expect(name).toBe('a random cube, typically');
    expectClose([Number(similarity)], [typical], { relative: 0.2 });
  });

  test('without key frequencies says what every frequency has, and that none explains anything', async () => {
    const { scalars, bars } = await run(lookupModel('add', 13, 5));
    expect(scalars).toMatchObject({ keySimilarity: 0, residual: 1, approximationAccuracy: 0, accuracy: 1 });
    expect(scalars['approximationLoss']).toBeCloseTo(Math.log(13), 12);
    expect(bars.series.map(({ name }) => name)).toEqual(['similarity']);
  });

  test('needs a modular task and frequencies that there are', async () => {
    await expect(runAnalysis(logitPeriodicity, otherContext(), {})).rejects.toThrow(/needs a task of addition or subtraction modulo a number/);
    await expect(run(randomModel('add', 13), '7')).rejects.toThrow('There is no frequency "7" modulo 13');
  });
});
