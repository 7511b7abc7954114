import { describe, expect, test } from 'vitest';
import type { AnalysisContext } from '../../../src/analysis/define';
import { fourierAttention } from '../../../src/analysis/fourierAttention';
import { runAnalysis } from '../../../src/analysis/run';
import { float32 } from '../../../src/common/tensor';
import type { TableFigure } from '../../../src/protocol/figure';
import { contextOf } from '../../support/analyses';
import { expectCloseToScale } from '../../support/close';
import { prepared } from '../../support/experiments';
import { randomParameters } from '../../support/models';
import { eagerActivations, expectedFunction, heatmapTitled, pairContext, pairSettings, type ExpectedFunction } from './fourier/pairFixtures';

const run = (context: AnalysisContext, params: Readonly<Record<string, unknown>> = {}) => runAnalysis(fourierAttention, context, params);

interface ExpectedMap extends ExpectedFunction {
  readonly values: readonly number[];
}

/** Each head's attention from `=` to a, to b and to itself over all pairs. */
async function expectedAttention(context: AnalysisContext, p: number): Promise<readonly { readonly name: string; readonly maps: readonly ExpectedMap[] }[]> {
  const { n_layers, n_heads: H } = context.details.config;
  const layers = await Promise.all(Array.from({ length: n_layers }, (_, layer) => eagerActivations(context, p, `blocks.${layer}.attn.hook_pattern`)));
  return layers.flatMap(({ data }, layer) => Array.from({ length: H }, (_, head) => ({
    name: `L${layer}H${head}`,
    maps: [0, 1, 2].map(source => {
      const values = Array.from({ length: p * p }, (__, pair) => data[((pair * H + head) * 3 + 2) * 3 + source] ?? 0);
      return { values, ...expectedFunction(p, values) };
    }),
  })));
}

const settings = [...pairSettings, { modulus: 13, model: { n_layers: 2, attn_only: true, d_mlp: undefined } }, { modulus: 14, model: { n_heads: 1, positional_embedding_type: 'shortformer' } }];

