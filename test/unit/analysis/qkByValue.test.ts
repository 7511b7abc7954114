import { describe, expect, test } from 'vitest';
import type { AnalysisContext } from '../../../src/analysis/define';
import { qkByValue } from '../../../src/analysis/qkByValue';
import { runAnalysis } from '../../../src/analysis/run';
import { UserError } from '../../../src/common/errors';
import { int32 } from '../../../src/common/tensor';
import type { BarsFigure, Figure, HeatmapFigure, LinesFigure } from '../../../src/protocol/figure';
import { expectClose } from '../../support/close';
import { maxModel, numberContext } from '../../support/numberModels';
import { otherContext } from '../../support/waves';

async function run(context: AnalysisContext, params: Readonly<Record<string, unknown>> = {}) {
  const { figures, scalars } = await runAnalysis(qkByValue, context, params);
  const named = <F extends Figure>(kind: F['kind'], title: RegExp) => figures.find((figure): figure is F => figure.kind === kind && title.test(figure.title)) ?? expect.fail(`no ${String(title)}`);
  return { figures, scalars, named };
}

const range = (length: number) => Array.from({ length }, (_, index) => index);

/** What one hook of layer 0 holds for each prompt, by the plain forward pass: a reader of its numbers by example and then by its other axes. */
async function read({ model }: AnalysisContext, prompts: readonly (readonly number[])[], name: string) {
  const tokens = int32([prompts.length, prompts[0]?.length ?? 0], Int32Array.from(prompts.flat()));
  const hook = `blocks.0.attn.hook_${name}`;
  const { shape, data } = (await model.runWithCache(tokens, [hook])).cache.get(hook) ?? expect.fail(hook);
  return (...at: readonly number[]) => data[at.reduce((index, place, axis) => index * (shape[axis] ?? 1) + place, 0)] ?? expect.fail();
}

