import { describe, expect, test } from 'vitest';
import { dataset } from '../../../src/analysis/dataset';
import type { AnalysisContext } from '../../../src/analysis/define';
import { stream } from '../../../src/analysis/examples';
import { runAnalysis } from '../../../src/analysis/run';
import { Random } from '../../../src/common/random';
import { contextOf } from '../../support/analyses';
import { prepared } from '../../support/experiments';
import { listCopyContext } from '../../support/listCopy';
import { distancesOf, pathContext } from '../../support/numberAnswers';

async function run(context: AnalysisContext, params: Readonly<Record<string, unknown>> = {}) {
  const { figures, scalars } = await runAnalysis(dataset, context, params);
  const bars = figures.flatMap(figure => (figure.kind === 'bars' ? [figure] : []))[0] ?? expect.fail('there are bars');
  return { figures, scalars, bars, heatmaps: figures.flatMap(figure => (figure.kind === 'heatmap' ? [figure] : [])) };
}

describe('the dataset of shortest paths', () => {
  const params = { examples: 1000, graphs: 5 };
  const context = pathContext();
  const { tokens, labels } = context.task.sample(stream(new Random(context.details.experiment.seed, 'analysis'), 0), 1000);
  const T = context.task.positions.length;
  /** Size, label, and whether there is a path, read off the edges themselves. */
  const graphs = [...labels.data].map((label, row) => {
    const words = [...tokens.data.subarray(row * T, (row + 1) * T - 1)].map(token => (context.task.vocabulary[token] ?? '').split('-').map(Number));
    const edges = words.flatMap(([a = 0, b = 0]): [number, number][] => (a > 0 ? [[a, b]] : []));
    return { size: edges.length, label, hasPath: Number.isFinite(distancesOf(edges.length, edges)[1]?.[2]) };
  });
  const share = (fits: (graph: (typeof graphs)[number]) => boolean) => graphs.filter(fits).length / graphs.length;

  test('is how frequent each distance is, and how many graphs without a path answer with it', async () => {
    const { bars, scalars } = await run(pathContext(), params);
    expect(bars.x.labels).toEqual(['1', '2', '3', '4', '5', '6'].slice(0, Math.max(...labels.data)));
    expect(bars.series.map(({ name }) => name)).toEqual(['examples', 'of these, without a path']);
    const [all, without] = bars.series.map(({ values }) => [...values]);
    expect(all).toEqual(bars.x.labels.map(label => share(graph => graph.label === Number(label))));
    expect(without).toEqual(bars.x.labels.map(label => share(graph => graph.label === Number(label) && !graph.hasPath)));
    expect(scalars).toEqual({
      commonestShare: Math.max(...(all ?? [])), differentAnswers: all?.filter(value => value > 0).length,
      meanAnswer: labels.data.reduce((sum, label) => sum + label, 0) / 1000, noPathShare: share(({ hasPath }) => !hasPath),
    });
  });

  test('differs by size, which a heatmap shows', async () => {
    const { heatmaps: [heatmap] } = await run(pathContext(), params);
    expect(heatmap?.y.labels).toEqual(['3', '4', '5', '6']);
    const values = [3, 4, 5, 6].flatMap(size => (heatmap?.x.labels ?? []).map(label =>
      share(graph => graph.size === size && graph.label === Number(label)) / share(graph => graph.size === size)));
    heatmap?.values.forEach((value, at) => expect(value).toBeCloseTo(values[at] ?? NaN, 6));
  });

  test('has sample graphs with their distances, as many as wanted', async () => {
    const { figures } = await run(pathContext(), params);
    const networks = figures.flatMap(figure => (figure.kind === 'network' ? [figure] : []));
    expect(networks).toHaveLength(5);
    for (const { title, nodes, links } of networks) {
      const distance = distancesOf(nodes.length, links.map(({ from, to }) => [Number(from), Number(to)] as const))[1]?.[2] ?? NaN;
      expect(title).toBe(`${nodes.length} vertices, target 2: ${Number.isFinite(distance) ? `distance ${distance}` : 'no path'}`);
      expect(links.filter(({ marked }) => marked)).toHaveLength(Number.isFinite(distance) ? distance : 0);
    }
    expect((await run(pathContext(), { ...params, graphs: 0 })).figures).toHaveLength(2);
  });

  test.each([[1, 'over 1 example.'], [1000, 'over 1,000 examples.']])('says of how many examples it is: %i', async (examples, words) => {
    expect((await run(pathContext(), { examples })).bars.caption).toContain(words);
  });
});

describe('the dataset of a task whose answers are words', () => {
  test('with fixed sets is that of its training and its test examples, all of them', async () => {
    const { bars, scalars, figures } = await run(contextOf(prepared({ task: { modulus: 7 } })));
    expect(bars.x.labels).toHaveLength(7);
    expect(bars.series.map(({ name }) => name)).toEqual(['training', 'test']);
    expect(bars.caption).toContain('over 24 training examples and 25 test examples.');
    // Each of 7 answers belongs to 7 of the 49 pairs.
    const counts = bars.series.map(({ values }) => [...values]);
    const [trained = 0, tested = 0] = [24, 25];
    counts[0]?.forEach((value, answer) => expect(value * trained + (counts[1]?.[answer] ?? NaN) * tested).toBeCloseTo(7, 9));
    expect(scalars).toEqual({ commonestShare: expect.closeTo(1 / 7, 12) as number, differentAnswers: 7 });
    expect(figures).toHaveLength(1);
  });

  test('with several answers shows each of them where it is read', async () => {
    const { bars, heatmaps: [heatmap] } = await run(listCopyContext());
    const labels = bars.x.labels.length;
    expect(heatmap?.y.labels).toEqual(['o1', 'o2']);
    const values = [...(heatmap?.values ?? [])];
    for (const row of [0, 1]) expect(values.slice(row * labels, (row + 1) * labels).reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
    expect(bars.x.labels).toEqual(heatmap?.x.labels);
  });
});
