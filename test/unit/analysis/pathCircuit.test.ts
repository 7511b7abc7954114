import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AnalysisContext } from '../../../src/analysis/define';
import { pathCircuit } from '../../../src/analysis/pathCircuit';
import { runAnalysis } from '../../../src/analysis/run';
import { UserError } from '../../../src/common/errors';
import type { HeatmapFigure } from '../../../src/protocol/figure';
import { axesOf, formatPath, headMatrices, layerMatrices, modelMatrices, type PathFactor } from '../../../src/protocol/path';
import { expectCloseToScale } from '../../support/close';
import { configFromFixture, readFixture } from '../../support/fixtures';
import { configOf, randomParameters } from '../../support/models';
import { multiplied, rowsOfWeight, transposed, weightsContext, type Rows } from '../../support/weights';

const sizes = configOf({ n_layers: 2, n_heads: 2, d_model: 8, d_head: 3, d_mlp: 10, d_vocab: 7, d_vocab_out: 6, n_ctx: 5 });

async function run(params: Readonly<Record<string, unknown>>, context = weightsContext(sizes)) {
  const { figures, scalars } = await runAnalysis(pathCircuit, context, params);
  const [figure, block] = figures.filter((each): each is HeatmapFigure => each.kind === 'heatmap');
  return { figures, scalars, figure: figure ?? expect.fail('no heatmap'), block };
}

/** One factor as rows of numbers, straight from the definitions: OV = W_V W_O and QK = W_Q W_Kᵀ. */
function factorRows(context: AnalysisContext, factor: PathFactor): Rows {
  const weight = (name: string) => {
    if ('head' in factor) return rowsOfWeight(context, `blocks.${factor.layer}.attn.${name}`, factor.head);
    if ('layer' in factor) return rowsOfWeight(context, `blocks.${factor.layer}.mlp.${name}`);
    return rowsOfWeight(context, { W_E: 'embed.W_E', W_pos: 'pos_embed.W_pos', W_U: 'unembed.W_U' }[factor.matrix]);
  };
  const upright =
    factor.matrix === 'OV'
      ? multiplied(weight('W_V'), weight('W_O'))
      : factor.matrix === 'QK'
        ? multiplied(weight('W_Q'), transposed(weight('W_K')))
        : weight(factor.matrix);
  return factor.transposed ? transposed(upright) : upright;
}

const everyFactor: readonly PathFactor[] = [false, true].flatMap(turned => [
  ...modelMatrices.map((matrix): PathFactor => ({ matrix, transposed: turned })),
  ...headMatrices.map((matrix, at): PathFactor => ({ matrix, layer: at % 2, head: (at + 1) % 2, transposed: turned })),
  ...layerMatrices.map((matrix, at): PathFactor => ({ matrix, layer: at % 2, transposed: turned })),
]);

/** Paths of up to six factors, each of which fits the one before it. */
const paths = fc.array(fc.nat(), { minLength: 1, maxLength: 6 }).map(choices =>
  choices.reduce<readonly PathFactor[]>((path, choice) => {
    const end = path.at(-1);
    const fits = end ? everyFactor.filter(factor => axesOf(factor)[0] === axesOf(end)[1]) : everyFactor;
    const next = fits[choice % fits.length];
    return next ? [...path, next] : path;
  }, []),
);

