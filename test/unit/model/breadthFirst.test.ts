import { describe, expect, test } from 'vitest';
import { Random } from '../../../src/common/random';
import { int32 } from '../../../src/common/tensor';
import type { Runtime } from '../../../src/compile/runtime';
import { blockNames, blocksOf, checkBreadthFirst } from '../../../src/model/breadthFirst';
import { initialParameters, parameterSpecs } from '../../../src/model/parameters';
import { RunnableModel } from '../../../src/model/runnable';
import type { ModelConfig } from '../../../src/protocol/config';
import { handmadeConfig } from '../../support/handmade';
import { eager, onnx } from '../../support/runtimes';

/** Tokens `[n + 1]` of a graph by the sets of neighbours, and the distance of vertex 2, by walks one edge longer at a time. */
function posed(n: number, neighbours: readonly ReadonlySet<number>[]) {
  const tokens = [2 ** n, ...neighbours.map(set => [...set].reduce((sum, vertex) => sum + 2 ** vertex, 0))];
  let ends: ReadonlySet<number> = new Set([0]);
  for (let length = 1; length < n; length++) {
    ends = new Set([...ends].flatMap(end => [...(neighbours[end] ?? [])]));
    if (ends.has(1)) return { tokens, distance: length };
  }
  return { tokens, distance: n + 1 };
}

function neighboursOf(n: number, edges: readonly (readonly [number, number])[]): readonly ReadonlySet<number>[] {
  return Array.from({ length: n }, (_, vertex) => new Set(edges.flatMap(([a, b]) => (a === vertex ? [b] : b === vertex ? [a] : []))));
}

/** As many edges as vertices, with replacement. */
function randomGraph(n: number, random: Random) {
  return neighboursOf(n, Array.from({ length: n }, () => {
    const a = random.integer(n);
    return [a, (a + 1 + random.integer(n - 1)) % n] as const;
  }));
}

async function distances(n: number, graphs: readonly ReturnType<typeof posed>[], runtime: Runtime = onnx) {
  const config = handmadeConfig(n);
  const model = new RunnableModel(config, initialParameters(config, 0), runtime);
  const found: number[] = [];
  for (let from = 0; from < graphs.length; from += 1000) {
    const some = graphs.slice(from, from + 1000);
    const { logits } = await model.runWithCache(int32([some.length, n + 1], Int32Array.from(some.flatMap(({ tokens }) => tokens))), []);
    some.forEach((_, row) => found.push(logits.data[row * (n + 1)] ?? Number.NaN)); // of the answer's position
  }
  return found;
}

describe('the search by hand', () => {
  test.each([[3, 2000], [5, 2000], [8, 10_000], [10, 2000]])('of %i vertices finds the distance in every one of %i random graphs', async (n, count) => {
    const random = new Random(n, 'graphs');
    const graphs = Array.from({ length: count }, () => posed(n, randomGraph(n, random)));
    const found = await distances(n, graphs);
    const errors = graphs.map(({ distance }, at) => (found[at] ?? Number.NaN) - distance);
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(1e-3);
    expect(errors.reduce((sum, error) => sum + error ** 2, 0) / count).toBeLessThan(1e-6);
  });

  test.each([3, 8, 10])('of %i vertices is right where a vertex has all the others, in a path through all, and where there are no edges', async n => {
    const star = Array.from({ length: n - 1 }, (_, index) => [2, index < 2 ? index : index + 1] as const); // 3 is joined to all
    const path = Array.from({ length: n - 1 }, (_, index) => [index === 0 ? 0 : index + 1, index === n - 2 ? 1 : index + 2] as const);
    const complete = Array.from({ length: n }, (_, a) => Array.from({ length: a }, (__, b) => [b, a] as const)).flat();
    const withoutShortcut = complete.filter(([a, b]) => a !== 0 || b !== 1);
    const graphs = [star, path, complete, withoutShortcut, [], star.slice(1)].map(edges => posed(n, neighboursOf(n, edges)));
    expect(graphs.map(({ distance }) => distance)).toEqual([2, n - 1, 1, 2, n + 1, n + 1]);
    const found = await distances(n, graphs);
    graphs.forEach(({ distance }, at) => expect(found[at]).toBeCloseTo(distance, 3));
  });

  test('comes out the same operation by operation', async () => {
    const random = new Random(0, 'graphs');
    const graphs = Array.from({ length: 20 }, () => posed(4, randomGraph(4, random)));
    const [one, other] = [await distances(4, graphs), await distances(4, graphs, eager)];
    one.forEach((distance, at) => expect(distance).toBeCloseTo(other[at] ?? Number.NaN, 4));
  });

  test('is a model of the shapes that its architecture has, and the same for every seed', () => {
    const config = handmadeConfig(4);
    const parameters = initialParameters(config, 1);
    for (const { name, shape } of parameterSpecs(config)) expect([name, parameters.get(name)?.shape]).toEqual([name, shape]);
    expect(initialParameters(config, 2)).toEqual(parameters);
  });
});

test('the blocks lie one after the other and fill the residual stream', () => {
  const blocks = blockNames.map(name => blocksOf(8)[name]);
  expect(blocks.reduce((end, { start, size }) => (start === end ? end + size : Number.NaN), 0)).toBe(34);
});

describe('an architecture that the weights do not fit is refused', () => {
  const refusal = (given: Partial<ModelConfig>) => () => checkBreadthFirst({ ...handmadeConfig(5), ...given });

  test('and one that they fit is not', () => {
    expect(refusal({})).not.toThrow();
    expect(refusal({ init_mode: 'gpt2', n_layers: 1 })).not.toThrow();
  });

  test.each<[keyof ModelConfig, Partial<ModelConfig>, string]>([
    ['n_layers', { n_layers: 4 }, 'n_layers is 4; it must be 5.'],
    ['n_heads', { n_heads: 5 }, 'n_heads is 5; it must be 6.'],
    ['act_fn', { act_fn: 'relu' }, 'act_fn is "relu"; it must be "saturate".'],
    ['attention_dir', { attention_dir: 'causal' }, 'attention_dir is "causal"; it must be "bidirectional".'],
    ['use_attn_scale', { use_attn_scale: true }, 'use_attn_scale is true; it must be false.'],
    ['mask', { mask: Array.from({ length: 6 }, () => 'xxxxxx') }, 'leave it out.'],
    ['normalization_type', { normalization_type: 'LN' }, 'it must be null.'],
    ['init_mode', { d_vocab: 17 }, 'the task that fits is shortest-paths-adjacency.'],
  ])('by its %s', (field, given, sentence) => {
    expect(refusal(given)).toThrow(expect.objectContaining({ field, message: expect.stringContaining(sentence) as string }));
  });
});
