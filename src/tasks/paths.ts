import type { PosedGraph } from './graphs';

/** Vertex → its distance from vertex 1, by breadth-first search; undefined where there is no path. Index 0 is no vertex. */
export function distancesFrom1({ vertices, edges }: Pick<PosedGraph, 'vertices' | 'edges'>): readonly (number | undefined)[] {
  const distances = Array.from({ length: vertices + 1 }, (): number | undefined => undefined);
  distances[1] = 0;
  for (let queue = [1]; queue.length > 0;) {
    const next: number[] = [];
    for (const vertex of queue) {
      for (const neighbour of neighboursOf(edges, vertex)) {
        if (distances[neighbour] !== undefined) continue;
        distances[neighbour] = (distances[vertex] ?? 0) + 1;
        next.push(neighbour);
      }
    }
    queue = next;
  }
  return distances;
}

/** The vertices of a shortest path from vertex 1 to the target, both included; empty where there is none. Of several, the one of the lowest vertices. */
export function shortestPath(graph: PosedGraph): readonly number[] {
  const distances = distancesFrom1(graph);
  const far = distances[graph.target];
  if (far === undefined) return [];
  const path = [graph.target];
  for (let left = far - 1; left >= 0; left--) {
    const before = neighboursOf(graph.edges, path[0] ?? 1).filter(vertex => distances[vertex] === left);
    path.unshift(Math.min(...before));
  }
  return path;
}

function neighboursOf(edges: PosedGraph['edges'], vertex: number): readonly number[] {
  return edges.flatMap(([a, b]) => (a === vertex ? [b] : b === vertex ? [a] : []));
}
