import { describe, expect, test } from 'vitest';
import { hiddenBlocks } from '../../../src/analysis/hiddenBlocks';
import { runAnalysis } from '../../../src/analysis/run';
import type { HeatmapFigure } from '../../../src/protocol/figure';
import { RunnableModel } from '../../../src/model/runnable';
import { startingParameters } from '../../../src/training/start';
import { contextOf } from '../../support/analyses';
import { prepared } from '../../support/experiments';
import { onnx } from '../../support/runtimes';

const n = 4;
const model = {
  n_layers: n, n_heads: n + 1, d_model: 4 * n + 2, d_head: n, d_mlp: n, act_fn: 'saturate', attention_dir: 'bidirectional', use_attn_scale: false,
  biases: false, init_mode: 'bfs',
};
const task = { name: 'shortest-paths-adjacency', vertices: n, modulus: undefined, trainFraction: undefined };
const training = { steps: 0, batch: 8, learningRate: undefined };

async function run(params: Readonly<Record<string, unknown>> = {}, changes: object = {}) {
  const experiment = prepared({ task, model, training, ...changes });
  const context = { ...contextOf(experiment), model: new RunnableModel(experiment.config, startingParameters(experiment), onnx) };
  const result = await runAnalysis(hiddenBlocks, context, params);
  const heatmap = (title: string) => result.figures.find((figure): figure is HeatmapFigure => figure.kind === 'heatmap' && figure.title.startsWith(title)) ?? expect.fail(title);
  return { ...result, heatmap };
}

/** The row of a heatmap of zeros and ones, by its columns' labels that are 1. */
function ones({ values, columns, x }: HeatmapFigure, row: number): readonly string[] {
  return (x.labels ?? []).filter((_, column) => (values[row * columns + column] ?? 0) > 0.5);
}

describe('the search by hand', () => {
  const path = '1-3 3-4 4-2';

  test('starts with the neighbours of each vertex, and extends its reach by a step a layer', async () => {
    const { heatmap } = await run({ graph: path, layers: 0 });
    const embedding = heatmap('Residual stream after the embedding');
    expect(ones(embedding, 0)).toEqual(['answer flag']);
    expect(ones(embedding, 1)).toEqual(['neighbours v3', 'reach v3', 'self v1', 'not-answer flag']);
    expect(ones(embedding, 4)).toEqual(['neighbours v2', 'neighbours v3', 'reach v2', 'reach v3', 'self v4', 'not-answer flag']);
    const after = (await run({ graph: path, layers: 1 })).heatmap('Residual stream after layer 0');
    expect(ones(after, 1)).toEqual(['neighbours v3', 'reach v1', 'reach v3', 'reach v4', 'self v1', 'not-answer flag']);
  });

  test('notes in every layer whether vertex 1 had reached vertex 2 before it', async () => {
    const search = (await run({ graph: path })).heatmap('The search');
    expect([0, 1, 2, 3, 4].map(row => ones(search, row))).toEqual([
      ['reach v3'], ['reach v1', 'reach v3', 'reach v4'], ['reach v1', 'reach v2', 'reach v3', 'reach v4'],
      ['reach v1', 'reach v2', 'reach v3', 'reach v4', 'out L2'], ['reach v1', 'reach v2', 'reach v3', 'reach v4', 'out L2', 'out L3'],
    ]);
  });

  test('draws the graph that it searches, sampled or given, and has no colours below 0 where nothing is', async () => {
    const sampled = await run({ layers: 2 });
    const given = await run({ graph: path });
    const edges = ({ figures }: typeof given) => figures.flatMap(figure => (figure.kind === 'network' ? figure.links.map(({ from, to }) => `${from}-${to}`) : []));
    expect(edges(given)).toEqual(['1-3', '2-4', '3-4']);
    expect(edges(sampled).length).toBeGreaterThan(0);
    expect(sampled.heatmap('The search').caption).toContain(`Edges: ${edges(sampled).join(' ')};`);
    for (const title of ['The search', 'Residual stream']) expect(sampled.heatmap(title).scale).toBe('sequential');
  });

  test('has colours around 0 once noise has written below it', async () => {
    const { heatmap } = await run({ layers: 3 }, { perturb: { matrices: 20 } });
    const { values, scale } = heatmap('Residual stream');
    expect(Math.min(...values)).toBeLessThan(-0.01);
    expect(scale).toBe('diverging');
  });

  test('has heads that do what they are named after', async () => {
    const { scalars, badges, heatmap } = await run();
    expect(heatmap('What the heads do').reach).toBe(1);
    expect(scalars).toEqual({ headsRight: 1, leastRight: 1 });
    expect(badges).toHaveLength(n * (n + 1));
    expect(badges?.slice(0, 2)).toEqual([{ layer: 0, head: 0, text: 'notices 1 → 2' }, { layer: 0, head: 1, text: 'extends reach through 1' }]);
  });

  test('has others once some are noise', async () => {
    const { scalars, badges } = await run({}, { perturb: { matrices: 20 } });
    expect(scalars['headsRight']).toBeLessThan(0.8);
    expect(badges?.filter(({ text }) => text.startsWith('no longer ')).length).toBe(Math.round((1 - (scalars['headsRight'] ?? 0)) * n * (n + 1)));
  });
});

describe('what is asked for wrongly is refused', () => {
  test.each([
    [{ graph: '1-9' }, 'the vertices of this model are 1 to 4'],
    [{ layers: 5 }, '"layers" is 5; this model has 4.'],
  ])('%o', async (params, sentence) => {
    await expect(run(params)).rejects.toThrow(sentence);
  });
});
