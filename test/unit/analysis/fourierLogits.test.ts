import { describe, expect, test } from 'vitest';
import type { AnalysisContext } from '../../../src/analysis/define';
import { fourierLogits } from '../../../src/analysis/fourierLogits';
import { runAnalysis } from '../../../src/analysis/run';
import { UserError } from '../../../src/common/errors';
import type { BarsFigure, Figure, HeatmapFigure } from '../../../src/protocol/figure';
import { expectClose } from '../../support/close';
import { componentsOverRows, giniByDifferences, modularContext, otherContext, squaredNormAt, withEntries, withWaves } from '../../support/waves';
import { multiplied, rowsOfWeight, transposed } from '../../support/weights';

async function run(context = modularContext(13), params: Readonly<Record<string, unknown>> = {}) {
  const { figures, ...result } = await runAnalysis(fourierLogits, context, params);
  const named = <F extends Figure>(kind: F['kind'], title: RegExp) =>
    figures.find((figure): figure is F => figure.kind === kind && title.test(figure.title)) ?? expect.fail(`no ${kind} ${String(title)}`);
  return {
    ...result,
    figures,
    byFrequency: named<BarsFigure>('bars', /by frequency/),
    byComponent: named<BarsFigure>('bars', /by Fourier component/),
    neurons: named<HeatmapFigure>('heatmap', /of each neuron's/),
  };
}

/** The components over the outputs of what each neuron writes: `[p]` of them, a value for each neuron. */
function componentsOfNeurons(context: AnalysisContext, layer = 0) {
  return componentsOverRows(transposed(multiplied(rowsOfWeight(context, `blocks.${layer}.mlp.W_out`), rowsOfWeight(context, 'unembed.W_U'))));
}

describe('the logit weights of neurons in the Fourier basis', () => {
  test.each([[13, 8], [13, 20], [14, 8], [14, 20]])('modulo %i, with %i dimensions, are those of the definition', async (p, d_model) => {
    const context = modularContext(p, { d_model, d_head: d_model / 2, d_mlp: 11 });
    const components = componentsOfNeurons(context);
    const named = [1, Math.floor(p / 2)];
    const { byFrequency, byComponent, neurons, scalars } = await run(context, { frequencies: named.join(' ') });

    expect(byComponent.x.labels).toEqual(components.map(({ name }) => name));
    expectClose(byComponent.series[0]?.values ?? [], components.map(({ values }) => Math.hypot(...values)), { absolute: 1e-10 });
    const power = Array.from({ length: Math.floor(p / 2) }, (_, at) => squaredNormAt(components, frequency => frequency === at + 1));
    const [every, key] = byFrequency.series;
    expectClose(every?.values ?? [], power.map(Math.sqrt), { absolute: 1e-10 });
    expect(key?.values).toEqual(every?.values.map((value, at) => (named.includes(at + 1) ? value : 0)));
    expect(scalars).toEqual({
      keyCount: 2,
      keyShare: expect.closeTo(squaredNormAt(components, k => named.includes(k)) / squaredNormAt(components, k => k > 0), 10) as number,
      largestFrequency: power.indexOf(Math.max(...power)) + 1,
      gini: expect.closeTo(giniByDifferences(power), 10) as number,
    });

    expect([neurons.rows, neurons.columns]).toEqual([11, p]);
    expect([...(neurons.y.labels ?? [])].map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 11 }, (_, neuron) => neuron));
    const expected = (neurons.y.labels ?? []).flatMap(neuron => components.map(({ values }) => values[Number(neuron)] ?? 0));
    expectClose(neurons.values, expected, { absolute: 1e-6 });
  });

  test('stand by the frequency that a neuron writes most, the strongest first', async () => {
    const context = modularContext(14, { d_mlp: 24 });
    const components = componentsOfNeurons(context);
    const { neurons } = await run(context);
    const order = (neurons.y.labels ?? []).map(Number).map(neuron => {
      const own = components.map(({ values, ...rest }) => ({ ...rest, values: [values[neuron] ?? 0] }));
      const power = Array.from({ length: 7 }, (_, at) => squaredNormAt(own, k => k === at + 1));
      return { frequency: power.indexOf(Math.max(...power)) + 1, total: squaredNormAt(own, k => k > 0) };
    });
    expect(order).toEqual([...order].sort((a, b) => a.frequency - b.frequency || b.total - a.total));
    expect(new Set(order.map(({ frequency }) => frequency)).size).toBeGreaterThan(2);
  });

  test('are of the last layer', async () => {
    const context = modularContext(13, { n_layers: 2 });
    const { byComponent } = await run(context);
    expectClose(byComponent.series[0]?.values ?? [], componentsOfNeurons(context, 1).map(({ values }) => Math.hypot(...values)), { absolute: 1e-10 });
  });

  test('are measured at the key frequencies of the embedding, and say which they write themselves', async () => {
    const p = 13;
    const embedded = withWaves(modularContext(p, { d_model: 32, d_head: 16 }), { 2: 1, 5: 1 });
    const unembedded = withEntries(embedded, 'unembed.W_U', (d, c, before) => 0.01 * before + Math.cos((2 * Math.PI * 5 * c) / p + d));
    const { scalars, finding, byFrequency } = await run(unembedded);
    expect(scalars).toMatchObject({ keyCount: 2, largestFrequency: 5 });
    expect(scalars['keyShare']).toBeGreaterThan(0.99);
    expect(finding).toBe('neurons write frequency 5');
    expect(byFrequency.caption).toContain('Key frequencies, which stand out in the embedding: 2 5.');
    expect((await run(unembedded, { frequencies: '2' })).scalars['keyShare']).toBeLessThan(0.01);
  });

  test('have no key share where no frequency stands out in the embedding', async () => {
    const { scalars, finding, byFrequency } = await run(modularContext(14, { d_model: 32, d_head: 16, d_mlp: 64 }));
    expect(scalars).toMatchObject({ keyCount: 0, keyShare: 0 });
    expect(finding).toBe('no frequency stands out');
    expect(byFrequency.series.map(({ name }) => name)).toEqual(['norm']);
    expect(byFrequency.caption).toContain('No frequency stands out in the embedding.');
  });

  test('of many neurons are drawn of the strongest, and measured of all', async () => {
    const context = modularContext(13, { d_mlp: 530 });
    const quiet = 10;
    const changed = withEntries(context, 'blocks.0.mlp.W_out', (neuron, _, before) => (neuron < quiet ? 1e-6 : 1) * before);
    const { neurons, byComponent } = await run(changed);
    expect(neurons.rows).toBe(512);
    expect(neurons.caption).toContain('The strongest 512 of 530 neurons are drawn.');
    expect((neurons.y.labels ?? []).filter(label => Number(label) < quiet)).toEqual([]);
    expectClose(byComponent.series[0]?.values ?? [], componentsOfNeurons(changed).map(({ values }) => Math.hypot(...values)), { absolute: 1e-9 });
  });

  test('say what they leave out', async () => {
    const { figures } = await run(modularContext(13, { normalization_type: 'LN' }));
    for (const { caption } of figures) expect(caption).toContain('Norms and biases are left out.');
    for (const { caption } of (await run(modularContext(13, { normalization_type: null, biases: false }))).figures) expect(caption).not.toContain('are left out');
  });

  test.each([2, 3])('have a single frequency modulo %i', async p => {
    const { scalars } = await run(modularContext(p), { frequencies: '1' });
    expect(scalars).toEqual({ keyCount: 1, keyShare: 1, largestFrequency: 1, gini: 0 });
    expect((await run(modularContext(p))).scalars['keyShare']).toBe(0);
  });

  test('of zeros have no frequency', async () => {
    const { scalars } = await run(withEntries(modularContext(13), 'unembed.W_U', () => 0), { frequencies: '2' });
    expect(scalars).toEqual({ keyCount: 1, keyShare: 0, largestFrequency: 1, gini: 0 });
  });
});

describe('the logit weights of neurons in the Fourier basis refuse in one sentence', () => {
  test('a frequency that there is not', async () => {
    await expect(run(modularContext(14), { frequencies: '8' })).rejects.toThrow(UserError);
    await expect(run(modularContext(14), { frequencies: '8' })).rejects.toThrow('There is no frequency "8" modulo 14; there are 1 to 7.');
  });

  test.each([
    ['a model of another task', otherContext()],
    ['a model without an MLP', modularContext(13, { attn_only: true, d_mlp: undefined })],
  ])('%s', async (_, context) => {
    await expect(run(context)).rejects.toThrow(
      /^The analysis "fourier-logits" does not apply to .*; it needs a task of addition or subtraction modulo a number, and an MLP\.$/);
  });
});
