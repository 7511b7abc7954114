import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/common/errors';
import { Random } from '../../../src/common/random';
import { shortestPathsAdjacency } from '../../../src/tasks/shortestPathsAdjacency';

const task = shortestPathsAdjacency.create({ vertices: 5 });
/** The tokens of a prompt in words. */
const tokens = (words: string) => words.split(' ').map(word => task.vocabulary.indexOf(word));
const words = (prompt: readonly number[]) => prompt.map(token => task.vocabulary[token]).join(' ');

// 1 - 3 - 4 - 2, and 5 by itself
const path = 'answer 3 4 1,4 2,3 ∅';

describe('prompts', () => {
  test.each([
    [path, 3],
    ['answer 2,3 1 1 ∅ ∅', 1],
    ['answer 3 ∅ 1 ∅ ∅', 6],
    ['answer ∅ ∅ ∅ ∅ ∅', 6],
    ['answer 2,3,4,5 1,3,4,5 1,2,4,5 1,2,3,5 1,2,3,4', 1],
  ])('%s has the answer %i', (prompt, distance) => {
    expect(task.answers(tokens(prompt))).toEqual([distance]);
  });

  test.each([
    ['whose neighbours do not know each other', 'answer 3 ∅ ∅ ∅ ∅'],
    ['in which a vertex is its own neighbour', 'answer 1 ∅ ∅ ∅ ∅'],
    ['without the answer\'s token', '∅ 2 1 ∅ ∅ ∅'],
    ['with the answer\'s token at a vertex', 'answer 2 1 answer ∅ ∅'],
    ['that are short', 'answer 2 1 ∅ ∅'],
  ])('%s pose no graph', (_, prompt) => {
    expect(task.answers(tokens(prompt))).toBeUndefined();
  });

  test('are graphs and back', () => {
    const graph = task.graphs?.read(tokens(path));
    expect(graph).toEqual({ vertices: 5, target: 2, edges: [[1, 3], [2, 4], [3, 4]] });
    expect(graph && words(task.graphs?.write(graph) ?? [])).toBe(path);
    expect(graph && [0, 1, 5, 6].map(position => task.graphs?.placeOf(position, graph))).toEqual([undefined, { vertex: 1 }, { vertex: 5 }, undefined]);
  });

  test('take edges in any order and direction, and more than once', () => {
    const written = task.graphs?.write({ vertices: 5, target: 2, edges: [[3, 1], [4, 3], [2, 4], [1, 3]] });
    expect(words(written ?? [])).toBe(path);
  });

  test.each([
    ['a vertex that is out of range', { edges: [[1, 6]] as const, target: 2 }, 'The edge 1-6 has the vertex 6; the vertices of this model are 1 to 5.'],
    ['an edge to itself', { edges: [[3, 3]] as const, target: 2 }, 'joins a vertex to itself'],
    ['another target', { edges: [[1, 3]] as const, target: 3 }, 'The target is 3; this model is only asked for the distance of vertex 2.'],
  ])('are refused for %s', (_, graph, sentence) => {
    expect(() => task.graphs?.write({ vertices: 5, ...graph })).toThrow(UserError);
    expect(() => task.graphs?.write({ vertices: 5, ...graph })).toThrow(sentence);
  });
});

describe('corruptions', () => {
  test('of an edge leave all other edges', () => {
    const random = new Random(0, 'corrupt');
    for (let i = 0; i < 50; i++) {
      const corrupted = task.graphs?.read(task.corruptions['edge']?.(tokens(path), random) ?? []);
      const kept = corrupted?.edges.filter(edge => ['1,3', '2,4', '3,4'].includes(edge.join())) ?? [];
      expect(kept).toHaveLength(2);
    }
  });

  test('of the path change the answer', () => {
    const random = new Random(0, 'corrupt');
    for (let i = 0; i < 50; i++) expect(task.answers(task.corruptions['path']?.(tokens(path), random) ?? [])).not.toEqual([3]);
  });

  test('leave what has no edges as it is', () => {
    const empty = tokens('answer ∅ ∅ ∅ ∅ ∅');
    for (const corrupt of Object.values(task.corruptions)) expect(corrupt(empty, new Random(0, 'corrupt'))).toEqual(empty);
  });
});

test('drawn graphs have at most as many edges as vertices, and the labels that their prompts answer', () => {
  const { tokens: drawn, labels } = task.sample(new Random(3, 'drawn'), 500);
  const seen = new Set<number>();
  for (let row = 0; row < 500; row++) {
    const prompt = [...drawn.data.subarray(row * 6, (row + 1) * 6)];
    expect(task.graphs?.read(prompt)?.edges.length).toBeLessThanOrEqual(5);
    expect(task.answers(prompt)).toEqual([labels.data[row]]);
    seen.add(labels.data[row] ?? 0);
  }
  expect([...seen].sort()).toEqual([1, 2, 3, 4, 6]);
});
