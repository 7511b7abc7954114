import type { NetworkFigure, NetworkLink, NetworkNode } from '../protocol/figure';
import { onCircle } from '../protocol/network/circle';
import type { PosedGraph } from '../tasks/graphs';
import { distancesFrom1, shortestPath } from '../tasks/paths';

type Told = Pick<NetworkFigure, 'title' | 'caption' | 'scalar' | 'subject'>;

/**
 * A graph with its vertices on a circle, 1 at the top and the others clockwise, with the shortest path from vertex 1 to the
 * target marked; the node of vertex `v` is called `v`. `others` are nodes besides, as one for what is no vertex.
 */
export function graphFigure(graph: PosedGraph, told: Told, arrows: NetworkFigure['arrows'] = [], others: readonly NetworkNode[] = []): NetworkFigure {
  const path = shortestPath(graph);
  const nodes = Array.from({ length: graph.vertices }, (_, index): NetworkNode => {
    const vertex = index + 1;
    const mark = vertex === 1 ? 'start' : vertex === graph.target ? 'end' : path.includes(vertex) ? 'path' : undefined;
    return { id: String(vertex), label: String(vertex), ...onCircle(index, graph.vertices), ...(mark && { mark }) };
  });
  return { kind: 'network', ...told, nodes: [...nodes, ...others], links: linksOf(graph, path), arrows };
}

/** The edges in their order; of several between the same two vertices the first is on the path. */
function linksOf({ edges }: PosedGraph, path: readonly number[]): readonly NetworkLink[] {
  const left = new Set(path.slice(1).map((vertex, at) => pairName(path[at] ?? vertex, vertex)));
  return edges.map(([a, b]) => ({ from: String(a), to: String(b), ...(left.delete(pairName(a, b)) && { marked: true }) }));
}

function pairName(one: number, other: number): string {
  return `${Math.min(one, other)}-${Math.max(one, other)}`;
}

/** As in "5 vertices, target 4: distance 3". */
export function graphTitle(graph: PosedGraph): string {
  const distance = distancesFrom1(graph)[graph.target];
  return `${graph.vertices} vertices, target ${graph.target}: ${distance === undefined ? 'no path' : `distance ${distance}`}`;
}
