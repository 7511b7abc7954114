import { describe, expect, test } from 'vitest';
import type { AnalysisContext } from '../../../src/analysis/define';
import { directLogitAttribution } from '../../../src/analysis/directLogitAttribution';
import { allHeads } from '../../../src/analysis/heads';
import { runAnalysis } from '../../../src/analysis/run';
import { UserError } from '../../../src/common/errors';
import type { BarsFigure } from '../../../src/protocol/figure';
import { expectClose } from '../../support/close';
import { modelFixtures } from '../../support/fixtures';
import { attributionFixtures, contextOfModel, meansOverBatch, openAttribution } from './attributionFixtures';

async function run(context: AnalysisContext, params: Readonly<Record<string, unknown>> = {}) {
  const { figures, scalars } = await runAnalysis(directLogitAttribution, context, { examples: 3, ...params });
  const [components, paths] = figures as readonly BarsFigure[];
  return { components: components ?? expect.fail(), paths: paths ?? expect.fail(), scalars };
}

/** A figure's bars by label: a value for each answer. */
function barsOf({ x, series }: BarsFigure): Map<string, readonly number[]> {
  return new Map(x.labels.map((label, at) => [label, series.map(({ values }) => values[at] ?? Number.NaN)]));
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const scalar = ({ scalars }: Awaited<ReturnType<typeof run>>, name: string) => scalars[name] ?? expect.fail(name);

/** What TransformerLens calls our components. */
const theirNames: Readonly<Record<string, string>> = {
  'embedding': 'embed', 'positions': 'pos_embed', 'MLP 0': '0_mlp_out', 'MLP 1': '1_mlp_out', 'b_O 0': '0_b_O', 'b_O 1': '1_b_O',
};

describe.each(attributionFixtures)('direct logit attribution of %s', name => {
  test.each([
    ['nothing', 'nothing'],
    ['largest wrong output', 'largest_wrong'],
    ['word', 'word'],
    ['mean output', 'mean'],
  ])('against %s gives each component what logit_attrs gives it', async (against, key) => {
    const { context, tensors, document } = await openAttribution(name);
    const { components } = await run(context, { against, word: String(document.word) });
    const expected = meansOverBatch(tensors.float32(`components.${key}`));
    const bars = barsOf(components);
    const compared = [...bars.keys()].filter(label => label !== 'ln_final b');
    for (const label of compared) {
      const at = document.components.indexOf(theirNames[label] ?? label);
      expectClose(bars.get(label) ?? [], expected[at] ?? expect.fail(label), { absolute: 2e-5 }, label);
    }
    // Theirs are ours, except sums of ours, and the positions of a shortformer, which reach no residual stream.
    const left = document.components.filter(their => !compared.some(label => (theirNames[label] ?? label) === their));
    const shortformer = context.details.config.positional_embedding_type === 'shortformer';
    expect(left).toEqual([...(shortformer ? ['pos_embed'] : []), '0_attn_out', '1_attn_out']);
  });

  test('divides every head of the last layer by what its values read, as the longhand does', async () => {
    const { context, tensors, document } = await openAttribution(name);
    for (const [head, labels] of Object.entries(document.paths)) {
      const { paths, components } = await run(context, { head });
      expect(paths.x.labels).toEqual(labels);
      const expected = meansOverBatch(tensors.float32(`paths.${head}`));
      const bars = barsOf(paths);
      labels.forEach((label, at) => expectClose(bars.get(label) ?? [], expected[at] ?? [], { absolute: 2e-5 }, `${head} ${label}`));
      const whole = barsOf(components).get(`L1H${head.at(-1) ?? ''}`) ?? [];
      expectClose(whole.map((_, answer) => [...bars.values()].reduce((sum, row) => sum + (row[answer] ?? Number.NaN), 0)), whole, { absolute: 1e-4 });
    }
  });

  test('measures shares of means with their signs, of one answer or of all', async () => {
    const { context } = await openAttribution(name);
    for (const answer of [0, 2]) {
      const result = await run(context, { head: '1.2', answer });
      const [parts, paths] = [barsOf(result.components), barsOf(result.paths)].map(bars => new Map([...bars].map(([label, row]) => [label, mean(row)])));
      const total = (bars: Map<string, number> | undefined) => [...(bars ?? []).values()].reduce((sum, value) => sum + value, 0);
      expect(result.components.series).toHaveLength(answer === 0 ? 3 : 1);
      expect(scalar(result, 'share')).toBeCloseTo((parts?.get('L1H2') ?? Number.NaN) / total(parts), 9);
      expect(scalar(result, 'largestShare')).toBeCloseTo(Math.max(...[...(parts ?? []).values()].map(part => part / total(parts))), 9);
      const direct = (paths?.get('embedding') ?? Number.NaN) + (paths?.get('positions') ?? 0);
      const virtual = ['L0H0', 'L0H1', 'L0H2'].map(label => (paths?.get(label) ?? Number.NaN) / total(paths));
      expect(scalar(result, 'directTerm')).toBeCloseTo(direct / total(paths), 9);
      expect(scalar(result, 'virtualTerm')).toBeCloseTo(Math.max(...virtual), 9);
    }
  });

  test('takes the head that adds most where none is chosen', async () => {
    const { context } = await openAttribution(name);
    const result = await run(context);
    const heads = [...barsOf(result.components)].filter(([label]) => /^L\dH\d$/.test(label)).map(([label, row]) => [label, mean(row)] as const);
    const [strongest] = heads.reduce((best, candidate) => (candidate[1] > best[1] ? candidate : best));
    expect(result.paths.title).toContain(strongest);
  });
});

test.each(modelFixtures)('direct logit attribution of %s sums to the logits, and every head to its paths', async name => {
  const context = await contextOfModel(name);
  const { n_layers, n_heads } = context.details.config;
  for (const { layer, head } of allHeads(context.details.config)) {
    const result = await run(context, { head: `${layer}.${head}`, against: 'mean output' });
    expect(scalar(result, 'error')).toBeLessThan(1e-4);
    expect(scalar(result, 'pathError')).toBeLessThan(1e-4);
    if (layer === 0) expect(scalar(result, 'virtualTerm')).toBe(0);
  }
  const { components } = await run(context);
  expect(components.x.labels.filter(label => /^L\d+H\d+$/.test(label))).toHaveLength(n_layers * n_heads);
});

describe('direct logit attribution refuses in one sentence', () => {
  test.each([
    ['a head that is not there', { head: '2.0' }, /^There is no head "L2H0"; the nearest are /],
    ['a word that is no output', { against: 'word', word: 'x' }, /^There is no output "x"; there are /],
  ])('%s', async (_, params, message) => {
    const { context } = await openAttribution('layer-norm-gelu-2-layers');
    await expect(run(context, params)).rejects.toThrow(UserError);
    await expect(run(context, params)).rejects.toThrow(message);
  });
});
