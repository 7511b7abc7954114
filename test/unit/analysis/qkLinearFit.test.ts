import { describe, expect, test } from 'vitest';
import type { AnalysisContext } from '../../../src/analysis/define';
import { qkLinearFit } from '../../../src/analysis/qkLinearFit';
import { queriesAndKeys } from '../../../src/analysis/queriesAndKeys';
import { runAnalysis } from '../../../src/analysis/run';
import { fittedHeads } from '../../../src/analysis/scoreFit';
import { CancelledError, UserError } from '../../../src/common/errors';
import { int32 } from '../../../src/common/tensor';
import type { BarsFigure, Figure, HeatmapFigure, LinesFigure, TableFigure } from '../../../src/protocol/figure';
import { expectClose } from '../../support/close';
import { maxModel, numberContext } from '../../support/numberModels';
import { modularContext, withEntries } from '../../support/waves';

async function run(context: AnalysisContext, params: Readonly<Record<string, unknown>> = {}) {
  const { figures, scalars } = await runAnalysis(qkLinearFit, context, params);
  const named = <F extends Figure>(kind: F['kind'], title: RegExp) => figures.find((figure): figure is F => figure.kind === kind && title.test(figure.title)) ?? expect.fail(`no ${String(title)}`);
  const scalar = (name: string) => scalars[name] ?? expect.fail(`no ${name}`);
  return { figures, scalars, scalar, named };
}

const range = (length: number, first = 0) => Array.from({ length }, (_, index) => first + index);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Slope and intercept of least squares, by the sums of the textbook. */
function leastSquares(x: readonly number[], y: readonly number[]): readonly [number, number] {
  const n = x.length;
  const sum = (term: (at: number) => number) => range(n).reduce((total, at) => total + term(at), 0);
  const [sx, sy, sxy, sxx] = [sum(at => x[at] ?? NaN), sum(at => y[at] ?? NaN), sum(at => (x[at] ?? NaN) * (y[at] ?? NaN)), sum(at => (x[at] ?? NaN) ** 2)];
  const slope = (n * sxy - sx * sy) / (n * sxx - sx * sx);
  return [slope, (sy - slope * sx) / n];
}

function explained(actual: readonly number[], fit: readonly number[]): number {
  const left = actual.map((value, at) => (value - (fit[at] ?? NaN)) ** 2);
  return 1 - mean(left) / mean(actual.map(value => (value - mean(actual)) ** 2));
}

/** A hook of layer 0 for every number at every position, by the plain forward pass: `[number][position][head][…]`. */
async function read({ model, details: { config } }: AnalysisContext, hook: 'hook_q' | 'hook_k') {
  const [T, V] = [config.n_ctx, config.d_vocab];
  const name = `blocks.0.attn.${hook}`;
  const { cache } = await model.runWithCache(int32([V, T], Int32Array.from({ length: V * T }, (_, at) => Math.floor(at / T))), [name]);
  const { data } = cache.get(name) ?? expect.fail();
  const { n_heads: H, d_head: K } = config;
  return (token: number, position: number, head: number) => range(K).map(dimension => data[((token * T + position) * H + head) * K + dimension] ?? NaN);
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, at) => sum + value * (b[at] ?? NaN), 0);

/** The accuracy of a model of one layer of attention on its test examples, by hand from its values, with any scores at `=`. */
function accuracyByHand({ details, model, task }: AnalysisContext, score: (head: number, number: number) => number): number {
  const { n_heads: H, d_model: D, d_head: K, d_vocab_out: U } = details.config;
  const of = (name: string) => model.parameter(name).data;
  const [embedding, values, outputs, unembedding] = [of('embed.W_E'), of('blocks.0.attn.W_V'), of('blocks.0.attn.W_O'), of('unembed.W_U')];
  const rowTimes = (row: readonly number[], matrix: Float32Array, columns: number, offset = 0) =>
    range(columns).map(column => row.reduce((sum, value, at) => sum + value * (matrix[offset + at * columns + column] ?? NaN), 0));
  const embedded = (token: number) => [...embedding.subarray(token * D, (token + 1) * D)];
  const { test } = task.split?.(details.experiment.seed) ?? expect.fail();
  const B = test.tokens.shape[0] ?? 0;
  return mean(range(B).map(row => {
    const tokens = [...test.tokens.data.subarray(4 * row, 4 * row + 4)];
    const residual = embedded(tokens[3] ?? NaN);
    for (let head = 0; head < H; head++) {
      // What = scores itself with stays what it is: 0 in these models.
      const powers = [...tokens.slice(0, 3).map(number => Math.exp(score(head, number))), 1];
      const z = range(K).map(dimension => tokens.reduce((sum, token, at) =>
        sum + ((powers[at] ?? NaN) / powers.reduce((all, power) => all + power, 0)) * (rowTimes(embedded(token), values, K, head * D * K)[dimension] ?? NaN), 0));
      rowTimes(z, outputs, D, head * K * D).forEach((value, at) => (residual[at] = (residual[at] ?? NaN) + value));
    }
    const logits = rowTimes(residual, unembedding, U);
    return Number(logits.indexOf(Math.max(...logits)) === test.labels.data[row]);
  }));
}

