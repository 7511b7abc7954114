import { describe, expect, test } from 'vitest';
import type { AnalysisContext } from '../../../src/analysis/define';
import { stream } from '../../../src/analysis/examples';
import { graphPlayground } from '../../../src/analysis/graphPlayground';
import { runAnalysis } from '../../../src/analysis/run';
import { UserError } from '../../../src/common/errors';
import { Random } from '../../../src/common/random';
import { int32 } from '../../../src/common/tensor';
import { contextOf } from '../../support/analyses';
import { expectClose } from '../../support/close';
import { prepared } from '../../support/experiments';
import { distancesOf, pathContext } from '../../support/numberAnswers';

type Given = Parameters<typeof runAnalysis>[2];

async function play(context: AnalysisContext, params: Given = {}) {
  const { figures, scalars } = await runAnalysis(graphPlayground, context, params);
  const [network, table] = figures;
  if (network?.kind !== 'network' || table?.kind !== 'table') expect.fail('the playground shows a graph and a table');
  return { network, table, scalars };
}

/** What each layer's heads attend to `[H, T, T]`, and the answers, read with nothing pruned. */
async function plainRun({ model, task }: AnalysisContext, prompt: string) {
  const tokens = Int32Array.from(prompt.split(' '), word => task.vocabulary.indexOf(word));
  const run = await model.runWithCache(int32([1, tokens.length], tokens), [0, 1].map(layer => `blocks.${layer}.attn.hook_pattern`));
  const pattern = (layer: number) => run.cache.get(`blocks.${layer}.attn.hook_pattern`)?.data ?? expect.fail();
  return { logits: run.logits.data, pattern };
}

const prompt = '1-3 3-4 2-4 0-0 0-0 0-0 4-TARGET';
const T = 7;

