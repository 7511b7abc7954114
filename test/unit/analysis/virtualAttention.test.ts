import { describe, expect, test } from 'vitest';
import type { AnalysisContext } from '../../../src/analysis/define';
import { runAnalysis } from '../../../src/analysis/run';
import { virtualAttention } from '../../../src/analysis/virtualAttention';
import { UserError } from '../../../src/common/errors';
import type { AttentionFigure } from '../../../src/protocol/figure';
import { expectClose } from '../../support/close';
import { readFixture } from '../../support/fixtures';
import { contextOfModel } from './attributionFixtures';

const models = [
  'layer-norm-gelu-2-layers',
  'shortformer-attention-only-2-layers',
  'bidirectional-layer-norm-pre-gelu-new-2-layers',
  'layer-norm-pre-no-positions-attention-only-3-layers',
] as const;

async function run(context: AnalysisContext, params: Readonly<Record<string, unknown>> = {}) {
  const { figures, scalars } = await runAnalysis(virtualAttention, context, { examples: 3, ...params });
  const [figure] = figures as readonly AttentionFigure[];
  return { figure: figure ?? expect.fail(), scalars };
}

/** Each example's product of two heads' patterns in the fixture, and of what mask allows; `[T][T]`. */
async function productsOf(name: string, later: readonly [number, number], earlier: readonly [number, number]) {
  const { tensors } = await readFixture(`models/${name}`);
  const of = ([layer, head]: readonly [number, number], example: number, row: number, column: number) => {
    const { shape, data } = tensors.float32(`cache.blocks.${layer}.attn.hook_pattern`);
    const [, H = 0, T = 0] = shape;
    return data[((example * H + head) * T + row) * T + column] ?? Number.NaN;
  };
  const tokens = tensors.int32('tokens');
  const [B = 0, T = 0] = tokens.shape;
  const range = (length: number) => Array.from({ length }, (_, index) => index);
  const products = range(B).map(example => range(T).map(row => range(T).map(column =>
    range(T).reduce((sum, middle) => sum + of(later, example, row, middle) * of(earlier, example, middle, column), 0))));
  return { products, tokens: range(B).map(row => [...tokens.data.subarray(row * T, (row + 1) * T)]), B, T };
}

describe.each(models)('virtual attention of %s', name => {
  test('is the mean of the products of the patterns, not the product of their means', async () => {
    const context = await contextOfModel(name);
    for (const [later, earlier] of [[[1, 0], [0, 0]], [[1, 2], [0, 1]]] as const) {
      const { figure, scalars } = await run(context, { later: later.join('.'), earlier: earlier.join('.') });
      const { products, B, T } = await productsOf(name, later, earlier);
      const mean = Array.from({ length: T * T }, (_, at) => products.reduce((sum, product) => sum + (product[Math.floor(at / T)]?.[at % T] ?? Number.NaN), 0) / B);
      expect(figure.heads.map(({ layer, head }) => [layer, head])).toEqual([later]);
      expect(figure.title).toContain(`through L${earlier.join('H')}`);
      expectClose(figure.heads[0]?.pattern ?? [], mean, { absolute: 1e-6 });
      const largest = products.flatMap(product => product.map(row => Math.max(...row)));
      expect(scalars['largest']).toBeCloseTo(largest.reduce((sum, value) => sum + value, 0) / largest.length, 5);
      mean.forEach((weight, at) => figure.allowed[at] === 0 && expect(weight).toBe(0));
    }
  });

  test('to the answer is the weight on every position that holds its token, where it can see one', async () => {
    const context = await contextOfModel(name);
    const { scalars } = await run(context, { later: '1.1', earlier: '0.2' });
    const { products, tokens } = await productsOf(name, [1, 1], [0, 2]);
    const { labels } = context.task.sample(context.random, 3);
    const everywhere = context.details.config.attention_dir === 'bidirectional';
    const weights = products.flatMap((product, example) => context.task.answerPositions.map((position, answer) => {
      const right = labels.data[example * 2 + answer];
      const reached = tokens[example]?.flatMap((token, source) => (token === right && (everywhere || source <= position) ? [product[position]?.[source] ?? Number.NaN] : [])) ?? [];
      return reached.length === 0 ? [] : [reached.reduce((sum, weight) => sum + weight, 0)];
    }).flat());
    expect(weights.length).toBeGreaterThan(0);
    expect(weights.length).toBeLessThan(6);
    expect(scalars['toAnswer']).toBeCloseTo(weights.reduce((sum, value) => sum + value, 0) / weights.length, 6);
  });

  test('without a later head shows every head of the layers after the earlier one, and measures the largest', async () => {
    const context = await contextOfModel(name);
    const { n_layers, n_heads } = context.details.config;
    const all = await run(context);
    expect(all.figure.heads).toHaveLength((n_layers - 1) * n_heads);
    const each = [];
    for (const { layer, head, pattern } of all.figure.heads) {
      const one = await run(context, { later: `${layer}.${head}` });
      expectClose(one.figure.heads[0]?.pattern ?? [], pattern, { absolute: 1e-7 });
      each.push(one.scalars['toAnswer'] ?? Number.NaN);
    }
    expect(all.scalars['toAnswer']).toBe(Math.max(...each));
  });
});

describe('virtual attention refuses in one sentence', () => {
  test.each([
    ['two heads of one layer', { later: '0.1', earlier: '0.0' }, /^L0H1 cannot read what L0H0 writes, as it is not in a layer after it; choose a later head from layer 1 on\.$/],
    ['an earlier head in the last layer', { earlier: '1.0' }, /^No head reads what L1H0 writes, as it is in the last layer; /],
    ['a head that is not there', { later: '1.3' }, /^There is no head "L1H3"; the nearest are /],
  ])('%s', async (_, params, message) => {
    const context = await contextOfModel('layer-norm-gelu-2-layers');
    await expect(run(context, params)).rejects.toThrow(UserError);
    await expect(run(context, params)).rejects.toThrow(message);
  });

  test('a model of one layer', async () => {
    const context = await contextOfModel('plain-relu-1-layer');
    expect(virtualAttention.appliesTo(context.details)).toBe(false);
  });
});
