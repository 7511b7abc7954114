import { describe, expect, test } from 'vitest';
import type { AnalysisContext } from '../../../src/analysis/define';
import { permutationInvariance } from '../../../src/analysis/permutationInvariance';
import { runAnalysis } from '../../../src/analysis/run';
import { UserError } from '../../../src/common/errors';
import { int32, type HostTensor } from '../../../src/common/tensor';
import type { BarsFigure, Figure, HeatmapFigure, TableFigure } from '../../../src/protocol/figure';
import { expectClose } from '../../support/close';
import { maxModel, numberContext } from '../../support/numberModels';
import { modularContext, otherContext, withEntries } from '../../support/waves';

async function run(context: AnalysisContext, params: Readonly<Record<string, unknown>> = {}) {
  const { figures, scalars } = await runAnalysis(permutationInvariance, context, { examples: 2, ...params });
  const named = <F extends Figure>(kind: F['kind'], title: RegExp) => figures.find((figure): figure is F => figure.kind === kind && title.test(figure.title)) ?? expect.fail(`no ${String(title)}`);
  return { figures, scalars, named };
}

const range = (length: number) => Array.from({ length }, (_, index) => index);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function cosine(one: readonly number[], other: readonly number[]): number {
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, at) => sum + value * (b[at] ?? NaN), 0);
  return dot(one, other) / Math.sqrt(dot(one, one) * dot(other, other));
}

/** The six orders of three places. */
const orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
const inOrder = (line: readonly number[], order: readonly number[]) => [...order.map(place => line[place] ?? NaN), ...line.slice(3)];

/** What each order leaves at a position, one prompt at a time: the activation, and each head's attention to every position. */
async function alone({ model, details: { config } }: AnalysisContext, line: readonly number[], position: number, hook: string) {
  const layers = range(config.n_layers).map(layer => `blocks.${layer}.attn.hook_pattern`);
  return Promise.all(orders.map(async order => {
    const tokens = inOrder(line, order);
    const T = tokens.length;
    const { cache } = await model.runWithCache(int32([1, T], Int32Array.from(tokens)), [hook, ...layers]);
    const activation = cache.get(hook) ?? expect.fail();
    const M = activation.data.length / T;
    return {
      tokens,
      activation: [...activation.data.subarray(position * M, (position + 1) * M)],
      attention: layers.flatMap(layer => range(config.n_heads).map(head => range(T).map(at => cache.get(layer)?.data[(head * T + position) * T + at] ?? NaN))),
    };
  }));
}

/** The attention of a prompt's row by what is attended to: the numbers in ascending order, equal ones together, then the rest. */
function byValue(tokens: readonly number[], row: readonly number[]): number[] {
  const values = [...new Set(tokens.slice(0, 3))].toSorted((a, b) => a - b);
  return [...values.map(value => range(3).reduce((sum, at) => sum + (tokens[at] === value ? row[at] ?? NaN : 0), 0)), ...row.slice(3)];
}

/** Cosines of all pairs that are not of the same prompt. */
function cosinesOf(prompts: readonly (readonly number[])[], rows: readonly (readonly number[])[]): number[] {
  return range(6).flatMap(one => range(one).flatMap(other => (String(prompts[one]) === String(prompts[other]) ? [] : [cosine(rows[one] ?? [], rows[other] ?? [])])));
}

