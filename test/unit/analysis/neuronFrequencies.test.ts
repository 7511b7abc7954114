import { describe, expect, test } from 'vitest';
import { neuronFrequencies } from '../../../src/analysis/neuronFrequencies';
import { runAnalysis } from '../../../src/analysis/run';
import type { AnalysisContext } from '../../../src/analysis/define';
import { float32, type HostTensor } from '../../../src/common/tensor';
import type { BarsFigure, LinesFigure, TableFigure } from '../../../src/protocol/figure';
import { contextOf } from '../../support/analyses';
import { expectCloseToScale } from '../../support/close';
import { prepared } from '../../support/experiments';
import { randomParameters } from '../../support/models';
import { eagerActivations, expectedFunction, heatmapTitled, pairContext, pairSettings } from './fourier/pairFixtures';

const run = (context: AnalysisContext, params: Readonly<Record<string, unknown>> = {}) => runAnalysis(neuronFrequencies, context, params);

/** Each neuron's activations at `=` for every pair, and what they are made of. */
async function expectedNeurons(context: AnalysisContext, p: number, layer: number) {
  const { shape: [, , M = 0], data } = await eagerActivations(context, p, `blocks.${layer}.mlp.hook_post`);
  return Array.from({ length: M }, (_, neuron) => expectedFunction(p, Array.from({ length: p * p }, (__, pair) => data[(pair * 3 + 2) * M + neuron] ?? 0)));
}

/** The context with some of its parameters replaced. */
function withParameters(context: AnalysisContext, change: (parameters: Map<string, HostTensor<'float32'>>) => void): AnalysisContext {
  const parameters = randomParameters(context.details.config);
  change(parameters);
  return { ...context, model: context.model.withWeights(parameters) };
}

describe('the fraction of each neuron that a frequency explains', () => {
  test.each(pairSettings)('is what its definition says: %o', async setting => {
    const context = pairContext(setting);
    const { modulus: p } = setting;
    for (let layer = 0; layer < context.details.config.n_layers; layer++) {
      const neurons = await expectedNeurons(context, p, layer);
      const threshold = 0.5;
      const { figures, scalars } = await run(context, { layer, threshold });
      const heatmap = heatmapTitled(figures, `Variance of the neurons of layer ${layer}`);
      const order = (heatmap.x.labels ?? []).map(Number);
      expect(order.toSorted((a, b) => a - b)).toEqual([...neurons.keys()]);
      const fractions = order.map(neuron => neurons[neuron]?.fractions ?? []);
      expectCloseToScale(heatmap.values, fractions[0]?.flatMap((_, k) => fractions.map(each => each[k] ?? 0)) ?? [], 1e-5, 'fractions');

      const live = neurons.filter(({ isConstant }) => !isConstant).map(({ fractions: each }) => ({ best: Math.max(...each), frequency: each.indexOf(Math.max(...each)) }));
      const best = live.map(each => each.best).toSorted((a, b) => a - b);
      const clustered = live.filter(each => each.best > threshold).map(({ frequency }) => frequency);
      expect(scalars['explained']).toBe(clustered.length / live.length);
      expect(scalars['medianExplained']).toBeCloseTo(best[Math.floor(best.length / 2)] ?? NaN, 5);
      expect(scalars['clusters']).toBe(new Set(clustered).size);
      expect(scalars['deadNeurons']).toBe(neurons.length - live.length);
      const counts = figures.find((figure): figure is BarsFigure => figure.kind === 'bars');
      expect([...counts?.series[0]?.values ?? []]).toEqual(Array.from({ length: Math.floor(p / 2) }, (_, k) => clustered.filter(each => each === k).length));
      const line = figures.find((figure): figure is LinesFigure => figure.kind === 'lines');
      expectCloseToScale(line?.series[0]?.y ?? [], best, 1e-5, 'best');
    }
  });

  test('is of the last layer where none is chosen', async () => {
    const context = pairContext({ modulus: 7, model: { n_layers: 2 } });
    expect((await run(context)).scalars).toEqual((await run(context, { layer: 1 })).scalars);
  });

  test('sums to at most 1 over frequencies, and is all there is modulo 2 and 3', async () => {
    for (const modulus of [2, 3]) {
      const { scalars } = await run(pairContext({ modulus }));
      expect(scalars['medianExplained']).toBeCloseTo(1, 5);
      expect(scalars['clusters']).toBe(1);
    }
  });
});

