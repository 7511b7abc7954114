import { describe, expect, test } from 'vitest';
import { fourierEmbedding } from '../../../src/analysis/fourierEmbedding';
import { runAnalysis } from '../../../src/analysis/run';
import { UserError } from '../../../src/common/errors';
import type { BarsFigure, Figure, HeatmapFigure, LinesFigure, TableFigure } from '../../../src/protocol/figure';
import { expectClose } from '../../support/close';
import { componentsOverRows, giniByDifferences, modularContext, otherContext, squaredNormAt, withEntries, withWaves } from '../../support/waves';
import { multiplied, rowsOfWeight, transposed } from '../../support/weights';

async function run(context = modularContext(13), params: Readonly<Record<string, unknown>> = {}) {
  const { figures, ...result } = await runAnalysis(fourierEmbedding, context, params);
  const named = <F extends Figure>(kind: F['kind'], title: RegExp) => () =>
    figures.find((figure): figure is F => figure.kind === kind && title.test(figure.title)) ?? expect.fail(`no ${kind} ${String(title)}`);
  return {
    ...result,
    figures,
    byFrequency: named<BarsFigure>('bars', /by frequency/)(),
    byComponent: named<BarsFigure>('bars', /by Fourier component/)(),
    inBasis: named<HeatmapFigure>('heatmap', /^Fourier components of the embedding$/)(),
    table: named<TableFigure>('table', /^Share of each frequency$/)(),
    products: named<HeatmapFigure>('heatmap', /^Dot products/)(),
    cosines: named<LinesFigure>('lines', /^Cosines/)(),
    sines: named<LinesFigure>('lines', /^Sines/),
  };
}

const norm = (values: readonly number[]) => Math.hypot(...values);

