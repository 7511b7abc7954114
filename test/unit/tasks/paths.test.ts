import { describe, expect, test } from 'vitest';
import type { PosedGraph } from '../../../src/tasks/graphs';
import { distancesFrom1, shortestPath } from '../../../src/tasks/paths';

// 1 − 3 − 4 − 2, 1 − 5 − 4, 6 − 7
const graph: PosedGraph = { vertices: 7, edges: [[1, 3], [3, 4], [2, 4], [1, 5], [4, 5], [6, 7], [6, 7]], target: 2 };

describe('distances from vertex 1', () => {
  test('count edges, whichever way they are given, and have no number where there is no path', () => {
    expect(distancesFrom1(graph)).toEqual([undefined, 0, 3, 1, 2, 1, undefined, undefined]);
  });

  test('of a vertex without edges', () => {
    expect(distancesFrom1({ vertices: 3, edges: [[2, 3]] })).toEqual([undefined, 0, undefined, undefined]);
  });
});

describe('a shortest path', () => {
  test('goes from 1 to the target, by the lowest vertices where there are several', () => {
    expect(shortestPath(graph)).toEqual([1, 3, 4, 2]);
    expect(shortestPath({ ...graph, target: 5 })).toEqual([1, 5]);
  });

  test('is empty where there is none', () => {
    expect(shortestPath({ ...graph, target: 7 })).toEqual([]);
  });
});
