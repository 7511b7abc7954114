import { describe, expect, test } from 'vitest';
import { activationPatching } from '../../../src/analysis/activationPatching';
import type { AnalysisContext } from '../../../src/analysis/define';
import { promptPairs } from '../../../src/analysis/pairs';
import type { Site } from '../../../src/analysis/patching/patching';
import { runAnalysis } from '../../../src/analysis/run';
import { UserError } from '../../../src/common/errors';
import { Random } from '../../../src/common/random';
import type { HeatmapFigure } from '../../../src/protocol/figure';
import { contextOf } from '../../support/analyses';
import { expectClose } from '../../support/close';
import { prepared } from '../../support/experiments';
import { patchedOneByOne } from '../../support/patching';

const experiment = prepared({
  task: { name: 'array-update', length: 2, numbers: 6, modulus: undefined, trainFraction: undefined },
  model: { n_layers: 2, n_heads: 3 },
  training: { batch: 8 },
});
// BOS a1 a2 ↵ idx elt ↵ b1 b2
const clean = 'BOS 1 2 ↵ 0 5 ↵ 5 2';
const corrupted = 'BOS 1 2 ↵ 1 5 ↵ 1 5';
const positions = ['BOS', 'a1 1', 'a2 2', '↵ (3) ↵', 'idx 0→1', 'elt 5', '↵ (6) ↵', 'b1 5→1', 'b2 2→5'];

async function run(params: Readonly<Record<string, unknown>>, context: AnalysisContext = contextOf(experiment)) {
  const result = await runAnalysis(activationPatching, context, params);
  return { ...result, figures: result.figures as readonly HeatmapFigure[] };
}

describe('activation patching', () => {
  test('by position fills a row for each layer or head, and a column for each position', async () => {
    const context = contextOf(experiment);
    const { figures, scalars } = await run({ clean, corrupted });
    const titles = ['Residual stream', 'Head output (z)', 'Queries', 'Keys', 'Values', 'Pattern', 'Attention output', 'MLP output'];
    expect(figures.map(({ title }) => title)).toEqual(titles);
    const [pair] = promptPairs({ task: context.task, random: new Random(0, '') }, { clean, corrupted, corruption: '', pairs: 1, sample: 0, answer: 0 });
    if (!pair) expect.fail();
    const activations = ['resid_pre', 'z', 'q', 'k', 'v', 'pattern', 'attn_out', 'mlp_out'] as const;
    for (const [index, { values, x, y, rows, columns }] of figures.entries()) {
      const activation = activations[index] ?? expect.fail();
      expect([x.labels, columns, rows]).toEqual([positions, 9, y.labels?.length]);
      const sites = [...values].map((_, at): Site => {
        const { layer = -1, head } = y.subjects?.[Math.floor(at / 9)] ?? {};
        const position = x.subjects?.[at % 9]?.position ?? -1;
        return { activation, layer, ...(head !== undefined && { head }), position };
      });
      expectClose(values, await patchedOneByOne(context.model, pair, sites), { absolute: 1e-4, relative: 1e-5 }, activation);
    }
    const ofHeads = figures.slice(1, 6).flatMap(({ values }) => [...values]);
    expect(scalars['largest']).toBeCloseTo(Math.max(...ofHeads), 5);
  });

  test('of whole heads has a column for each activation', async () => {
    const { figures: [figure] } = await run({ clean, corrupted, patch: 'whole heads' });
    expect([figure?.rows, figure?.columns, figure?.x.labels]).toEqual([6, 5, ['Head output (z)', 'Queries', 'Keys', 'Values', 'Pattern']]);
    expect(figure?.y.subjects?.at(-1)).toEqual({ layer: 1, head: 2 });
  });

  test('of layers is that of everything, without the heads', async () => {
    const [all, layers] = [await run({ clean, corrupted }), await run({ clean, corrupted, patch: 'layers by position' })];
    expect(layers.figures.map(({ title }) => title)).toEqual(['Residual stream', 'Attention output', 'MLP output']);
    layers.figures.forEach(({ title, values }) => expectClose(values, all.figures.find(figure => figure.title === title)?.values ?? [], { absolute: 1e-5 }));
  });

  test('of the residual stream alone has no scalar of heads', async () => {
    const { figures, scalars } = await run({ patch: 'residual stream', pairs: 3 });
    expect(figures.map(({ title, scalar }) => [title, scalar])).toEqual([['Residual stream', undefined]]);
    expect(Object.keys(scalars).sort()).toEqual(['cleanDifference', 'corruptedDifference']);
  });

  test('of one head is its rows among all', async () => {
    const [all, one] = [await run({ clean, corrupted }), await run({ clean, corrupted, head: '1.1' })];
    expect(one.figures.map(({ y }) => y.labels)).toEqual(Array.from({ length: 5 }, () => ['L1H1']));
    one.figures.forEach(({ values }, index) => expectClose(values, all.figures[index + 1]?.values.subarray(4 * 9, 5 * 9) ?? [], { absolute: 1e-5 }));
  });

  test('says which of the expected circuits it found', async () => {
    const { scalars, finding, figures } = await run({ clean, corrupted, expected: 'early: z 0.0 idx | late: z 1.0 answer, v 1.0 idx' });
    expect(['early', 'late']).toContain(finding);
    expect(scalars['circuit']).toBe(finding === 'early' ? 1 : 2);
    // The scalars are of sites of heads: a claim copied from a figure of layers would not be about it.
    expect(figures.map(({ y, scalar }) => scalar === (y.title === 'Head' ? 'least' : undefined))).not.toContain(false);
    expect(Object.keys(scalars).sort()).toEqual(['circuit', 'cleanDifference', 'corruptedDifference', 'elsewhere', 'largest', 'least']);
  });

  test('is the same when it is asked for again, and other for another sample', async () => {
    const [one, again, other] = [await run({ pairs: 2 }), await run({ pairs: 2 }), await run({ pairs: 2, sample: 1 })];
    expect(again).toEqual(one);
    expect(other.figures).not.toEqual(one.figures);
  });

  test('tells how far it is', async () => {
    const told: number[] = [];
    await run({ pairs: 4 }, { ...contextOf(experiment), progress: fraction => told.push(fraction) });
    expect(told).toEqual([0.25, 0.5, 0.75, 1]);
  });

  test('applies to a model without heads to compare, of one layer and one head', async () => {
    const small = contextOf(prepared({ model: { n_layers: 1, n_heads: 1, attn_only: true, d_mlp: undefined } }));
    const { figures } = await run({ pairs: 2 }, small);
    expect(figures.map(({ title }) => title)).toEqual(['Residual stream', 'Head output (z)', 'Queries', 'Keys', 'Values', 'Pattern', 'Attention output']);
  });

  test('refuses a head that is not there', async () => {
    await expect(run({ head: '3.0' })).rejects.toThrow(/^There is no head "L3H0"; the nearest are /);
  });

  test.each(['residual stream', 'layers by position'])('of %s refuses a head, which it has nothing of', async patch => {
    await expect(run({ patch, head: '1.1' })).rejects.toThrow(
      new UserError(`"${patch}" patches nothing of a single head; choose "by position" or "whole heads", or no head.`),
    );
  });

  test('refuses to look for expected sites where heads are not patched by position', async () => {
    await expect(run({ patch: 'whole heads', expected: 'z 0.0 elt' })).rejects.toThrow(/^The expected sites are of heads by position; /);
  });
});
