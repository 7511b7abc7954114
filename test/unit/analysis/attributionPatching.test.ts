import { describe, expect, test } from 'vitest';
import { attributeSites } from '../../../src/analysis/patching/attributedSites';
import { attributionPatching } from '../../../src/analysis/attributionPatching';
import { pearson } from '../../../src/analysis/patching/correlation';
import { allHeads } from '../../../src/analysis/heads';
import type { PromptPair } from '../../../src/analysis/pairs';
import { patchSites, type Site } from '../../../src/analysis/patching/patching';
import { allSweeps } from '../../../src/analysis/patching/patchingSweeps';
import { runAnalysis } from '../../../src/analysis/run';
import { UserError } from '../../../src/common/errors';
import { RunnableModel } from '../../../src/model/runnable';
import type { ModelConfig } from '../../../src/protocol/config';
import type { HeatmapFigure, TableFigure } from '../../../src/protocol/figure';
import { contextOf } from '../../support/analyses';
import { expectCloseToScale } from '../../support/close';
import { prepared } from '../../support/experiments';
import { configOf, randomParameters } from '../../support/models';
import { noWork, patchedModels, patchedOneByOne, randomModel, smallPairs, togetherOf } from '../../support/patching';
import { onnx } from '../../support/runtimes';

const [pair, another] = smallPairs as readonly [PromptPair, PromptPair];

function everySite(config: ModelConfig): readonly Site[] {
  return allSweeps(config, allHeads(config), ['0', '1', '2', '3', '4']).flatMap(({ sites }) => sites);
}

// A kink of ReLU within a finite difference would be the difference's fault.
const smooth = patchedModels.map(([name, config]) => [name, { ...config, act_fn: 'gelu' }] as const);

describe.each(smooth)('attributions in a model with %s', (_, config) => {
  const model = randomModel(config);
  const sites = everySite(config);

  test('are the slopes of what moving each activation towards the clean run does', async () => {
    const step = 0.01;
    const { recovered } = await attributeSites(model, [pair], sites, noWork);
    const [ahead, back] = [await patchedOneByOne(model, pair, sites, step), await patchedOneByOne(model, pair, sites, -step)];
    const slopes = ahead.map((value, at) => (value - (back[at] ?? Number.NaN)) / (2 * step));
    expectCloseToScale(recovered, slopes, 3e-3);
  });
});

describe('attributions', () => {
  const config = configOf({ normalization_type: 'LN', act_fn: 'gelu' });

  test('are what exact patching gives where the prompts hardly differ', async () => {
    const parameters = randomParameters(config);
    const embedding = parameters.get('embed.W_E') ?? expect.fail();
    // Token 6 becomes token 2 moved a little.
    for (let at = 0; at < 8; at++) embedding.data[6 * 8 + at] = (embedding.data[2 * 8 + at] ?? 0) + 0.01 * (embedding.data[6 * 8 + at] ?? 0);
    const model = new RunnableModel(config, parameters, onnx);
    const close = { ...pair, corrupted: pair.clean.map(token => (token === 2 ? 6 : token)) };
    const sites = everySite(config);
    const [estimates, exact] = [await attributeSites(model, [close], sites, noWork), await patchSites(model, [close], sites, noWork)];
    expectCloseToScale(estimates.recovered, exact.recovered, 0.01);
    expect(estimates.clean).toBeCloseTo(exact.clean, 4);
    expect(estimates.corrupted).toBeCloseTo(exact.corrupted, 4);
  });

  test('over several pairs count each by what lies between its runs', async () => {
    const model = randomModel(config);
    const sites = everySite(config);
    const [one, other, both] = [
      await attributeSites(model, [pair], sites, noWork),
      await attributeSites(model, [another], sites, noWork),
      await attributeSites(model, [pair, another], sites, noWork),
    ];
    expectCloseToScale(both.recovered, await togetherOf(model, [pair, another], [one.recovered, other.recovered]), 1e-4);
  });

  test('of a model that answers both prompts alike are refused', async () => {
    const parameters = randomParameters(config);
    parameters.get('unembed.W_U')?.data.fill(0);
    await expect(attributeSites(new RunnableModel(config, parameters, onnx), [pair], everySite(config), noWork)).rejects.toThrow(UserError);
  });
});

describe('the analysis', () => {
  const experiment = prepared({
    task: { name: 'array-update', length: 2, numbers: 6, modulus: undefined, trainFraction: undefined },
    model: { n_layers: 2, n_heads: 3 },
    training: { batch: 8 },
  });
  const run = (params: Readonly<Record<string, unknown>>) => runAnalysis(attributionPatching, contextOf(experiment), { pairs: 2, ...params });

  test('shows each estimate beside what is exact, and correlates the two over the sites of heads', async () => {
    const { figures, scalars } = await run({});
    const heatmaps = figures.filter((figure): figure is HeatmapFigure => figure.kind === 'heatmap');
    const names = ['Residual stream', 'Head output (z)', 'Queries', 'Keys', 'Values', 'Pattern', 'Attention output', 'MLP output'];
    expect(heatmaps.map(({ title }) => title)).toEqual(names.flatMap(name => [name, `${name}, exact`]));
    const ofHeads = heatmaps.filter(({ y }) => y.title === 'Head');
    const [estimates, exact] = [0, 1].map(which => ofHeads.flatMap(({ values }, at) => (at % 2 === which ? [...values] : []))) as [number[], number[]];
    expect(scalars['correlation']).toBeCloseTo(pearson(exact, estimates) ?? Number.NaN, 4);
    expect(scalars['largestError']).toBeCloseTo(Math.max(...exact.map((value, at) => Math.abs(value - (estimates[at] ?? Number.NaN)))), 5);
    expect(scalars['largest']).toBeCloseTo(Math.max(...estimates), 5);
  });

  test('lists the sites that differ most, the worst first', async () => {
    const { figures } = await run({});
    const table = figures.find((figure): figure is TableFigure => figure.kind === 'table') ?? expect.fail();
    const errors = table.rows.map(row => Math.abs(Number(row[4])));
    expect(errors).toEqual([...errors].sort((a, b) => b - a));
    table.rows.forEach(([, , estimate, exact, difference]) => expect(difference).toBeCloseTo(Number(estimate) - Number(exact), 6));
    expect(table.subjects?.[0]).toHaveProperty('position');
  });

  test('of the estimate alone patches nothing', async () => {
    const { figures, scalars } = await run({ exact: false });
    expect(figures).toHaveLength(8);
    expect(Object.keys(scalars).sort()).toEqual(['cleanDifference', 'corruptedDifference', 'largest']);
  });

  test('of one head has its rows alone', async () => {
    const { figures } = await run({ head: '1.2', exact: false });
    expect(figures.map(figure => (figure as HeatmapFigure).y.labels)).toEqual(Array.from({ length: 5 }, () => ['L1H2']));
  });
});
