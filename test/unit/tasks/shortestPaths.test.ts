import { describe, expect, test } from 'vitest';
import { FieldError, UserError } from '../../../src/common/errors';
import { Random } from '../../../src/common/random';
import type { PosedGraph } from '../../../src/tasks/graphs';
import { distancesFrom1 } from '../../../src/tasks/paths';
import { shortestPaths } from '../../../src/tasks/shortestPaths';
import type { Examples } from '../../../src/tasks/task';

const values = { vertices: 9, smallest: 3, largest: 9, target: 'vertex 2', targetLimit: 30, balance: 1 };
const task = shortestPaths.create(values);
const graphs = task.graphs ?? expect.fail('its prompts are graphs');
const pose = (edges: PosedGraph['edges'], target = 2): PosedGraph => ({ vertices: 9, edges, target });
const words = (prompt: readonly number[]) => prompt.map(token => task.vocabulary[token]).join(' ');

function prompts({ tokens, labels }: Examples): readonly { readonly prompt: readonly number[]; readonly label: number | undefined }[] {
  const [B = 0, T = 0] = tokens.shape;
  return Array.from({ length: B }, (_, row) => ({ prompt: [...tokens.data.subarray(row * T, (row + 1) * T)], label: labels.data[row] }));
}

const drawn = prompts(task.sample(new Random(0, 'examples'), 500));

describe('a prompt', () => {
  test('has an edge at each position, padding where there are no more, and the target at the end', () => {
    expect(words(graphs.write(pose([[3, 1], [3, 4], [2, 4]])))).toBe('1-3 3-4 2-4 0-0 0-0 0-0 0-0 0-0 0-0 2-TARGET');
    expect(task.positions).toEqual(['e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'e7', 'e8', 'e9', 'target']);
    expect(task.answerPositions).toEqual([9]);
    expect(task.parts).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'TARGET']);
  });

  test('of the study has 16 positions of 17 parts', () => {
    const study = shortestPaths.create({ ...values, vertices: 15, largest: 15 });
    expect([study.positions.length, study.parts?.length, study.vocabulary.length]).toEqual([16, 17, 289]);
  });

  test('that is drawn holds tokens of its alphabet, and is labelled with its answer', () => {
    for (const { prompt, label } of drawn) {
      expect(prompt.filter((token, position) => !task.alphabet[position]?.includes(token)), words(prompt)).toEqual([]);
      expect(task.answers(prompt)).toEqual([label]);
    }
  });

  test('is read as the graph that was written, and written as it was read', () => {
    for (const { prompt } of drawn) {
      const graph = graphs.read(prompt) ?? expect.fail();
      expect(graphs.write(graph)).toEqual(prompt);
      expect(graph.edges).toHaveLength(graph.vertices);
    }
    expect(graphs.read(graphs.write(pose([[1, 9]])))).toEqual(pose([[1, 9]]));
  });

  test('that poses no graph has no answer', () => {
    const [prompt = []] = drawn.map(each => each.prompt);
    const [targetOf2, edge] = [prompt[9] ?? 0, prompt[0] ?? 0];
    for (const wrong of [prompt.slice(1), prompt.with(9, edge), prompt.with(0, targetOf2), prompt.with(0, 0), prompt.map((_, at) => (at === 9 ? targetOf2 : 0))]) {
      expect(task.answers(wrong), words(wrong)).toBeUndefined();
      expect(graphs.read(wrong)).toBeUndefined();
    }
  });

  test('says which edge or vertex a position stands for', () => {
    const graph = pose([[1, 3], [2, 3]], 3);
    expect([0, 1, 2, 9].map(position => graphs.placeOf(position, graph))).toEqual([{ edge: 0 }, { edge: 1 }, undefined, { vertex: 3 }]);
  });
});

describe('a graph that cannot be asked about is refused', () => {
  test.each<readonly [string, PosedGraph, string]>([
    ['no edges', pose([]), 'The graph has no edges; give at least one, as in 1-3.'],
    ['too many edges', pose(Array.from({ length: 10 }, () => [1, 2] as const)), 'The graph has 10 edges; this model reads at most 9.'],
    ['a vertex that is too high', pose([[1, 10]]), 'The edge 1-10 has the vertex 10; the vertices of this model are 1 to 9.'],
    ['a vertex 0', pose([[0, 2]]), 'The edge 0-2 has the vertex 0; the vertices of this model are 1 to 9.'],
    ['half a vertex', pose([[1, 2.5]]), 'The edge 1-2.5 has the vertex 2.5; the vertices of this model are 1 to 9.'],
    ['a loop', pose([[4, 4]]), 'The edge 4-4 joins a vertex to itself; an edge has two different ends.'],
    ['a target outside of it', pose([[1, 3], [3, 4]], 5), 'The target 5 is not in the graph; its vertices are 1 to 4, and a target is one from 2 on.'],
    ['the start as target', pose([[1, 3]], 1), 'The target 1 is not in the graph; its vertices are 1 to 3, and a target is one from 2 on.'],
  ])('%s', (_, graph, sentence) => {
    expect(() => graphs.write(graph)).toThrow(new UserError(sentence));
  });
});