describe('neurons without variance', () => {
  const context = pairContext({ modulus: 14 });
  const M = context.details.config.d_mlp ?? 0;

  /** Neurons 0 to 2 never fire, and 3 always the same. */
  const partlyDead = withParameters(context, parameters => {
    const [input, bias] = [parameters.get('blocks.0.mlp.W_in') ?? expect.fail(), parameters.get('blocks.0.mlp.b_in') ?? expect.fail()];
    parameters.set('blocks.0.mlp.W_in', float32(input.shape, input.data.map((value, at) => (at % M === 3 ? 0 : value))));
    parameters.set('blocks.0.mlp.b_in', float32(bias.shape, bias.data.map((value, neuron) => (neuron < 3 ? -100 : neuron === 3 ? 0.123 : value))));
  });

  test('count as dead and in nothing else', async () => {
    const whole = await expectedNeurons(context, 14, 0);
    const dead = [...whole.keys()].filter(neuron => neuron < 4 || whole[neuron]?.isConstant);
    const best = whole.filter((_, neuron) => !dead.includes(neuron)).map(({ fractions }) => Math.max(...fractions));
    const { figures, scalars } = await run(partlyDead, { threshold: 0.5 });
    expect(scalars['deadNeurons']).toBe(dead.length);
    expect(scalars['explained']).toBe(best.filter(each => each > 0.5).length / best.length);
    expect(scalars['medianExplained']).toBeCloseTo(best.toSorted((a, b) => a - b)[Math.floor(best.length / 2)] ?? NaN, 5);
    const heatmap = heatmapTitled(figures, 'Variance of the neurons');
    expect(heatmap.x.labels?.slice(-dead.length)).toEqual(dead.map(String));
    expect([...heatmap.present?.subarray(0, M) ?? []]).toEqual(Array.from({ length: M }, (_, at) => Number(at < best.length)));
    expect(figures.find(figure => figure.kind === 'table')?.caption).toContain(`${dead.length} have no variance`);
  });

  test('leave figures to draw where there are no others', async () => {
    const dead = withParameters(context, parameters => {
      const bias = parameters.get('blocks.0.mlp.b_in') ?? expect.fail();
      parameters.set('blocks.0.mlp.b_in', float32(bias.shape, bias.data.map(() => -100)));
    });
    const { figures, scalars } = await run(dead);
    expect(scalars).toEqual({ explained: 0, medianExplained: 0, clusters: 0, deadNeurons: M });
    expect((figures.find(figure => figure.kind === 'table') as TableFigure).rows).toEqual([]);
  });
});

describe('a model without such neurons', () => {
  test('has no layer that it has not', async () => {
    await expect(run(pairContext({ modulus: 7 }), { layer: 1 })).rejects.toThrow('There is no layer 1; the model has 1, counted from 0.');
  });

  test('is told what it lacks', async () => {
    await expect(run(pairContext({ modulus: 7, model: { attn_only: true, d_mlp: undefined } }))).rejects.toThrow(/does not apply to .*; it needs a task of addition or subtraction modulo a number, and an MLP\.$/);
    const other = contextOf(prepared({ task: { name: 'array-update', modulus: undefined, trainFraction: undefined }, training: { batch: 8 } }));
    await expect(run(other)).rejects.toThrow(/it needs a task of addition or subtraction modulo a number/);
  });
});