describe('the graph playground', () => {
  const context = pathContext();
  const given = { graph: '1-3 4-3 2-4', target: 4 };

  test('says what the model predicts of the graph that is given, and the right answer', async () => {
    const { network, table, scalars } = await play(context, given);
    const { logits } = await plainRun(context, prompt);
    expect(scalars).toEqual({ prediction: expect.closeTo(logits[T - 1] ?? NaN, 5) as number, truth: 2, error: expect.closeTo((logits[T - 1] ?? NaN) - 2, 5) as number });
    expect(network.title).toMatch(/^4 vertices, target 4: distance 2, predicted -?\d+\.\d\d$/);
    expect(network.nodes.map(({ mark }) => mark)).toEqual(['start', undefined, 'path', 'end']);
    expect(table.rows.at(-1)).toEqual(['Prompt', prompt]);
    expect(table.rows.at(-2)).toEqual(['Edges', '1-3 3-4 2-4']);
  });

  test('draws the attention of a head into the target, from edges and the target but not from padding', async () => {
    const { network } = await play(context, { ...given, head: '0.1' });
    const { pattern } = await plainRun(context, prompt);
    const row = pattern(0).subarray(T * T + (T - 1) * T, 2 * T * T); // head 1, into the target
    expect(network.arrows.map(({ from }) => from)).toEqual([{ link: 0 }, { link: 1 }, { link: 2 }]);
    expect(network.arrows.every(({ to }) => 'node' in to && to.node === '4')).toBe(true);
    expectClose(network.arrows.map(({ weight }) => weight), [0, 1, 2].map(at => row[at] ?? NaN), { absolute: 1e-6 });
    // What is left is the target's attention to itself.
    const kept = 1 - network.arrows.reduce((sum, { weight }) => sum + weight, 0);
    expect(kept).toBeCloseTo(row[T - 1] ?? NaN, 5);
    expect(network.caption).toMatch(new RegExp(` not drawn: ${kept.toFixed(2)}\\.$`));
    expect(network.subject).toEqual({ layer: 0, head: 1 });
  });

  test('draws the mean over the last layer\'s heads where no head is chosen', async () => {
    const { network } = await play(context, given);
    const { pattern } = await plainRun(context, prompt);
    const at = (head: number, source: number) => pattern(1)[(head * T + T - 1) * T + source] ?? NaN;
    expectClose(network.arrows.map(({ weight }) => weight), [0, 1, 2].map(source => (at(0, source) + at(1, source)) / 2), { absolute: 1e-6 });
  });

  test('draws attention into every place, if all arrows are wanted', async () => {
    const { network } = await play(context, { ...given, arrows: 'all' });
    expect(network.arrows).toHaveLength(4 * 3);
    const places = [{ link: 0 }, { link: 1 }, { link: 2 }, { node: '4' }];
    const kept = places.map(to => {
      const others = network.arrows.filter(arrow => JSON.stringify(arrow.to) === JSON.stringify(to));
      expect(others.map(({ from }) => from)).toEqual(places.filter(place => place !== to));
      return 1 - others.reduce((sum, { weight }) => sum + weight, 0);
    });
    expect(network.caption).toContain(`on average that is ${(kept.reduce((sum, each) => sum + each, 0) / 4).toFixed(2)}.`);
  });

  test('samples a graph of the task where none is given, another for another sample', async () => {
    const prompts = await Promise.all([0, 0, 1, 2, 3].map(async sample => (await play(pathContext(), { sample })).table.rows.at(-1)?.[1]));
    expect(prompts[0]).toBe(prompts[1]);
    expect(new Set(prompts).size).toBeGreaterThan(2);
  });

  test('samples a graph with a path, though the first that is drawn may have none', async () => {
    for (let sample = 0; sample < 12; sample++) {
      const { network } = await play(pathContext(), { sample });
      expect(network.links.some(({ marked }) => marked), network.title).toBe(true);
    }
    const { task, details } = pathContext();
    const firstHasPath = Array.from({ length: 12 }, (_, sample) => {
      const { tokens: { data } } = task.sample(stream(new Random(details.experiment.seed, 'analysis'), sample), 1);
      const edges = [...data].slice(0, -1).map(token => (task.vocabulary[token] ?? '').split('-').map(Number)).map(([a = 0, b = 0]) => [a, b] as const);
      return Number.isFinite(distancesOf(6, edges)[1]?.[2]);
    });
    expect(firstHasPath).toContain(false);
  });

  test('says where there is no path', async () => {
    const { table, scalars } = await play(pathContext(), { graph: '1-3 2-4' });
    expect(table.rows[0]).toEqual(['Right answer', '4 (no path)']);
    expect(scalars['truth']).toBe(4);
  });

  test.each([
    ['a vertex out of range', { graph: '1-3 3-9' }, /^The edge 3-9 has the vertex 9; the vertices of this model are 1 to 6\.$/],
    ['an end without a partner', { graph: '1-3 3' }, /^The end 3 has no partner/],
    ['an odd list of numbers', { graph: '1 3 3 4 2' }, /^The end 2 has no partner/],
    ['what is no number', { graph: '1-a' }, /^"a" is no number of a vertex/],
    ['a vertex joined to itself', { graph: '1-3 2-2' }, /^The edge 2-2 joins a vertex to itself\.$/],
    ['a target that is not in the graph', { graph: '1-3 3-4 2-4', target: 5 }, /^The target 5 is not in the graph; its vertices are 1 to 4/],
    ['a target where the path begins', { graph: '1-3 3-4 2-4', target: 1 }, /^The target 1 is not in the graph;/],
    ['more edges than fit', { graph: '1-2 1-3 1-4 1-5 1-6 2-3 2-4' }, /^The graph has 7 edges; this model reads at most 6\.$/],
    ['commas alone', { graph: ',' }, /^The graph has no edges/],
    ['a head that does not exist', { head: '2.0' }, /^There is no head "L2H0"/],
  ])('refuses %s in one sentence', async (_, params, message) => {
    await expect(play(context, params)).rejects.toThrow(UserError);
    await expect(play(context, params)).rejects.toThrow(message);
  });
});

test('the graph playground draws a token that is no vertex beside the circle, and vertices as sources', async () => {
  const context = contextOf(prepared({
    task: { name: 'shortest-paths-adjacency', vertices: 4, modulus: undefined, trainFraction: undefined },
    model: { n_layers: 2, attention_dir: 'bidirectional' }, training: { batch: 16 },
  }));
  const { network, scalars } = await play(context, { graph: '1-3 3-4 2-4' });
  expect(network.nodes.map(({ label }) => label)).toEqual(['1', '2', '3', '4', 'answer']);
  expect(network.arrows.map(({ from }) => from)).toEqual(['1', '2', '3', '4'].map(node => ({ node })));
  expect(network.arrows.every(({ to }) => 'node' in to && to.node === 'answer')).toBe(true);
  expect(scalars['truth']).toBe(3);
  await expect(play(context, { graph: '1-3', target: 3 })).rejects.toThrow(/^The target is 3;/);
});

test('the graph playground is for tasks about graphs', () => {
  expect(graphPlayground.appliesTo(contextOf(prepared()).details)).toBe(false);
  expect(graphPlayground.appliesTo(pathContext().details)).toBe(true);
});