describe('the linear fit of queries and keys', () => {
  test('finds the slope and centre that a model was made with, and leaves its accuracy as it is', async () => {
    const { scalar, named } = await run(maxModel([2, -0.5], 3), { head: '0.0' });
    expectClose(['slope', 'centre', 'r2', 'worstR2'].map(scalar), [2, 3, 1, 1], { absolute: 1e-5 });
    expect(scalar('accuracy')).toBeGreaterThan(0.3);
    expect(scalar('fittedAccuracy')).toBe(scalar('accuracy'));
    const [first, second] = named<TableFigure>('table', /^Fitted scores from = to a1, a2, a3$/).rows;
    expectClose([...first?.slice(1) ?? [], ...second?.slice(1) ?? []].map(Number), [2, 3, 1, -0.5, 3, 1], { absolute: 1e-5 });
    const dimensions = named<TableFigure>('table', /^Dimensions of L0H0/).rows;
    expectClose(dimensions.flatMap(row => row.slice(1, 4).map(Number)), [[1, 0, 1], [0, 1, 1], ...range(6).map(() => [0, 0, 1])].flat(), { absolute: 1e-6 });
  });

  test.each([
    ['pooled over the inputs, all numbers', {}, [0, 1, 2], 0],
    ['of one input', { key: 'a3' }, [2], 0],
    ['from 3 on', { from: 3 }, [0, 1, 2], 3],
  ] as const)('is least squares of each dimension, multiplied with the query: %s', async (_, params, places, from) => {
    const context = numberContext({ name: 'max' }, { n_heads: 3, normalization_type: 'LN' });
    const [q, k] = [await read(context, 'hook_q'), await read(context, 'hook_k')];
    const numbers = range(8 - from, from);
    const x = places.flatMap(() => numbers);
    const heads = range(3).map(head => {
      const query = q(8, 3, head);
      const lines = range(4).map(dimension => leastSquares(x, places.flatMap(place => numbers.map(number => k(number, place, head)[dimension] ?? NaN))));
      const real = places.flatMap(place => numbers.map(number => dot(query, k(number, place, head)) / 2));
      const slope = dot(query, lines.map(([each]) => each)) / 2;
      const constant = dot(query, lines.map(([, each]) => each)) / 2;
      return { slope, centre: -constant / slope, r2: explained(real, x.map(number => slope * number + constant)), lines };
    });
    const { scalar, named } = await run(context, { ...params, head: '0.1' });
    expectClose(['slope', 'centre', 'r2', 'worstR2'].map(scalar), [heads[1]?.slope ?? NaN, heads[1]?.centre ?? NaN, heads[1]?.r2 ?? NaN, Math.min(...heads.map(({ r2 }) => r2))], { relative: 1e-3, absolute: 1e-4 });
    expect(Math.min(...heads.map(({ r2 }) => r2))).toBeLessThan(0.9);
    expectClose(named<TableFigure>('table', /^Dimensions of L0H1/).rows.flatMap(row => row.slice(1, 3).map(Number)), heads[1]?.lines.flat() ?? [], { absolute: 1e-5 });
    const { series } = named<LinesFigure>('lines', /^Scores of L0H1 from = and their fit$/);
    expect(series.map(({ name }) => name)).toEqual([...places.map(place => `at a${place + 1}`), 'fit']);
    expectClose(series.at(-1)?.y ?? [], range(8).map(number => (heads[1]?.slope ?? NaN) * (number - (heads[1]?.centre ?? NaN))), { absolute: 1e-4 });
    const worst = heads.findIndex(({ r2 }) => r2 === Math.min(...heads.map(each => each.r2)));
    expectClose([(await run(context, params)).scalar('slope')], [heads[worst]?.slope ?? NaN], { relative: 1e-3, absolute: 1e-5 });
  });

  test('takes the place of the scores at the answer, as a pass by hand has it', async () => {
    // Scored by value, but for 5, which counts as nothing: the line sees it nearly as large as it is.
    const bent = (number: number) => (number === 5 ? 0 : number);
    const context = withEntries(maxModel([1.5, 0.8], 0), 'embed.W_E', (row, column, before) => (column === 0 && row < 8 ? bent(row) : before));
    const lines = [1.5, 0.8].map(slope => leastSquares(range(8), range(8).map(number => slope * bent(number))));
    const { scalar, named } = await run(context);
    const real = accuracyByHand(context, (head, number) => ([1.5, 0.8][head] ?? NaN) * bent(number));
    const fitted = accuracyByHand(context, (head, number) => (lines[head]?.[0] ?? NaN) * number + (lines[head]?.[1] ?? NaN));
    expect(fitted).toBeGreaterThan(real);
    expectClose([scalar('accuracy'), scalar('fittedAccuracy')], [real, fitted], { absolute: 1e-6 });
    expectClose(named<BarsFigure>('bars', /^Accuracy at =/).series[0]?.values ?? [], [real, fitted], { absolute: 1e-6 });
  });

  test('of queries that vary too is the product of two lines, for every pair of numbers', async () => {
    const context = numberContext({ name: 'sort' });
    const [q, k] = [await read(context, 'hook_q'), await read(context, 'hook_k')];
    const lineOf = (vectors: readonly (readonly number[])[]) => range(4).map(dimension => leastSquares(range(8), vectors.map(vector => vector[dimension] ?? NaN)));
    // s2 asks and a1 is asked.
    const [queries, keys] = [range(8).map(number => q(number, 5, 1)), range(8).map(number => k(number, 0, 1))];
    const [queryLines, keyLines] = [lineOf(queries), lineOf(keys)];
    const at = (lines: readonly (readonly [number, number])[], number: number) => lines.map(([slope, intercept]) => slope * number + intercept);
    const real = queries.flatMap(query => keys.map(key => dot(query, key) / 2));
    const fit = range(8).flatMap(y => range(8).map(x => dot(at(queryLines, y), at(keyLines, x)) / 2));
    const { scalars, scalar, named } = await run(context, { query: 's2', key: 'a1', head: '0.1' });
    expectClose(named<HeatmapFigure>('heatmap', /^Scores of L0H1 from s2$/).values, real, { absolute: 1e-4, relative: 1e-5 });
    expectClose(named<HeatmapFigure>('heatmap', /^Fitted scores of L0H1 from s2$/).values, fit, { absolute: 1e-4, relative: 1e-5 });
    expectClose([scalar('r2')], [explained(real, fit)], { absolute: 1e-4 });
    expect(Object.keys(scalars)).toEqual(['r2', 'worstR2', 'accuracy', 'fittedAccuracy']);
    const { rows } = named<TableFigure>('table', /^Fitted scores from s2 to a1$/);
    const [both = NaN, ofX = NaN, ofY = NaN, constant = NaN] = (rows[1] ?? []).slice(1).map(Number);
    expectClose(range(8).flatMap(y => range(8).map(x => both * x * y + ofX * x + ofY * y + constant)), fit, { absolute: 1e-4, relative: 1e-5 });
  });

  test('measures the answer that is read at the query, behind all layers', async () => {
    const context = numberContext({ name: 'sort' }, { n_layers: 2 });
    const { test: examples } = context.task.split?.(context.details.experiment.seed) ?? expect.fail();
    const { logits } = await context.model.runWithCache(examples.tokens, []);
    const { scalar } = await run(context, { query: 's2' });
    const right = range(examples.labels.shape[0] ?? 0).map(row => {
      const ofRow = [...logits.data.subarray((row * 7 + 5) * 8, (row * 7 + 6) * 8)];
      return Number(ofRow.indexOf(Math.max(...ofRow)) === examples.labels.data[3 * row + 2]);
    });
    expect(examples.labels.shape).toEqual([100, 3]);
    expectClose([scalar('accuracy')], [mean(right)], { absolute: 1e-6 });
  });

  test('of scores that do not vary is whole, and has no centre', async () => {
    const { scalars } = await run(maxModel([0], 3));
    expect(scalars).toMatchObject({ slope: 0, r2: 1, worstR2: 1 });
    expect(scalars).not.toHaveProperty('centre');
  });

  test('has no accuracy where no answer is read, and works for any task with numbers', async () => {
    expect(Object.keys((await run(numberContext({ name: 'sort' }), { query: 's3' })).scalars)).toEqual(['r2', 'worstR2']);
    expect(Object.keys((await run(modularContext(7))).scalars)).toEqual(['slope', 'centre', 'r2', 'worstR2', 'accuracy', 'fittedAccuracy']);
  });

  test('stops between heads when nobody waits any more', async () => {
    const controller = new AbortController();
    const context = numberContext({ name: 'max' });
    const read = await queriesAndKeys(context, { query: 3, keys: [0, 1, 2] });
    const refused = expect(fittedHeads({ ...context, signal: controller.signal }, read, 0)).rejects.toThrow(CancelledError);
    controller.abort();
    await refused;
  });

  test.each([
    ['a line through two numbers', { from: 6 }, 'Only 2 of the numbers are 6 or larger, and a line is fitted to 3 at least; choose a smaller "from".'],
    ['a line through none', { from: 50 }, /^None of the numbers is 50 or larger/],
    ['a head that is not there', { head: '0.5' }, /^There is no head "L0H5"/],
    ['a key that is not seen', { query: 's1', key: 's2' }, /^The position s1 does not see s2/],
  ])('refuses %s in one sentence', async (_, params, message) => {
    const refused = run(numberContext({ name: 'sort' }), params);
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow(message);
  });
});
