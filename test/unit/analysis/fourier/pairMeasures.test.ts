import { describe, expect, test } from 'vitest';
import type { AnalysisContext } from '../../../../src/analysis/define';
import { measurePairs, pairSetOf, restrictedLoss } from '../../../../src/analysis/fourier/pairMeasures';
import { float32 } from '../../../../src/common/tensor';
import { contextOf } from '../../../support/analyses';
import { expectClose } from '../../../support/close';
import { prepared } from '../../../support/experiments';
import { lookupModel, randomModel, wholePairs, type WholePairs } from '../../../support/modularModels';

// The definitions of Nanda et al. (2023), as sums over all pairs (a, b) and outputs c in float64.

/** The loss of logits `[p², p]` over some pairs. */
function lossOver({ p, sign }: WholePairs, logits: readonly (readonly number[])[], pairs: readonly number[]): number {
  const losses = pairs.map(pair => {
    const row = logits[pair] ?? [];
    const answer = (Math.floor(pair / p) + sign * (pair % p) + p) % p;
    const others = row.reduce((sum, logit, c) => (c === answer ? sum : sum + Math.exp(logit - (row[answer] ?? NaN))), 0);
    return Math.log1p(others);
  });
  return losses.reduce((sum, value) => sum + value, 0) / pairs.length;
}

/** What of the columns of `values [p², N]` lies along the normed cos(w(a ± b)) and sin(w(a ± b)) of some frequencies. */
function alongWaves({ p, sign }: WholePairs, values: readonly (readonly number[])[], frequencies: readonly number[]): number[][] {
  const kept = values.map(row => row.map(() => 0));
  for (const k of frequencies) {
    for (const wave of [Math.cos, Math.sin]) {
      const direction = values.map((_, pair) => wave((2 * Math.PI * k * (Math.floor(pair / p) + sign * (pair % p))) / p));
      const norm = Math.sqrt(direction.reduce((sum, value) => sum + value * value, 0));
      if (norm < 1e-6) continue; // sin(π(a ± b)) is zero
      (values[0] ?? []).forEach((_, column) => {
        const share = values.reduce((sum, row, pair) => sum + (row[column] ?? 0) * ((direction[pair] ?? 0) / norm), 0);
        kept.forEach((row, pair) => (row[column] = (row[column] ?? 0) + share * ((direction[pair] ?? 0) / norm)));
      });
    }
  }
  return kept;
}

/** What the share of the last layer's neurons adds to the logits. */
function throughOutput({ details, model }: AnalysisContext, neurons: readonly (readonly number[])[]): number[][] {
  const matrix = (name: string) => {
    const { shape: [, columns = 0], data } = model.parameter(name);
    return (row: number, column: number) => data[row * columns + column] ?? NaN;
  };
  const { config: { n_layers, d_model, d_mlp = 0, d_vocab_out } } = details;
  const [out, unembed] = [matrix(`blocks.${n_layers - 1}.mlp.W_out`), matrix('unembed.W_U')];
  const both = Array.from({ length: d_mlp }, (_, n) => Array.from({ length: d_vocab_out }, (_, c) =>
    Array.from({ length: d_model }, (_, d) => out(n, d) * unembed(d, c)).reduce((sum, value) => sum + value, 0)));
  return neurons.map(row => Array.from({ length: d_vocab_out }, (_, c) => row.reduce((sum, value, n) => sum + value * (both[n]?.[c] ?? NaN), 0)));
}

const combined = (one: readonly (readonly number[])[], other: readonly (readonly number[])[], sign: 1 | -1) =>
  one.map((row, at) => row.map((value, column) => value + sign * (other[at]?.[column] ?? NaN)));

function meanRow(rows: readonly (readonly number[])[]): number[] {
  return (rows[0] ?? []).map((_, column) => rows.reduce((sum, row) => sum + (row[column] ?? 0), 0) / rows.length);
}

/** Numbers a·p + b of the task's training and test pairs. */
function splitOf({ details, task }: AnalysisContext, p: number) {
  const numbers = (tokens: Int32Array) => Array.from({ length: tokens.length / 3 }, (_, at) => (tokens[3 * at] ?? 0) * p + (tokens[3 * at + 1] ?? 0));
  const { train, test } = task.split?.(details.experiment.seed) ?? expect.fail();
  return { train: numbers(train.tokens.data), test: numbers(test.tokens.data) };
}

async function defined(context: AnalysisContext, frequencies: readonly number[]) {
  const { config } = context.details;
  const pairs = await wholePairs(context);
  const { train, test } = splitOf(context, pairs.p);
  const byNeurons = !config.attn_only && config.normalization_type === null;
  const kept = byNeurons ? throughOutput(context, alongWaves(pairs, pairs.neurons, frequencies)) : alongWaves(pairs, pairs.logits, frequencies);
  const [means, keptMeans] = [meanRow(pairs.logits), meanRow(kept)];
  return {
    trainLoss: lossOver(pairs, pairs.logits, train),
    testLoss: lossOver(pairs, pairs.logits, test),
    excluded: lossOver(pairs, combined(pairs.logits, kept, -1), train),
    restricted: lossOver(pairs, kept.map(row => row.map((value, c) => value + (means[c] ?? NaN) - (keptMeans[c] ?? NaN))), test),
  };
}

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
    expect(() => pairSetOf(context.details, context.task)).toThrow('Modulo 400 there are 160000 pairs, too many to run all of them at once; the modulus can be 362 at most.');
  });
});
