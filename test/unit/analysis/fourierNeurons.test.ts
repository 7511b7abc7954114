import { describe, expect, test } from 'vitest';
import type { AnalysisContext } from '../../../src/analysis/define';
import { fourierNeurons } from '../../../src/analysis/fourierNeurons';
import { runAnalysis } from '../../../src/analysis/run';
import type { TableFigure } from '../../../src/protocol/figure';
import { float32 } from '../../../src/common/tensor';
import { expectCloseToScale } from '../../support/close';
import { randomParameters } from '../../support/models';
import { eagerActivations, expectedFunction, heatmapTitled, pairContext, pairSettings } from './fourier/pairFixtures';

const run = (context: AnalysisContext, params: Readonly<Record<string, unknown>> = {}) => runAnalysis(fourierNeurons, context, params);

describe('neurons over all pairs', () => {
  test.each(pairSettings)('are drawn with their spectra by definition: %o', async setting => {
    const context = pairContext(setting);
    const { modulus: p } = setting;
    for (let layer = 0; layer < context.details.config.n_layers; layer++) {
      for (const point of ['pre', 'post']) {
        const { shape: [, , M = 0], data } = await eagerActivations(context, p, `blocks.${layer}.mlp.hook_${point}`);
        const { figures, scalars } = await run(context, { neurons: '5, 0 12', layer, point });
        let explained = 0;
        for (const neuron of [5, 0, 12]) {
          const values = Array.from({ length: p * p }, (_, pair) => data[(pair * 3 + 2) * M + neuron] ?? 0);
          const { coefficients, fractions } = expectedFunction(p, values);
          const [drawn, spectrum] = [heatmapTitled(figures, `Activation of neuron ${neuron} of layer ${layer}`), heatmapTitled(figures, `Spectrum of neuron ${neuron} of`)];
          expectCloseToScale(drawn.values, values, 1e-5, 'activations');
          expectCloseToScale(spectrum.values, coefficients, 1e-5, 'spectrum');
          expect([drawn.subject, spectrum.subject]).toEqual([{ layer }, { layer }]);
          expect(spectrum.y.labels?.slice(0, 3)).toEqual(['constant', 'cos 1', 'sin 1']);
          explained += Math.max(...fractions) / 3;

          const table = figures.find((figure): figure is TableFigure => figure.kind === 'table');
          const terms = table?.rows.filter(row => row[0] === neuron) ?? [];
          const largest = coefficients.map(Math.abs).toSorted((a, b) => b - a).slice(0, terms.length);
          expectCloseToScale(terms.map(row => Math.abs(Number(row[2]))), largest, 1e-5, 'largest terms');
          const total = coefficients.reduce((sum, coefficient) => sum + coefficient ** 2, 0);
          expectCloseToScale(terms.map(row => Number(row[3])), largest.map(coefficient => coefficient ** 2 / total), 2e-5, 'fractions');
        }
        expect(scalars['explained']).toBeCloseTo(explained, 5);
      }
    }
  });

  test('name their terms by wave and variable', async () => {
    const p = 14;
    const context = pairContext({ modulus: p });
    const { figures } = await run(context, { neurons: '0', point: 'pre' });
    const { values, x, y } = heatmapTitled(figures, 'Spectrum of neuron 0');
    const table = figures.find((figure): figure is TableFigure => figure.kind === 'table') ?? expect.fail();
    for (const [, term, coefficient] of table.rows) {
      const at = values.indexOf(Number(coefficient));
      const [inA = '', inB = ''] = [y.labels?.[Math.floor(at / p)], x.labels?.[at % p]];
      const parts = [inA === 'constant' ? '' : `${inA}a`, inB === 'constant' ? '' : `${inB}b`];
      expect(term).toBe(parts.filter(part => part !== '').join(' · '));
    }
    expect(table.rows).toHaveLength(5);
  });

  test('are those that a frequency explains best, each of another one, where none is named', async () => {
    const p = 13;
    const context = pairContext({ modulus: p, operation: 'subtract' });
    const { shape: [, , M = 0], data } = await eagerActivations(context, p, 'blocks.0.mlp.hook_post');
    const neurons = Array.from({ length: M }, (_, neuron) => {
      const { fractions } = expectedFunction(p, Array.from({ length: p * p }, (__, pair) => data[(pair * 3 + 2) * M + neuron] ?? 0));
      return { neuron, explained: Math.max(...fractions), frequency: fractions.indexOf(Math.max(...fractions)) };
    }).toSorted((a, b) => b.explained - a.explained);
    const best = neurons.filter(({ frequency }, at) => neurons.findIndex(other => other.frequency === frequency) === at).slice(0, 4);
    const { figures } = await run(context);
    expect(figures.filter(({ title }) => title.startsWith('Activation of neuron ')).map(({ title }) => title)).toEqual(best.map(({ neuron }) => `Activation of neuron ${neuron} of layer 0, post`));
  });
});

test('a dead neuron has an empty spectrum and no terms', async () => {
  const context = pairContext({ modulus: 7 });
  const parameters = randomParameters(context.details.config);
  const bias = parameters.get('blocks.0.mlp.b_in') ?? expect.fail();
  parameters.set('blocks.0.mlp.b_in', float32(bias.shape, bias.data.map(() => -100)));
  const { figures, scalars } = await run({ ...context, model: context.model.withWeights(parameters) });
  expect(scalars).toEqual({ explained: 0 });
  expect(heatmapTitled(figures, 'Spectrum of neuron 0').values.every(value => value === 0)).toBe(true);
  expect(heatmapTitled(figures, 'Activation of neuron 0').caption).toContain('It does not depend on a and b.');
  expect((figures.at(-1) as TableFigure).rows).toEqual([]);
});

describe('what cannot be shown is named', () => {
  const context = pairContext({ modulus: 7 });

  test.each(['16', '-1', '1.5', 'nine'])('a neuron that there is not: %s', async word => {
    await expect(run(context, { neurons: `0 ${word}` })).rejects.toThrow(`There is no neuron "${word}" in layer 0; it has 16, counted from 0.`);
  });

  test('too many neurons at once', async () => {
    await expect(run(context, { neurons: '0 1 2 3 4 5 6 7 8' })).rejects.toThrow('9 neurons are named; at most 8 are shown at once.');
  });

  test('a layer that there is not', async () => {
    await expect(run(context, { layer: 4 })).rejects.toThrow('There is no layer 4');
  });

  test('a model with attention only', async () => {
    await expect(run(pairContext({ modulus: 7, model: { attn_only: true, d_mlp: undefined } }))).rejects.toThrow(/it needs .* and an MLP/);
  });
});