describe('attention over all pairs', () => {
  test.each(settings)('is drawn with its spectra by definition: %o', async setting => {
    const context = pairContext(setting);
    const { modulus: p } = setting;
    const heads = await expectedAttention(context, p);
    for (const [at, { name, maps }] of heads.entries()) {
      const subject = { layer: Math.floor(at / context.details.config.n_heads), head: at % context.details.config.n_heads };
      const { figures, scalars } = await run(context, { head: `${subject.layer}.${subject.head}` });
      for (const [index, source] of ['a', 'b'].entries()) {
        const { values, coefficients } = maps[index] ?? expect.fail();
        const drawn = heatmapTitled(figures, `Attention of ${name} from = to ${source}`);
        const spectrum = heatmapTitled(figures, `Spectrum of the attention of ${name} from = to ${source}`);
        const norms = heatmapTitled(figures, `Frequencies of the attention of ${name} from = to ${source}`);
        expectCloseToScale(drawn.values, values, 1e-5, 'attention');
        // What a spectrum is rounded by is of the size of the attention, not of how little it varies.
        const rounding = 1e-6 * p;
        expect(Math.max(...coefficients.map((coefficient, term) => Math.abs(coefficient - (spectrum.values[term] ?? NaN))))).toBeLessThan(rounding);
        expect(norms.values).toHaveLength((Math.floor(p / 2) + 1) ** 2);
        expect(norms.values.reduce((sum, norm) => sum + norm ** 2, 0)).toBeCloseTo(coefficients.reduce((sum, coefficient) => sum + coefficient ** 2, 0), 5);
        expect(norms.values[Math.floor(p / 2) + 2]).toBeCloseTo(Math.hypot(...[1, 2].flatMap(i => [1, 2].map(j => coefficients[i * p + j] ?? 0))), 5);
        expect([drawn.subject, spectrum.subject, norms.subject]).toEqual([subject, subject, subject]);
      }
      const [toA = NaN, toB = NaN, toEquals = NaN] = maps.map(map => map.mean);
      expectCloseToScale(['toA', 'toB', 'toEquals', 'furthestFromHalf'].map(scalar => scalars[scalar] ?? NaN), [toA, toB, toEquals, Math.max(Math.abs(toA - 0.5), Math.abs(toB - 0.5))], 1e-5, 'scalars');
    }
  });

  test.each(settings)('is summed up over heads: %o', async setting => {
    const context = pairContext(setting);
    const heads = await expectedAttention(context, setting.modulus);
    const { figures, scalars } = await run(context);
    const means = heads.map(({ maps }) => maps.map(map => map.mean));
    const overHeads = (source: number) => means.reduce((sum, each) => sum + (each[source] ?? NaN), 0) / means.length;
    expectCloseToScale(['toA', 'toB', 'toEquals'].map(scalar => scalars[scalar] ?? NaN), [0, 1, 2].map(overHeads), 1e-5, 'scalars');
    expect(scalars['furthestFromHalf']).toBeCloseTo(Math.max(...means.flatMap(([toA = NaN, toB = NaN]) => [Math.abs(toA - 0.5), Math.abs(toB - 0.5)])), 5);

    const table = figures.find((figure): figure is TableFigure => figure.kind === 'table') ?? expect.fail();
    expect(table.rows.map(row => row[0])).toEqual(heads.map(({ name }) => name));
    expectCloseToScale(table.rows.flatMap(row => row.slice(1).map(Number)), means.flat(), 1e-5, 'means');
    const explained = heatmapTitled(figures, 'Variance of attention');
    expectCloseToScale(explained.values, heads.flatMap(({ maps }) => maps.slice(0, 2).flatMap(map => map.fractions)), 1e-5, 'explained');
    expect(explained.y.subjects).toEqual(heads.flatMap((_, at) => {
      const { n_heads } = context.details.config;
      const subject = { layer: Math.floor(at / n_heads), head: at % n_heads };
      return [subject, subject];
    }));
    const drawn = figures.filter(({ title }) => title.startsWith('Attention of L'));
    expect(drawn.map(({ title }) => title)).toEqual(heads.slice(0, 4).map(({ name }) => `Attention of ${name} from = to a`));
  });

  test('that does not depend on the pair has empty spectra', async () => {
    const context = pairContext({ modulus: 14 });
    const parameters = randomParameters(context.details.config);
    for (const name of ['W_K', 'b_K']) {
      const weight = parameters.get(`blocks.0.attn.${name}`) ?? expect.fail();
      parameters.set(`blocks.0.attn.${name}`, float32(weight.shape));
    }
    const { figures, scalars } = await run({ ...context, model: context.model.withWeights(parameters) });
    expect(scalars['toA']).toBeCloseTo(1 / 3, 6);
    expect(scalars['furthestFromHalf']).toBeCloseTo(1 / 6, 6);
    const spectrum = heatmapTitled(figures, 'Spectrum of the attention of L0H0');
    expect(spectrum.values.every(value => value === 0)).toBe(true);
    expect(spectrum.caption).toContain('It does not depend on a and b.');
    expect(heatmapTitled(figures, 'Variance of attention').values.every(value => value === 0)).toBe(true);
  });
});

describe('what cannot be shown is named', () => {
  test('a head that there is not', async () => {
    await expect(run(pairContext({ modulus: 7 }), { head: '1.0' })).rejects.toThrow(/There is no head "L1H0"/);
  });

  test('a task that is not modular', async () => {
    const other = contextOf(prepared({ task: { name: 'array-update', modulus: undefined, trainFraction: undefined }, training: { batch: 8 } }));
    await expect(run(other)).rejects.toThrow(/does not apply to .*; it needs a task of addition or subtraction modulo a number\.$/);
  });
});
