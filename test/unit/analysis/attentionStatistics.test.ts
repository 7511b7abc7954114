import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { attentionStatistics } from '../../../src/analysis/attentionStatistics';
import type { AnalysisContext } from '../../../src/analysis/define';
import { runAnalysis } from '../../../src/analysis/run';
import { UserError } from '../../../src/common/errors';
import { float32, type HostTensor } from '../../../src/common/tensor';
import { asFloat32 } from '../../../src/model/runnable';
import { forward } from '../../../src/model/transformer';
import type { AttentionFigure, BarsFigure, HeatmapFigure, TableFigure } from '../../../src/protocol/figure';
import { expectClose } from '../../support/close';
import { listCopyContext } from '../../support/listCopy';
import { withEntries } from '../../support/waves';

async function run(context: AnalysisContext, params: Readonly<Record<string, unknown>> = {}) {
  const { figures, scalars } = await runAnalysis(attentionStatistics, context, params);
  const [mean, spread, head, accuracy, table] = figures as readonly [AttentionFigure, HeatmapFigure, HeatmapFigure, BarsFigure, TableFigure];
  return { mean, spread, head, accuracy, table, scalars };
}

const context = () => listCopyContext({ digits: 12 }, { n_heads: 2, d_head: 4 });
const hooks = [0, 1, 2].map(layer => `blocks.${layer}.attn.hook_pattern`);
const T = 5;

function testSet({ task, details: { experiment } }: AnalysisContext) {
  return task.split?.(experiment.seed).test ?? expect.fail('no test set');
}

/** Every head's weights on the test set: by head, by cell of the pattern, by example. */
async function weightsOf(of: AnalysisContext): Promise<readonly (readonly (readonly number[])[])[]> {
  const { cache } = await of.model.runWithCache(testSet(of).tokens, hooks);
  return hooks.flatMap(hook => {
    const { shape: [B = 0, H = 0], data } = cache.get(hook) ?? expect.fail(hook);
    return Array.from({ length: H }, (_, head) => Array.from({ length: T * T }, (__, cell) =>
      Array.from({ length: B }, (___, example) => data[(example * H + head) * T * T + cell] ?? NaN)));
  });
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviationOf = (values: readonly number[]) => Math.sqrt(meanOf(values.map(value => (value - meanOf(values)) ** 2)));

/** The share of the answers of `logits [B, T, U]` that are right, at o1 and at o2. */
function accuraciesOf({ shape: [B = 0, , U = 0], data }: HostTensor<'float32'>, labels: HostTensor<'int32'>): number[] {
  return [3, 4].map((position, answer) => meanOf(Array.from({ length: B }, (_, example) => {
    const row = data.subarray((example * T + position) * U, (example * T + position + 1) * U);
    return Number(row.indexOf(Math.max(...row)) === labels.data[example * 2 + answer]);
  })));
}

describe('attention statistics', () => {
  test('are means and standard deviations over the whole test set', async () => {
    const of = context();
    const weights = await weightsOf(of);
    const { mean, spread, head, scalars } = await run(of, { head: '1.1' });
    expect(mean.title).toBe('Mean attention over 29 test examples'); // a fifth of 12 × 12
    mean.heads.forEach(({ pattern }, at) => expectClose(pattern, (weights[at] ?? []).map(meanOf), { absolute: 1e-6 }));
    const deviations = weights.map(cells => cells.map(deviationOf));
    expectClose(head.values, deviations[3] ?? [], { absolute: 1e-6 });
    expect(head.subject).toEqual({ layer: 1, head: 1 });
    expect([...head.present ?? []].reduce((sum, there) => sum + there, 0)).toBe(7);
    expectClose(spread.values, deviations.flatMap(cells => [0, 1, 2, 3, 4].map(row => Math.max(...cells.slice(row * T, (row + 1) * T)))), { absolute: 1e-6 });
    expect(scalars['spread']).toBeCloseTo(Math.max(...deviations.flat()), 6);
  });

  test('draw the head that varies most, where none is chosen', async () => {
    const { head, spread } = await run(context());
    const largest = spread.values.indexOf(Math.max(...spread.values));
    expect(head.subject).toEqual(spread.y.subjects?.[Math.floor(largest / T)]);
  });

  test('say what the model can do with the mean patterns in all layers at once', async () => {
    const of = context();
    const { tokens, labels } = testSet(of);
    const B = tokens.shape[0] ?? 0;
    const weights = await weightsOf(of);
    const means = [0, 1, 2].map(layer => float32([1, 2, T, T], Float32Array.from(weights.slice(2 * layer, 2 * layer + 2).flatMap(cells => cells.map(meanOf)))));
    const [replaced] = await of.model.compute('with means', (parameters, prompts, ...given) => [forward(of.model.config, parameters, prompts ?? expect.fail(), {
      hook: (name, value) => {
        const pattern = given[hooks.indexOf(name)];
        return pattern ? tf.tile(pattern, [B, 1, 1, 1]) : value;
      },
    })], [tokens, ...means]);
    const { logits } = await of.model.runWithCache(tokens, []);
    const [real, withMeans] = [accuraciesOf(logits, labels), accuraciesOf(asFloat32(replaced), labels)];
    const { accuracy, scalars } = await run(of);
    expect(accuracy.series.map(({ values }) => [...values])).toEqual([real, withMeans]);
    expectClose([scalars['accuracy'] ?? NaN, scalars['accuracyWithMeans'] ?? NaN], [meanOf(real), meanOf(withMeans)], { absolute: 1e-12 });
  });

  test('find the heads whose pattern is the same in all examples, which its mean replaces without a change', async () => {
    const fixed = [0, 1, 2].reduce((made, layer) => withEntries(made, `blocks.${layer}.attn.W_Q`, () => 0), context());
    const { scalars, table } = await run(fixed);
    expect(scalars).toMatchObject({ identicalHeads: 6, spread: 0 });
    expect(scalars['accuracyWithMeans']).toBe(scalars['accuracy']);
    expect(table.rows[0]).toEqual(['L0H0', 'yes', 0]);
    // One head is left to look at what the digits are: rows of W_Q by head, d_model each.
    const one = withEntries(context(), 'blocks.0.attn.W_Q', () => 0);
    expect((await run(one)).table.rows.map(([name, same]) => [name, same])).toEqual([
      ['L0H0', 'yes'], ['L0H1', 'yes'], ...['L1H0', 'L1H1', 'L2H0', 'L2H1'].map(name => [name, 'no']),
    ]);
  });

  // 1e-5 of a weight is more than float32 rounds off it, and less than any sight of the tokens.
  test.each([[0, 6], [1e-8, 6], [1e-2, 0]])('tell heads that hardly look at the tokens from heads that do: queries times %d', async (size, identical) => {
    const small = [0, 1, 2].reduce((made, layer) => withEntries(made, `blocks.${layer}.attn.W_Q`, (_, __, before) => size * before), context());
    expect((await run(small)).scalars['identicalHeads']).toBe(identical);
  });

  test('refuse a head that is not there', async () => {
    await expect(run(context(), { head: '3.0' })).rejects.toThrow(UserError);
  });
});