describe('QK by value', () => {
  test.each([
    ['as it is', {}],
    ['behind a LayerNorm, without biases', { normalization_type: 'LN', biases: false }],
    ['with positions at queries and keys alone', { positional_embedding_type: 'shortformer' }],
    ['with rotated positions', { positional_embedding_type: 'rotary' }],
    ['without a scale, in the first of two layers', { use_attn_scale: false, n_layers: 2 }],
  ])('of = has the scores that the model has for each number, whatever stands elsewhere: %s', async (_, model) => {
    const context = numberContext({ name: 'max' }, model);
    const prompts = range(8).map(number => [5, number, (3 * number) % 8, 8]);
    const score = await read(context, prompts, 'attn_scores');
    const { scalars, named } = await run(context, { key: 'a2', head: '0.1' });
    const { series } = named<LinesFigure>('lines', /^Scores from = by the number at a2$/);
    expect(series.map(({ name }) => name)).toEqual(['L0H0', 'L0H1']);
    range(2).forEach(head => expectClose(series[head]?.y ?? [], range(8).map(number => score(number, head, 3, 1)), { absolute: 1e-4, relative: 1e-5 }));
    expect([...series[0]?.x ?? []]).toEqual(range(8));
    const own = range(8).map(number => score(number, 1, 3, 1));
    expectClose([scalars['smallest'] ?? NaN, scalars['largest'] ?? NaN], [Math.min(...own), Math.max(...own)], { absolute: 1e-4, relative: 1e-5 });
    expect(scalars['rising']).toBe(range(7).filter(at => (own[at + 1] ?? NaN) > (own[at] ?? NaN)).length / 7);
    const isRotary = 'positional_embedding_type' in model && model.positional_embedding_type === 'rotary';
    const [query, key] = [await read(context, prompts, isRotary ? 'rot_q' : 'q'), await read(context, prompts, isRotary ? 'rot_k' : 'k')];
    named<LinesFigure>('lines', /^Key of L0H1 at a2/).series.forEach(({ y }, dimension) => expectClose(y, range(8).map(number => key(number, 1, 1, dimension)), { absolute: 1e-5 }));
    expectClose(named<BarsFigure>('bars', /^Query of L0H1 at =/).series[0]?.values ?? [], range(4).map(dimension => query(0, 3, 1, dimension)), { absolute: 1e-5 });
  });

  test('of two numbers has a score for every pair of them', async () => {
    const context = numberContext({ name: 'sort' }, { normalization_type: 'LNPre' });
    const pairs = range(64).map(pair => [Math.floor(pair / 8), pair % 8] as const);
    // s1 asks and a3 is asked.
    const prompts = pairs.map(([asks, asked]) => [7, 1, asked, 8, asks, 2, 3]);
    const [score, query] = [await read(context, prompts, 'attn_scores'), await read(context, prompts, 'q')];
    const { named, scalars } = await run(context, { query: 's1', key: 'a3', head: '0.0' });
    const heatmap = named<HeatmapFigure>('heatmap', /^Scores of L0H0 by the numbers at s1 and a3$/);
    const expected = pairs.map((_, pair) => score(pair, 0, 4, 2));
    expectClose(heatmap.values, expected, { absolute: 1e-4, relative: 1e-5 });
    expect([heatmap.y.title, heatmap.x.title]).toEqual(['Number at s1 (query)', 'Number at a3 (key)']);
    named<LinesFigure>('lines', /^Query of L0H0 at s1/).series.forEach(({ y }, dimension) => expectClose(y, range(8).map(asks => query(8 * asks, 4, 0, dimension)), { absolute: 1e-5 }));
    const correlations = range(8).map(row => {
      const scores = expected.slice(8 * row, 8 * row + 8);
      const [x, y] = [range(8).map(value => value - 3.5), scores.map(value => value - scores.reduce((sum, each) => sum + each, 0) / 8)];
      const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, at) => sum + value * (b[at] ?? NaN), 0);
      return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
    });
    expectClose([scalars['correlation'] ?? NaN], [correlations.reduce((sum, value) => sum + value, 0) / 8], { absolute: 1e-5 });
  });

  test('of a model that scores by size is a line for each head, and draws the steepest', async () => {
    const { scalars, named } = await run(maxModel([0.5, -3], 4));
    const { series } = named<LinesFigure>('lines', /^Scores from = by the number at a1$/);
    [0.5, -3].forEach((slope, head) => expectClose(series[head]?.y ?? [], range(8).map(number => slope * (number - 4)), { absolute: 1e-5 }));
    expectClose(['smallest', 'largest', 'correlation', 'rising'].map(name => scalars[name] ?? NaN), [-9, 12, -1, 0], { absolute: 1e-5 });
    const keys = named<LinesFigure>('lines', /^Key of L0H1 at a1/).series;
    expect(keys.map(({ y }) => [...y])).toEqual([range(8), range(8).map(() => 1), ...range(6).map(() => range(8).map(() => 0))]);
    expect((await run(maxModel([0.5, -3], 4), { head: '0.0' })).scalars).toMatchObject({ rising: 1 });
  });

  test('has no correlation where all scores are the same', async () => {
    expect((await run(maxModel([0], 4))).scalars).toEqual({ smallest: 0, largest: 0, rising: 0 });
  });

  test('draws the numbers at an index and at an element, of which there are not as many', async () => {
    const { named } = await run(otherContext(), { query: 'elt', key: 'idx' });
    expect(named<HeatmapFigure>('heatmap', /at elt and idx/)).toMatchObject({ rows: 50, columns: 3 });
  });

  test('asks from where an answer is read, or otherwise from the last position that sees the inputs', async () => {
    // As in the study: the outputs see no input, but the separator does.
    const copying = numberContext({ name: 'list-copy', digits: 5 }, { mask: ['x....', 'x....', 'xx...', '..x..', '..xx.'] });
    expect((await run(copying)).figures[0]?.title).toBe('Scores from SEP by the number at d1');
    expect((await run(copying, { query: 'd2', head: '0.0' })).figures[0]?.title).toBe('Scores of L0H0 by the numbers at d2 and d1');
    expect((await run(numberContext({ name: 'sort' }))).figures[0]?.title).toMatch(/^Scores of L0H\d by the numbers at s2 and a1$/);
    expect((await run(numberContext({ name: 'sort' }), { key: 's2' })).figures[0]?.title).toMatch(/by the numbers at s3 and s2$/);
  });

  test('needs inputs that another position sees', async () => {
    const blind = numberContext({ name: 'max' }, { mask: ['x...', '.x..', '..x.', '...x'] });
    await expect(run(blind)).rejects.toThrow('The analysis "qk-by-value" does not apply to max; it needs a task with numbers for inputs, which another position attends to.');
  });

  test('has no scores by a number where other tokens stand too', async () => {
    const context = numberContext({ name: 'max' });
    const alphabet = context.task.alphabet.map((tokens, position) => (position === 1 ? [...tokens, 8] : tokens));
    await expect(run({ ...context, task: { ...context.task, alphabet } }, { key: 'a2' })).rejects.toThrow('At a2 not all tokens are numbers, so that scores are no function of a number there; choose another position.');
  });

  test.each([
    ['a head of a later layer', { head: '1.0' }, /^L1H0 reads what layers before it have written/],
    ['a head that is not there', { head: '0.7' }, /^There is no head "L0H7"/],
    ['a position that is not there', { query: 'a9' }, /^There is no position "a9"/],
    ['a key without numbers', { key: '=', query: 's2' }, 'There are no numbers to compare at the key position =; choose one where numbers stand, such as a1.'],
    ['a position and itself', { key: 's1', query: 's1' }, /^Query and key are both at s1/],
    ['a key that no other position sees', { key: 's3' }, 'No other position sees s3, so that no score is made of it; choose another key position.'],
    ['a key that the query does not see', { key: 's2', query: 's1' }, 'The position s1 does not see s2; choose another query position, such as s3.'],
    ['a query before all others', { query: 'a1' }, 'The position a1 does not see another input; choose another query position, such as s2.'],
  ])('refuses %s in one sentence', async (_, params, message) => {
    const refused = run(numberContext({ name: 'sort' }, { n_layers: 2 }), params);
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow(message);
  });
});
