import type { Random } from '../common/random';
import type { PosedGraph } from './graphs';
import { distancesFrom1, shortestPath } from './paths';

/** Whether a task can pose the edges, as a graph of as many vertices. */
type Fits = (edges: PosedGraph['edges']) => boolean;

/** The edges with another pair of vertices at a place. Of two vertices there is no other; of more, one that fits must exist. */
export function withAnotherEdge({ vertices: n, edges }: Pick<PosedGraph, 'vertices' | 'edges'>, place: number, random: Random, fits: Fits = () => true): PosedGraph['edges'] {
  const edge = edges[place];
  for (;;) {
    const [a, b] = [1 + random.integer(n), 1 + random.integer(n)];
    if (a >= b || (n > 2 && a === edge?.[0] && b === edge[1])) continue;
    const changed = edges.with(place, [a, b]);
    if (fits(changed)) return changed;
  }
}

/** Attempts at a graph of another distance; where vertex 2 of three is asked for, nearly every one is. */
const mostAttempts = 100;

/** The graph with another edge in place of one on the shortest path (or of any, where there is no path), so that the distance is another. */
export function withAnotherDistance(graph: PosedGraph, random: Random, fits?: Fits): PosedGraph {
  const distance = distancesFrom1(graph)[graph.target];
  const path = shortestPath(graph);
  const onPath = graph.edges.flatMap(([a, b], place) => (Math.abs(path.indexOf(a) - path.indexOf(b)) === 1 && path.includes(a) && path.includes(b) ? [place] : []));
  const places = onPath.length > 0 ? onPath : [...graph.edges.keys()];
  let changed = graph;
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const place = places[random.integer(places.length)] ?? 0;
    changed = { ...graph, edges: withAnotherEdge(graph, place, random, fits) };
    if (distancesFrom1(changed)[graph.target] !== distance) break;
  }
  return changed;
}