describe('permutation invariance', () => {
  test.each([
    ['max', '3 1 7 =', 3, [3, 1, 7, 8], 'blocks.0.mlp.hook_pre', {}, {}],
    ['median with equal numbers', '5 2 5 =', 3, [5, 2, 5, 8], 'blocks.0.mlp.hook_pre', { n_heads: 3, normalization_type: 'LN' }, { name: 'median' }],
    ['sort at its last answer, two layers', '6 0 4 = 0 4', 5, [6, 0, 4, 8, 0, 4], 'blocks.1.mlp.hook_pre', { n_layers: 2 }, { name: 'sort' }],
    ['attention alone', '3 1 7 =', 3, [3, 1, 7, 8], 'blocks.0.hook_resid_post', { attn_only: true, d_mlp: undefined }, {}],
  ] as const)('compares every order with every other, as the plain forward pass has them: %s', async (_, prompt, position, line, hook, model, task) => {
    const context = numberContext({ name: 'max', ...task }, model);
    const { scalars, named } = await run(context, { prompt });
    const each = await alone(context, line, position, hook);
    const prompts = each.map(({ tokens }) => tokens);
    const activations = each.map(({ activation }) => activation);
    const expected = cosinesOf(prompts, activations);
    expect(Math.min(...expected)).toBeLessThan(0.999);
    const heatmap = named<HeatmapFigure>('heatmap', /Cosine similarity/);
    expectClose(heatmap.values, activations.flatMap(one => activations.map(other => cosine(one, other))), { absolute: 1e-5 });
    // One scale for all models, so that one that is nearly invariant does not look as contrasted as one that is not.
    expect(heatmap).toMatchObject({ scale: 'diverging', reach: 1 });
    expect(heatmap.x.labels).toEqual(prompts.map(tokens => tokens.slice(0, 3).join(' ')));

    const heads = range(each[0]?.attention.length ?? 0);
    const attention = heads.map(head => each.map(({ tokens, attention: rows }) => byValue(tokens, rows[head] ?? [])));
    const ofHeads = attention.map(rows => cosinesOf(prompts, rows));
    expectClose(['smallestCosine', 'meanCosine', 'smallestAttentionCosine', 'meanAttentionCosine'].map(name => scalars[name] ?? NaN), [
      Math.min(...expected), mean(expected), Math.min(...ofHeads.flat()), mean(ofHeads.flat()),
    ], { absolute: 1e-5 });
    expectClose(named<TableFigure>('table', /attention/).rows.flatMap(row => row.slice(1).map(Number)), ofHeads.flatMap(values => [Math.min(...values), mean(values)]), { absolute: 1e-5 });
    heads.slice(0, 4).forEach(head => {
      const name = `L${Math.floor(head / context.details.config.n_heads)}H${head % context.details.config.n_heads}`;
      expectClose(named<HeatmapFigure>('heatmap', new RegExp(`Attention of ${name}`)).values, attention[head]?.flat() ?? [], { absolute: 1e-6 });
    });

    const right = context.task.answers(line)?.[context.task.answerPositions.indexOf(position)];
    const toAnswer = heads.map(head => mean(each.map(({ tokens, attention: rows }) => range(3).reduce((sum, at) => sum + (tokens[at] === right ? rows[head]?.[at] ?? NaN : 0), 0))));
    expectClose(named<BarsFigure>('bars', /to the answer/).series[0]?.values ?? [], toAnswer, { absolute: 1e-6 });
    expectClose([scalars['answerAttention'] ?? NaN, scalars['answerAttentionBest'] ?? NaN], [Math.min(...toAnswer), Math.max(...toAnswer)], { absolute: 1e-6 });
  });

  test('over inputs of the task is the smallest, and the mean, of what it is of each', async () => {
    const context = numberContext({ name: 'sort' });
    const drawn: HostTensor<'int32'>[] = [];
    const sample: typeof context.task.sample = (random, count) => {
      const examples = context.task.sample(random, count);
      drawn.push(examples.tokens);
      return examples;
    };
    const { scalars } = await run({ ...context, task: { ...context.task, sample } }, { examples: 5 });
    const { data } = drawn.at(-1) ?? expect.fail('no examples');
    const single = await Promise.all(range(5).map(row => run(context, { prompt: [...data.subarray(7 * row, 7 * (row + 1))].map(token => context.task.vocabulary[token]).join(' ') })));
    const of = (name: string) => single.map(each => each.scalars[name] ?? NaN);
    expectClose([scalars['smallestCosine'] ?? NaN, scalars['meanCosine'] ?? NaN], [Math.min(...of('smallestCosine')), mean(of('meanCosine'))], { absolute: 1e-6 });
    expectClose([scalars['smallestAttentionCosine'] ?? NaN, scalars['meanAttentionCosine'] ?? NaN], [Math.min(...of('smallestAttentionCosine')), mean(of('meanAttentionCosine'))], { absolute: 1e-6 });
  });

  test('finds the head that attends to the largest wherever it stands, and the one that does not', async () => {
    const { scalars, named } = await run(maxModel([6, 0], 0), { examples: 8 });
    // One head attends to the largest, the other to all four positions alike; those are no different in any order.
    expect(scalars['answerAttentionBest']).toBeGreaterThan(0.99);
    expect(scalars['answerAttention']).toBeGreaterThanOrEqual(0.25);
    expect(scalars['answerAttention']).toBeLessThan(0.5);
    expectClose(['smallestCosine', 'meanCosine', 'smallestAttentionCosine', 'meanAttentionCosine'].map(name => scalars[name] ?? NaN), [1, 1, 1, 1], { absolute: 1e-6 });
    expect(named<BarsFigure>('bars', /to the answer/).x.labels).toEqual(['L0H0', 'L0H1']);
  });

  test('tells a model that looks at a place from one that looks at a value', async () => {
    // The first place counts as nine more than what stands there: only there is anything attended to.
    const placed = withEntries(maxModel([6], 0), 'pos_embed.W_pos', (row, column) => (row === 0 && column === 0 ? 9 : 0));
    const { scalars, named } = await run(placed, { prompt: '1 2 4 =', keys: 'by place' });
    expect(scalars['smallestAttentionCosine']).toBeLessThan(1e-6);
    expectClose([scalars['answerAttention'] ?? NaN], [1 / 3], { absolute: 1e-6 });
    const { values, x } = named<HeatmapFigure>('heatmap', /Attention of L0H0 from =/);
    expectClose(values, orders.flatMap(() => [1, 0, 0, 0]), { absolute: 1e-6 });
    expect(x.labels).toEqual(['a1', 'a2', 'a3', '=']);
  });

  test('of addition has no answer among its inputs to attend to, but where there is one', async () => {
    const context = modularContext(7);
    expect(Object.keys((await run(context, { prompt: '3 5 =' })).scalars)).toEqual(['smallestCosine', 'meanCosine', 'smallestAttentionCosine', 'meanAttentionCosine']);
    const { scalars, named } = await run(context, { prompt: '3 0 =' });
    expect(scalars).toHaveProperty('answerAttention');
    expect(named<BarsFigure>('bars', /to the answer/).title).toBe('Attention from = to the answer over 1 input in 2 orders');
  });

  test('says how many of the inputs hold their answer, over which attention to it is averaged', async () => {
    const context = modularContext(7);
    const drawn: HostTensor<'int32'>[] = [];
    const sample: typeof context.task.sample = (random, count) => {
      const examples = context.task.sample(random, count);
      drawn.push(examples.tokens);
      return examples;
    };
    const { named } = await run({ ...context, task: { ...context.task, sample } }, { examples: 40 });
    const { data } = drawn.at(-1) ?? expect.fail('no examples');
    // a + b is a or b where one of them is 0.
    const holding = range(40).filter(row => data[3 * row] === 0 || data[3 * row + 1] === 0).length;
    expect(holding).toBeGreaterThan(0);
    expect(named<BarsFigure>('bars', /to the answer/).title).toBe(`Attention from = to the answer over ${holding} of 40 inputs, those that hold it, in 2 orders`);
    expect(named<TableFigure>('table', /attention/).title).toBe('Cosine similarity of the attention from = over 40 inputs in 2 orders');
  });

  test.each([
    ['subtraction', () => numberContext({ name: 'modular-arithmetic', operation: 'subtract', modulus: 7, trainFraction: 0.5 })],
    ['copying a list', () => numberContext({ name: 'list-copy', digits: 5 })],
    ['updating an array', otherContext],
  ])('does not apply to %s, and says why', async (_, context) => {
    await expect(run(context())).rejects.toThrow(/does not apply to .*; it needs a task whose answers stay the same when its inputs change places/);
  });

  test.each([
    ['a position that is an input', { position: 'a2' }, 'The position a2 does not stand behind all inputs; choose one behind a3, such as =.'],
    ['a position behind the prompt', { prompt: '1 2 3 = 1 2', position: 's3' }, /^The prompt has 6 tokens, so that it ends before position 6 \(s3\)/],
    ['a prompt that is too short', { prompt: '1 2 3' }, /^The prompt has 3 tokens/],
    ['a prompt with a single number in it', { prompt: '4 4 4 = 4 4' }, /^All inputs of the prompt are equal/],
    ['a layer that is not there', { layer: 2 }, /^There is no layer 2/],
    ['a head that is not there', { head: '0.2' }, /^There is no head "L0H2"/],
  ])('refuses %s in one sentence', async (_, params, message) => {
    const refused = run(numberContext({ name: 'sort' }), params);
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow(message);
  });

  test('of seven numbers is of 720 orders, and says so', async () => {
    const { named } = await run(numberContext({ name: 'max', count: 7 }), { prompt: '1 2 3 4 5 6 7 =' });
    const { rows, title, caption } = named<HeatmapFigure>('heatmap', /Cosine similarity/);
    expect(caption).toMatch(/They are 720 of the 5,040 orders, drawn at random\.$/);
    expect([rows, title]).toEqual([720, 'Cosine similarity in 720 orders: Neurons of layer 0 before the nonlinearity at =']);
  });
});
