import { describe, expect, test, vi } from 'vitest';
import { Random } from '../../../src/common/random';
import { GraphSampler, targetRules, type Distribution } from '../../../src/tasks/graphSampler';
import { shortestPaths } from '../../../src/tasks/shortestPaths';

interface Copied {
  readonly n: number;
  readonly edges: readonly (readonly [number, number])[];
  readonly target: number;
  readonly distance: number;
}

const base: Distribution = { smallest: 3, largest: 15, target: 'vertex 2', targetLimit: 30, balance: 1 };

function drawn(changes: Partial<Distribution>, count: number, seed = 0): readonly Copied[] {
  const graphs: Copied[] = [];
  new GraphSampler({ ...base, ...changes }).draw(new Random(seed, 'graphs'), count, (_, { vertices: n, first, second, target, distance }) => {
    graphs.push({ n, edges: Array.from({ length: n }, (__, edge) => [first[edge] ?? 0, second[edge] ?? 0]), target, distance });
  });
  return graphs;
}

/** Distances between all vertices (Floyd 1962), Infinity where there is no path: vertex v is at index v − 1. */
function allDistances({ n, edges }: Pick<Copied, 'n' | 'edges'>): readonly Float64Array[] {
  const between = Array.from({ length: n }, (_, from) => Float64Array.from({ length: n }, (__, to) => (from === to ? 0 : Infinity)));
  const row = (at: number) => between[at] ?? new Float64Array();
  for (const [a, b] of edges) row(a - 1)[b - 1] = row(b - 1)[a - 1] = 1;
  for (let by = 0; by < n; by++) {
    for (const from of between) {
      for (let to = 0; to < n; to++) from[to] = Math.min(from[to] ?? Infinity, (from[by] ?? Infinity) + (row(by)[to] ?? Infinity));
    }
  }
  return between;
}

/** Distribution of targets and sizes → graphs of it that are checked: 100,000 in all. */
const checked: readonly (readonly [Partial<Distribution>, number])[] = [
  [{}, 34_000],
  [{ balance: 0.1 }, 10_000],
  [{ target: 'on path' }, 20_000],
  [{ target: 'on path', targetLimit: 5 }, 5_000],
  [{ target: 'any' }, 20_000],
  [{ target: 'any', targetLimit: 7, largest: 12 }, 10_000],
  [{ target: 'any', smallest: 28, largest: 30 }, 1_000],
];

describe('a drawn graph', () => {
  test.each(checked.map(([changes, count]) => [JSON.stringify(changes), changes, count] as const))('of %s: edges, target and label are right', (_, changes, count) => {
    const { smallest, largest, target: rule, targetLimit } = { ...base, ...changes };
    for (const graph of drawn(changes, count)) {
      const { n, edges, target, distance } = graph;
      const distances = allDistances(graph);
      const between = (from: number, to: number) => distances[from - 1]?.[to - 1] ?? Number.NaN;
      const label = between(1, target);
      const onPath = target > 2 && between(1, target) + between(target, 2) === between(1, 2) && between(1, 2) < Infinity;
      const isAsAsked = { 'vertex 2': target === 2, 'on path': onPath, any: target >= 3 && target <= n }[rule] && target <= Math.max(2, targetLimit);
      const areEdges = edges.every(([a, b]) => a >= 1 && a < b && b <= n);
      const isRight = n >= smallest && n <= largest && areEdges && isAsAsked && distance === (label === Infinity ? n : label);
      if (!isRight) expect.fail(JSON.stringify({ ...graph, label }));
    }
  });

  test('is the same for the same seed, and another for another', () => {
    expect(drawn({}, 50, 4)).toEqual(drawn({}, 50, 4));
    expect(drawn({}, 50, 5)).not.toEqual(drawn({}, 50, 4));
  });
});

/** How often each value comes, in shares. */
function shares(values: readonly number[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1 / values.length);
  return counts;
}

describe('how frequent things are', () => {
  test.each(targetRules)('all sizes equally, whoever is asked for: %s', target => {
    const found = shares(drawn({ target, balance: 0.3 }, 52_000).map(({ n }) => n));
    expect([...found.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: 13 }, (_, index) => index + 3));
    // A share of 1/13 of 52,000 has a standard deviation of 0.0012.
    for (const [n, share] of found) expect(Math.abs(share - 1 / 13), `size ${n}`).toBeLessThan(0.006);
  });

  test('all pairs of vertices equally', () => {
    const pairs = drawn({ smallest: 6, largest: 6 }, 10_000).flatMap(({ edges }) => edges.map(([a, b]) => 10 * a + b));
    const found = shares(pairs);
    expect(found.size).toBe(15);
    for (const share of found.values()) expect(Math.abs(share - 1 / 15)).toBeLessThan(0.006);
  });

  test('all targets that the rule allows', () => {
    const found = shares(drawn({ target: 'any', targetLimit: 6, smallest: 9, largest: 9 }, 20_000).map(({ target }) => target));
    expect([...found.keys()].sort()).toEqual([3, 4, 5, 6]);
    for (const share of found.values()) expect(Math.abs(share - 0.25)).toBeLessThan(0.02);
  });

  test('distances above the balance are thinned to it, and the others not among each other', () => {
    const [n, balance] = [8, 0.2];
    const distances = (changes: Partial<Distribution>) => shares(drawn({ smallest: n, largest: n, ...changes }, 40_000).map(({ distance }) => distance));
    const [plain, thinned] = [distances({}), distances({ balance })];
    const common = [...plain].filter(([, share]) => share > balance + 0.01).map(([distance]) => distance);
    expect(common.length).toBeGreaterThan(0);
    // What is kept of each distance: `balance` of its share, or all; together less than 1, by which they grow again.
    const kept = (distance: number) => Math.min(balance, plain.get(distance) ?? 0);
    const all = [...plain.keys()].reduce((sum, distance) => sum + kept(distance), 0);
    for (const distance of plain.keys()) expect(Math.abs((thinned.get(distance) ?? 0) - kept(distance) / all), `distance ${distance}`).toBeLessThan(0.012);
  });
});

test('thins at the strictest balance that can be asked for to no fewer than one graph in twenty', () => {
  const random = new Random(0, 'thinned');
  const decide = vi.spyOn(random, 'uniform'); // once a graph
  const balance = shortestPaths.params.balance.minimum;
  new GraphSampler({ smallest: 28, largest: 30, target: 'on path', targetLimit: 3, balance }).draw(random, 200, () => undefined);
  expect(decide.mock.calls.length).toBeGreaterThan(2 * 200);
  expect(decide.mock.calls.length).toBeLessThan(20 * 200);
});

test('is fast enough to draw while a model trains', () => {
  const sampler = new GraphSampler(base);
  const count = 20_000;
  const rates = Array.from({ length: 12 }, (_, run) => {
    const start = process.cpuUsage();
    sampler.draw(new Random(0, `run ${run}`), count, () => undefined);
    const { user, system } = process.cpuUsage(start);
    return count / ((user + system) / 1e6);
  });
  // On an idle core it is above a million a second.
  expect(Math.max(...rates)).toBeGreaterThan(300_000);
});