describe('the embedding in the Fourier basis', () => {
  test.each([[13, 8], [13, 20], [14, 8], [14, 20]])('modulo %i, with %i dimensions, is that of the definition', async (p, d_model) => {
    const context = modularContext(p, { d_model, d_head: d_model / 2 });
    const components = componentsOverRows(rowsOfWeight(context, 'embed.W_E').slice(0, p));
    const named = [2, Math.floor(p / 2)];
    const { byFrequency, byComponent, inBasis, products, table, scalars } = await run(context, { frequencies: named.join(' ') });

    expect(byComponent.x.labels).toEqual(components.map(({ name }) => name));
    expectClose(byComponent.series[0]?.values ?? [], components.map(({ values }) => norm(values)), { absolute: 1e-10 });
    expectClose(inBasis.values, components.flatMap(({ values }) => values), { absolute: 1e-6 });
    expect(inBasis.y.labels).toEqual(byComponent.x.labels);

    const power = Array.from({ length: Math.floor(p / 2) }, (_, at) => squaredNormAt(components, frequency => frequency === at + 1));
    expect(byFrequency.x.labels).toEqual(power.map((_, at) => String(at + 1)));
    expectClose(byFrequency.series[0]?.values ?? [], power.map(Math.sqrt), { absolute: 1e-10 });
    const share = (isCounted: (frequency: number) => boolean) => squaredNormAt(components, isCounted) / squaredNormAt(components, frequency => frequency > 0);
    expect(scalars).toEqual({
      keyCount: 2,
      keyShare: expect.closeTo(share(frequency => named.includes(frequency)), 10) as number,
      largestFrequency: power.indexOf(Math.max(...power)) + 1,
      gini: expect.closeTo(giniByDifferences(power), 10) as number,
    });

    const keys = components.filter(({ frequency }) => named.includes(frequency));
    expect(products.x.labels).toEqual(keys.map(({ name }) => name));
    const rows = keys.map(({ values }) => values);
    expectClose(products.values, multiplied(rows, transposed(rows)).flat(), { absolute: 1e-6 });

    const order = power.map((value, at) => ({ value, frequency: at + 1 })).sort((one, other) => other.value - one.value);
    expect(table.rows.map(([frequency, isKey]) => [frequency, isKey])).toEqual(order.map(({ frequency }) => [frequency, named.includes(frequency) ? 'key' : '']));
    for (const [frequency, , itsShare, itsNorm, cosine, sine] of table.rows) {
      const its = components.filter(component => component.frequency === frequency);
      expectClose([Number(itsShare), Number(itsNorm)], [share(each => each === frequency), norm(its.flatMap(({ values }) => values))], { absolute: 1e-10 });
      expectClose([Number(cosine)], [norm(its[0]?.values ?? [])], { absolute: 1e-10 });
      if (its[1]) expectClose([Number(sine)], [norm(its[1].values)], { absolute: 1e-10 });
      else expect(sine).toBe('none');
    }
  });

  test.each([[13, [2, 5]], [14, [3, 7]], [59, [4, 11, 28]]])('modulo %i finds the frequencies that it is made of: %j', async (p, keys) => {
    const context = withWaves(modularContext(p, { d_model: 32, d_head: 16 }), Object.fromEntries(keys.map(k => [k, 1])));
    const { scalars, finding, byFrequency, table, products, cosines, sines } = await run(context);
    expect(scalars['keyCount']).toBe(keys.length);
    expect(scalars['keyShare']).toBeGreaterThan(0.99);
    expect(scalars['keyShare']).toBeLessThan(1);
    expect(finding).toBe(`key frequencies ${keys.join(' ')}`);
    expect(byFrequency.caption).toContain(`Key frequencies, which stand out in the embedding: ${keys.join(' ')}.`);
    const [every, key] = byFrequency.series;
    expect(key?.values).toEqual(every?.values.map((value, at) => (keys.includes(at + 1) ? value : 0)));
    expect(table.rows.slice(0, keys.length).map(([, isKey]) => isKey)).toEqual(keys.map(() => 'key'));
    expect(table.rows[keys.length]?.[1] ?? '').toBe('');
    expect(cosines.series.map(({ name }) => name)).toEqual(keys.map(k => `cos ${k}`));
    expect(sines().series.map(({ name }) => name)).toEqual(keys.filter(k => 2 * k !== p).map(k => `sin ${k}`));
    expect(products.rows).toBe(cosines.series.length + sines().series.length);
  });

  test('draws the waves over the numbers', async () => {
    const { cosines, sines } = await run(modularContext(13), { frequencies: '4' });
    const angles = Array.from({ length: 13 }, (_, n) => (2 * Math.PI * 4 * n) / 13);
    expect(cosines.series[0]?.x).toEqual(Float64Array.from(angles.keys()));
    expectClose(cosines.series[0]?.y ?? [], angles.map(angle => Math.cos(angle) / Math.sqrt(13 / 2)), { absolute: 1e-12 });
    expectClose(sines().series[0]?.y ?? [], angles.map(angle => Math.sin(angle) / Math.sqrt(13 / 2)), { absolute: 1e-12 });
  });

  test('where no frequency stands out says so, and shows the largest', async () => {
    const { scalars, finding, byFrequency, table, products, cosines, sines } = await run(modularContext(14, { d_model: 32, d_head: 16 }));
    expect(scalars).toMatchObject({ keyCount: 0, keyShare: 0 });
    expect(finding).toBe('no key frequency');
    expect(byFrequency.series.map(({ name }) => name)).toEqual(['norm']);
    for (const { caption } of [byFrequency, table, products, cosines, sines()]) expect(caption).toContain('No frequency stands out in the embedding');
    expect(table.rows.map(([, isKey]) => isKey)).toEqual(Array.from({ length: 7 }, () => ''));
    expect(table.rows[0]?.[0]).toBe(scalars['largestFrequency']);
    expect(products.title).toBe('Dot products of the largest components');
    expect(cosines.series.map(({ name }) => Number(name.slice(4))).sort()).toEqual(table.rows.slice(0, 5).map(([frequency]) => Number(frequency)).sort());
  });

  test('takes the frequencies that are named, each once', async () => {
    const { scalars, finding, table } = await run(modularContext(13), { frequencies: '5, 2 5' });
    expect(scalars['keyCount']).toBe(2);
    expect(finding).toBe('named frequencies 2 5');
    expect(table.caption).toContain('Key frequencies, as named: 2 5.');
    expect((await run(modularContext(13), { frequencies: '3' })).finding).toBe('named frequency 3');
  });

  test('is of the numbers alone: the row of = does not count', async () => {
    const context = modularContext(13);
    const changed = withEntries(context, 'embed.W_E', (n, _, before) => (n === 13 ? 1e3 : before));
    expect(await runAnalysis(fourierEmbedding, changed, {})).toEqual(await runAnalysis(fourierEmbedding, context, {}));
  });

  test('leaves the constant out of the shares', async () => {
    const context = withWaves(modularContext(13, { d_model: 32, d_head: 16 }), { 2: 1 });
    const shifted = withEntries(context, 'embed.W_E', (_, __, before) => before + 100);
    const { scalars } = await run(shifted);
    expect(scalars['keyCount']).toBe(1);
    expectClose([scalars['keyShare'] ?? 0, scalars['gini'] ?? 0], Object.values((await run(context)).scalars).filter(value => value % 1 !== 0), { absolute: 1e-4 });
  });

  test.each([2, 3])('has a single frequency modulo %i, which stands out of nothing', async p => {
    const { scalars, finding, table, figures } = await run(modularContext(p));
    expect(scalars).toEqual({ keyCount: 0, keyShare: 0, largestFrequency: 1, gini: 0 });
    expect(finding).toBe('no key frequency');
    expect(table.rows).toHaveLength(1);
    expect(figures.filter(({ title }) => title.startsWith('Sines'))).toHaveLength(p - 2);
    expect((await run(modularContext(p), { frequencies: '1' })).scalars).toMatchObject({ keyCount: 1, keyShare: 1 });
  });

  test('of zeros has no frequency', async () => {
    const { scalars } = await run(withEntries(modularContext(13), 'embed.W_E', () => 0));
    expect(scalars).toEqual({ keyCount: 0, keyShare: 0, largestFrequency: 1, gini: 0 });
  });
});

describe('the embedding in the Fourier basis refuses in one sentence', () => {
  test.each([['7'], ['0'], ['two']])('frequency %s', async word => {
    await expect(run(modularContext(13), { frequencies: `1 ${word}` })).rejects.toThrow(UserError);
    await expect(run(modularContext(13), { frequencies: `1 ${word}` })).rejects.toThrow(`There is no frequency "${word}" modulo 13; there are 1 to 6.`);
  });

  test('a model of another task', async () => {
    await expect(run(otherContext())).rejects.toThrow(
      /^The analysis "fourier-embedding" does not apply to .*; it needs a task of addition or subtraction modulo a number\.$/);
  });
});