describe('a corruption', () => {
  const random = new Random(0, 'corruptions');
  const corrupted = (name: string) =>
    drawn.map(({ prompt }) => {
      const other = task.corruptions[name]?.(prompt, random) ?? [];
      return { before: graphs.read(prompt) ?? expect.fail(), after: graphs.read(other) ?? expect.fail(words(other)), changed: prompt.flatMap((token, at) => (token === other[at] ? [] : [at])) };
    });

  test('of an edge changes one edge and nothing else', () => {
    for (const { before, after, changed } of corrupted('edge')) {
      expect(changed).toHaveLength(1);
      expect(changed[0]).toBeLessThan(before.edges.length);
      expect(after.target).toBe(before.target);
    }
  });

  test('of the path changes one edge, and with it the distance', () => {
    const distance = (graph: PosedGraph) => distancesFrom1(graph)[graph.target];
    const pairs = corrupted('path');
    for (const { changed } of pairs) expect(changed).toHaveLength(1);
    for (const { before, after } of pairs) {
      const isTwice = before.edges.filter(([a, b]) => a === 1 && b === before.target).length > 1;
      if (!isTwice) expect(distance(after), JSON.stringify(before)).not.toBe(distance(before));
    }
  });

  test('of the target changes the target alone', () => {
    for (const { before, after, changed } of corrupted('target')) {
      expect(changed).toEqual([9]);
      expect(after.edges).toEqual(before.edges);
      expect(after.target).not.toBe(before.target);
    }
  });

  test.each<readonly [string, PosedGraph]>([
    ['asks about its highest vertex', pose([[1, 3], [3, 9]], 9)],
    ['has no path, which its highest vertex says the answer of', pose([[1, 3], [2, 9]], 2)],
    ['has one edge', pose([[1, 3]], 3)],
    ['has two vertices', pose([[1, 2]], 2)],
  ])('of a graph of fewer edges than vertices keeps it as large: one that %s', (_, graph) => {
    const prompt = graphs.write(graph);
    for (const name of ['edge', 'path']) {
      for (let attempt = 0; attempt < 200; attempt++) {
        const after = graphs.read(task.corruptions[name]?.(prompt, random) ?? []) ?? expect.fail(name);
        expect(after.vertices).toBe(graphs.read(prompt)?.vertices);
        expect(after.target).toBe(graph.target);
        expect(after.edges.filter(([a, b], at) => a !== graph.edges[at]?.[0] || b !== graph.edges[at][1])).toHaveLength(after.vertices === 2 ? 0 : 1);
      }
    }
  });

  test('of no graph leaves the prompt as it is', () => {
    const nothing = task.positions.map(() => 0);
    for (const corrupt of Object.values(task.corruptions)) expect(corrupt(nothing, random)).toEqual(nothing);
  });
});

describe('other test sets', () => {
  test('hold the graphs and targets that they say', () => {
    const limits: Readonly<Record<string, readonly [largest: number, lowestTarget: number, highestTarget: number]>> = {
      'pre-training': [9, 2, 2],
      'fine-tuning': [4, 3, 4],
      'on-path-small-target': [9, 3, 4],
      'on-path-target': [9, 3, 9],
      'any-target-small-graphs': [4, 3, 4],
      'any-small-target': [9, 3, 4],
      'any-target': [9, 3, 9],
    };
    expect(task.otherSets?.map(({ id }) => id)).toEqual(Object.keys(limits));
    for (const { id, sample } of task.otherSets ?? []) {
      const seen = prompts(sample(new Random(0, 'set'), 300)).map(({ prompt, label }) => {
        expect(task.answers(prompt), id).toEqual([label]);
        return graphs.read(prompt) ?? expect.fail();
      });
      const targets = seen.map(({ target }) => target);
      expect([Math.max(...seen.map(({ vertices }) => vertices)), Math.min(...targets), Math.max(...targets)], id).toEqual(limits[id]);
    }
  });
});

describe('parameters that do not go together are refused', () => {
  test.each<readonly [Partial<typeof values>, string, string]>([
    [{ smallest: 5, largest: 4 }, 'smallest', 'The smallest graphs cannot have 5 vertices when the largest have 4.'],
    [{ largest: 10 }, 'largest', 'Graphs of 10 vertices do not fit a prompt with room for 9; raise vertices, or lower largest.'],
    [{ target: 'any', targetLimit: 2 }, 'targetLimit', 'Targets other than vertex 2 start at vertex 3, so targetLimit must be at least 3.'],
  ])('%j', (changes, field, sentence) => {
    expect(() => shortestPaths.create({ ...values, ...changes })).toThrow(new FieldError(field, sentence));
  });
});
