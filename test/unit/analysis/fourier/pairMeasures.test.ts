import { describe, expect, test } from 'vitest';
import type { AnalysisContext } from '../../../../src/analysis/define';
import { measurePairs, pairSetOf, restrictedLoss } from '../../../../src/analysis/fourier/pairMeasures';
import { float32 } from '../../../../src/common/tensor';
import { contextOf } from '../../../support/analyses';
import { expectClose } from '../../../support/close';
import { prepared } from '../../../support/experiments';
import { lookupModel, randomModel } from '../../../support/modularModels';
import { defined, splitOf, wholePairs } from '../../../support/wholePairs';

async function measured(context: AnalysisContext, frequencies: readonly number[]) {
  const pairs = pairSetOf(context.details, context.task);
  const measures = await measurePairs(context.model, pairs, [frequencies]);
  const { trainLoss, testLoss, excludedLosses: [excluded = NaN] } = measures;
  return { trainLoss, testLoss, excluded, restricted: restrictedLoss(measures, pairs, frequencies) };
}

const models = [
  ['subtract', 13, { n_layers: 1 }],
  ['add', 13, { n_layers: 2 }],
  ['subtract', 14, { n_layers: 2 }],
  ['add', 14, { n_layers: 1 }],
  ['add', 13, { n_layers: 1, normalization_type: 'LN' }],
  ['subtract', 14, { n_layers: 2, normalization_type: 'LN' }],
  ['add', 14, { n_layers: 2, attn_only: true, d_mlp: undefined }],
] as const;

describe('losses with frequencies kept or removed are those of the definitions', () => {
  test.each(models)('%s modulo %i, %o', async (operation, p, model) => {
    const context = randomModel(operation, p, model);
    for (const frequencies of [[2, 5], [Math.floor(p / 2)], [1, 3, Math.floor(p / 2)]]) {
      const [actual, expected] = [await measured(context, frequencies), await defined(context, frequencies)];
      expectClose(Object.values(actual), Object.values(expected), { relative: 1e-5 });
    }
  });

  test.each([['add', 13], ['subtract', 14]] as const)('also where they are tiny: %s modulo %i', async (operation, p) => {
    const context = lookupModel(operation, p, 18.5);
    const every = Array.from({ length: Math.floor(p / 2) }, (_, index) => index + 1);
    const [actual, expected] = [await measured(context, every), await defined(context, every)];
    expect(expected.testLoss).toBeLessThan(2e-7);
    expect(expected.restricted).toBeLessThan(2e-7);
    expect(expected.excluded).toBeGreaterThan(1);
    expectClose(Object.values(actual), Object.values(expected), { relative: 1e-5 });
  });

  test.each([['add', 13, null], ['subtract', 14, null], ['subtract', 13, 'LNPre'], ['add', 14, 'LNPre']] as const)(
    'whichever frequencies a model is made of: %s modulo %i, norm %s', async (operation, p, normalization_type) => {
      const context = lookupModel(operation, p, 5, { normalization_type });
      for (const frequencies of [[2, 5], [Math.floor(p / 2)], [1, 2, 4]]) {
        const [actual, expected] = [await measured(context, frequencies), await defined(context, frequencies)];
        expectClose(Object.values(actual), Object.values(expected), { relative: 1e-5 });
        expect(Math.abs(actual.excluded / actual.trainLoss - 1)).toBeGreaterThan(0.1);
      }
    },
  );

  test('also where the pairs are too many to be run at once', async () => {
    const context = randomModel('subtract', 50, { n_layers: 1 });
    const [actual, expected] = [await measured(context, [3, 25]), await defined(context, [3, 25])];
    expectClose(Object.values(actual), Object.values(expected), { relative: 1e-5 });
  });

  test('nothing removed leaves the loss, and nothing kept the mean of the logits', async () => {
    const context = contextOf(prepared({ task: { modulus: 13 } }));
    const [actual, expected] = [await measured(context, []), await defined(context, [])];
    expect(actual.excluded).toBe(actual.trainLoss);
    expectClose(Object.values(actual), Object.values(expected), { relative: 1e-5 });
  });
});

describe('a pass over all pairs', () => {
  test('counts what is right', async () => {
    const context = lookupModel('subtract', 6, 18.5);
    const { trainAccuracy, testAccuracy } = await measurePairs(context.model, pairSetOf(context.details, context.task));
    expect([trainAccuracy, testAccuracy]).toEqual([1, 1]);
    const untrained = contextOf(prepared({ task: { modulus: 6 } }));
    const { logits } = await wholePairs(untrained);
    const { train } = splitOf(untrained, 6);
    const right = train.filter(pair => logits[pair]?.indexOf(Math.max(...logits[pair])) === (Math.floor(pair / 6) + (pair % 6)) % 6);
    expect((await measurePairs(untrained.model, pairSetOf(untrained.details, untrained.task))).trainAccuracy).toBeCloseTo(right.length / train.length, 6);
  });

  test('is compiled once, whatever is removed and at whichever checkpoint', async () => {
    const context = contextOf(prepared({ task: { modulus: 13 } }));
    const pairs = pairSetOf(context.details, context.task);
    const [one, other] = [await measurePairs(context.model, pairs, [[1]]), await measurePairs(context.model, pairs, [[2]])];
    expect(one.excludedLosses).not.toEqual(other.excludedLosses);
    const zero = context.model.withWeights(new Map(context.details.parameters.map(({ name, shape }) => [name, float32(shape)])));
    const { trainLoss, excludedLosses } = await measurePairs(zero, pairs, [[1]]);
    expectClose([trainLoss, ...excludedLosses], [Math.log(13), Math.log(13)], { relative: 1e-6 });
  });

  test('is refused where there are too many of them', () => {
    const context = contextOf(prepared({ task: { modulus: 400 } }));
    expect(() => pairSetOf(context.details, context.task)).toThrow('Modulo 400 there are 160000 pairs, too many to keep the logits of all of them; the modulus can be 362 at most.');
  });
});