describe('a path circuit', () => {
  test('of any path is the product of its factors', async () => {
    const context = weightsContext(sizes);
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(paths, async path => {
        const [first, ...others] = path.map(factor => factorRows(context, factor));
        const expected = multiplied(first ?? [], ...others);
        const { figure } = await run({ path: formatPath(path), masked: false }, context);
        expect([figure.rows, figure.columns]).toEqual([expected.length, expected[0]?.length]);
        expectCloseToScale(figure.values, expected.flat(), 1e-6, formatPath(path));
        for (const factor of path) seen.add(`${factor.matrix} ${factor.transposed}`);
      }),
      { numRuns: 150, seed: 3 },
    );
    expect(seen.size).toBe(everyFactor.length);
  });

  test('through two heads is the virtual OV circuit of TransformerLens', async () => {
    for (const name of ['shortformer-attention-only-2-layers', 'layer-norm-pre-no-positions-attention-only-3-layers']) {
      const [source, expected] = [await readFixture(`models/${name}`), await readFixture(`circuits/${name}`)];
      const context = weightsContext(configFromFixture(source.document), source.tensors.group('state'));
      const { figure } = await run({ path: 'W_E @ OV(0.1) @ OV(L1H2) @ W_U' }, context);
      expectCloseToScale(figure.values, expected.tensors.float32('virtual_ov').data, 1e-6);
    }
  });

  test('names its rows and columns by what they count', async () => {
    const [words, dimensions] = [await run({ path: 'W_pos · W_Eᵀ' }), await run({ path: 'W_in(0)ᵀ W_V(1.0)' })];
    expect(words.figure.y).toMatchObject({ title: 'Position', labels: ['p0', 'p1', 'p2', 'p3', 'p4'] });
    expect(words.figure.y.subjects?.[2]).toEqual({ position: 2 });
    expect(words.figure.x).toMatchObject({ title: 'Token', labels: ['0', '1', '2', '3', '4', '5', '6'] });
    expect(words.figure.title).toBe('W_pos · W_Eᵀ');
    expect(dimensions.figure.y).toMatchObject({ title: 'MLP neuron' });
    expect(dimensions.figure.x).toMatchObject({ title: 'Head dimension', labels: ['0', '1', '2'] });
  });

  test.each([
    [{}, 'W_pos · QK(1.0) · OV(0.0)ᵀ · W_Eᵀ'],
    [{ n_layers: 3 }, 'W_pos · QK(2.0) · OV(0.0)ᵀ · W_Eᵀ'],
    [{ positional_embedding_type: 'rotary' }, 'W_E · QK(1.0) · OV(0.0)ᵀ · W_Eᵀ'],
    [{ n_layers: 1 }, 'W_E · OV(0.0) · W_U'],
  ] as const)('where none is given is one that the model has: %j', async (config, path) => {
    expect((await run({}, weightsContext(configOf({ d_head: 4, ...config })))).figure.title).toBe(path);
  });

  test('measures a block that is named, and draws it', async () => {
    const context = weightsContext(sizes);
    const path = 'W_pos · QK(1.0) · OV(0.0)ᵀ · W_Eᵀ';
    const { figure, block, scalars } = await run({ path, rows: 'p4 1 p2', columns: '6, 0, 3' }, context);
    const at = (row: number, column: number) => figure.values[row * 7 + column] ?? Number.NaN;
    const rows = [4, 1, 2].map(row => [6, 0, 3].map(column => at(row, column)));
    expect([...(block?.values ?? [])]).toEqual(rows.flat());
    expect([block?.y.labels, block?.x.labels]).toEqual([['p4', 'p1', 'p2'], ['6', '0', '3']]);
    const margins = rows.map((row, index) => (row[index] ?? 0) - Math.max(...row.filter((_, column) => column !== index)));
    expect(scalars['blockDiagonal']).toBeCloseTo(margins.filter(margin => margin > 0).length / 3, 12);
    expect(scalars['blockSmallestDiagonal']).toBeCloseTo(Math.min(...margins), 5);
    expect(scalars['blockLargest']).toBeCloseTo(Math.max(...rows.flat().map(Math.abs)), 5);
    const own = rows.map((row, index) => row[index] ?? 0);
    const total = rows.flat().reduce((sum, value) => sum + value, 0);
    const onDiagonal = own.reduce((sum, value) => sum + value, 0);
    expect(scalars['blockMean']).toBeCloseTo(onDiagonal / 3 - (total - onDiagonal) / 6, 5);
    expect(scalars).not.toHaveProperty('diagonal');
  });

  test('from tokens to outputs measures copying, tokens aside', async () => {
    const context = weightsContext(sizes, randomParameters(sizes, 4));
    const path = 'W_E · OV(0.0) · OV(1.0) · W_U';
    const { figure, scalars } = await run({ path, aside: '0 5' }, context);
    const copied = [1, 2, 3, 4].filter(token => {
      const logits = [1, 2, 3, 4].map(output => figure.values[token * 6 + output] ?? Number.NaN);
      return Math.max(...logits) === logits[token - 1];
    });
    expect(scalars['copying']).toBe(copied.length / 4);
    expect(scalars['diagonal']).toBe(copied.length / 4);
    expect((await run({ path: 'W_E · W_Eᵀ' }, context)).scalars).not.toHaveProperty('copying');
  });

  test('from positions to positions leaves out what the mask forbids, unless all of it is wanted', async () => {
    const context = weightsContext(configOf({ mask: ['x....', 'xx...', '.xx..', 'xxxx.', 'xxxxx'] }));
    const path = 'W_pos · QK(1.0) · W_posᵀ';
    const [allowed, all] = [await run({ path }, context), await run({ path, masked: false }, context)];
    expect([...(allowed.figure.present ?? [])].join('')).toBe('1000011000011001111011111');
    expect(all.figure.present).toBeUndefined();
    const counted = allowed.figure.values.filter((_, at) => allowed.figure.present?.[at] === 1);
    expect(allowed.scalars['blockLargest']).toBeCloseTo(Math.max(...counted.map(Math.abs)), 5);
    expect((await run({ path: 'W_pos · W_Eᵀ' }, context)).figure.present).toBeUndefined();
  });

  test('is compared with another by their largest entries', async () => {
    const context = weightsContext(configOf());
    const [path, against] = ['W_pos · QK(1.0) · W_posᵀ', 'W_E · OV(0.0) · W_U'];
    const largest = async (params: Readonly<Record<string, unknown>>) => (await run(params, context)).scalars['blockLargest'] ?? Number.NaN;
    const { scalars } = await run({ path, against, rows: '0 1', columns: '0 1', masked: false }, context);
    const block = await largest({ path, rows: '0 1', columns: '0 1', masked: false });
    expect(scalars['relative']).toBeCloseTo(block / await largest({ path: against }), 9);
    expect((await run({ path }, context)).scalars).not.toHaveProperty('relative');
  });

  test('that is nowhere narrow reads the first of a large vocabulary, and says so', async () => {
    const { figure } = await run({ path: 'W_E' }, weightsContext(configOf({ d_vocab: 600 })));
    expect([figure.rows, figure.columns]).toEqual([512, 8]);
    expect(figure.caption).toContain('Numbers are of the first 512 of 600 tokens.');
  });
});

