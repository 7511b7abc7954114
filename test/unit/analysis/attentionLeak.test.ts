import { describe, expect, test } from 'vitest';
import { attentionLeak } from '../../../src/analysis/attentionLeak';
import type { AnalysisContext } from '../../../src/analysis/define';
import { runAnalysis } from '../../../src/analysis/run';
import { UserError } from '../../../src/common/errors';
import type { HeatmapFigure } from '../../../src/protocol/figure';
import { contextOf } from '../../support/analyses';
import { expectClose } from '../../support/close';
import { prepared } from '../../support/experiments';
import { listCopyContext, listCopyMask } from '../../support/listCopy';
import { modularContext } from '../../support/waves';

async function run(context: AnalysisContext, params: Readonly<Record<string, unknown>> = {}) {
  const { figures, scalars } = await runAnalysis(attentionLeak, context, params);
  const [largest, mean] = figures as readonly HeatmapFigure[];
  return { largest: largest ?? expect.fail(), mean: mean ?? expect.fail(), scalars };
}

/** Sums of weights on some sources of a destination, from the scores: by head, layer by layer, then by example. */
async function leaksOf({ task, model, details: { experiment } }: AnalysisContext, destination: number, sources: readonly number[]) {
  const { tokens } = task.split?.(experiment.seed).test ?? expect.fail('no test set');
  const hooks = Array.from({ length: model.config.n_layers }, (_, layer) => `blocks.${layer}.attn.hook_attn_scores`);
  const { cache } = await model.runWithCache(tokens, hooks);
  return hooks.flatMap(hook => {
    const { shape: [B = 0, H = 0, T = 0], data } = cache.get(hook) ?? expect.fail(hook);
    return Array.from({ length: H }, (_, head) => Array.from({ length: B }, (__, example) => {
      const from = ((example * H + head) * T + destination) * T;
      const scores = Array.from(data.subarray(from, from + T));
      const powers = scores.map(score => Math.exp(score - Math.max(...scores)));
      return sources.reduce((sum, source) => sum + (powers[source] ?? NaN), 0) / powers.reduce((sum, power) => sum + power, 0);
    }));
  });
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const causal = { mask: undefined, n_heads: 2, d_head: 4 };

describe('attention leak', () => {
  test('is none where the model has the mask', async () => {
    const { largest, mean, scalars } = await run(listCopyContext({ digits: 12 }), { inputs: true });
    expect(scalars).toEqual({ leak: 0, meanLeak: 0 });
    expect([largest.rows, largest.columns]).toEqual([3, 5]);
    expect([...largest.values, ...mean.values].every(value => value === 0)).toBe(true);
  });

  test('is what the answers of a model without that mask pay to the inputs', async () => {
    const context = listCopyContext({ digits: 12 }, causal);
    const { largest, mean, scalars } = await run(context, { inputs: true });
    expect(largest.y.labels).toEqual(['L0H0', 'L0H1', 'L1H0', 'L1H1', 'L2H0', 'L2H1']);
    expect(largest.x.labels).toEqual(['d1', 'd2', 'SEP', 'o1', 'o2']);
    const expected = await Promise.all([3, 4].map(destination => leaksOf(context, destination, [0, 1])));
    for (const [at, byHead] of expected.entries()) {
      byHead.forEach((leaks, head) => {
        const cell = head * 5 + 3 + at;
        expectClose([largest.values[cell] ?? NaN, mean.values[cell] ?? NaN], [Math.max(...leaks), meanOf(leaks)], { absolute: 1e-6 });
      });
    }
    const all = expected.flat();
    expectClose([scalars['leak'] ?? NaN, scalars['meanLeak'] ?? NaN], [Math.max(...all.flat()), Math.max(...all.map(meanOf))], { absolute: 1e-6 });
    expect(scalars['leak']).toBeGreaterThan(0.5);
    expect(await run(context)).toMatchObject({ scalars: { leak: 0, meanLeak: 0 } });
  });

  // The mask that a model is said to have is not what made its patterns.
  test('is seen in the patterns themselves, where they were not made with the mask', async () => {
    const context = listCopyContext({ digits: 12 }, { mask: undefined });
    const said = { ...context, details: { ...context.details, config: { ...context.details.config, mask: listCopyMask } } };
    const { largest, scalars } = await run(said);
    const expected = await leaksOf(context, 2, [2]); // SEP on itself, which that mask forbids
    expected.forEach((leaks, head) => expectClose([largest.values[head * 5 + 2] ?? NaN], [Math.max(...leaks)], { absolute: 1e-6 }));
    // d1 has nothing to look at but itself, in either mask.
    expect([0, 5, 10].map(cell => largest.values[cell])).toEqual([0, 0, 0]);
    expect(scalars['leak']).toBeGreaterThan(0.9);
  });

  test('has no value at a destination to which nothing is forbidden', async () => {
    const { largest } = await run(modularContext(7));
    expect(largest.x.labels).toEqual(['a', 'b', '=']);
    expect([...largest.present ?? []]).toEqual([1, 1, 0, 1, 1, 0]);
  });
});

describe('attention leak refuses in one sentence', () => {
  test('a model that may attend everywhere', async () => {
    const context = contextOf(prepared({ model: { attention_dir: 'bidirectional' } }));
    await expect(run(context)).rejects.toThrow('The analysis "attention-leak" does not apply to modular-arithmetic; it needs a mask that forbids some source.');
  });

  test('to forbid inputs where there are none', async () => {
    const context = modularContext(7);
    const without = { ...context, task: { ...context.task, alphabet: [[0, 1], [0, 1], [7]] } };
    await expect(run(without, { inputs: true })).rejects.toThrow(UserError);
    await expect(run(without, { inputs: true })).rejects.toThrow(/^This task has no numbers for inputs, /);
  });
});