describe('a path circuit refuses in one sentence', () => {
  test.each([
    ['what cannot be multiplied', {}, { path: 'W_E · W_U · OV(0.0)' }, /^Factor 3 of the path does not fit: OV\(0\.0\) begins in the residual stream, but W_U before it ends in the outputs\./],
    ['a head that is not there', {}, { path: 'W_E · OV(2.0) · W_U' }, /^There is no head "L2H0"; the nearest are /],
    ['a layer that is not there', {}, { path: 'W_E · W_in(5)' }, /^There is no MLP "MLP 5"; the nearest are "MLP 0", "MLP 1"\.$/],
    ['an MLP of attention alone', { attn_only: true }, { path: 'W_E · W_in(0)' }, /^There is no W_in\(0\): this model has attention only\.$/],
    ['positions without weights', { positional_embedding_type: 'rotary' }, { path: 'W_pos · W_U' }, /^There is no W_pos: the positional embedding of this model is "rotary", which has no weights\.$/],
    ['a row that is not there', {}, { rows: 'p9' }, /^There is no position "p9"; the nearest are /],
    ['a token aside that is none', {}, { aside: '9' }, /^There is no token "9"; /],
  ] as const)('%s', async (_, config, params, message) => {
    const context = weightsContext(configOf({ d_head: 4, ...config }));
    await expect(run(params, context)).rejects.toThrow(UserError);
    await expect(run(params, context)).rejects.toThrow(message);
  });
});
