import { UserError } from '../common/errors';
import type { Random } from '../common/random';
import { int32 } from '../common/tensor';
import type { Parameters } from '../protocol/parameter';
import { withAnotherDistance, withAnotherEdge } from './graphChanges';
import { checkEdges, type PosedGraph } from './graphs';
import { GraphSampler } from './graphSampler';
import { distancesFrom1 } from './paths';
import { defineTask } from './task';

// n vertices · T = n + 1 positions: the answer, then the vertices. Sets of vertices are bits, vertex v bit v − 1.

const parameters = {
  vertices: { kind: 'integer', title: 'Vertices', description: 'Vertices of every graph, and pairs that are drawn for its edges.', default: 8, minimum: 3, maximum: 10 },
} as const satisfies Parameters;

/** The only vertex whose distance is asked for. */
const target = 2;

/**
 * How far vertex 1 is from vertex 2, in a random graph given by the set of neighbours of each vertex, as the study has it
 * for the transformer that it writes by hand. Where there is no path the answer is n + 1: the distance that its code starts from.
 */
export const shortestPathsAdjacency = defineTask({
  id: 'shortest-paths-adjacency',
  title: 'Shortest paths by neighbours',
  description: 'Given the neighbours of every vertex of a random graph, say how long the shortest path from vertex 1 to vertex 2 is, or one more than there are vertices where there is none.',
  params: parameters,
  create({ vertices: n }) {
    const vertices = Array.from({ length: n }, (_, index) => index + 1);
    const sets = Array.from({ length: 2 ** n }, (_, set) => set);
    const has = (set: number, vertex: number) => (set & bit(vertex)) !== 0;
    const T = n + 1;
    /** The token of the answer's position; the others are the sets themselves. */
    const answerToken = 2 ** n;

    const read = (prompt: readonly number[]): PosedGraph | undefined => {
      const [first, ...neighbours] = prompt;
      const of = (vertex: number) => neighbours[vertex - 1] ?? 0;
      const isGraph = vertices.every(a => of(a) < answerToken && vertices.every(b => has(of(a), b) === has(of(b), a) && (a !== b || !has(of(a), b))));
      if (first !== answerToken || neighbours.length !== n || !isGraph) return undefined;
      return { vertices: n, target, edges: vertices.flatMap(a => vertices.slice(a).filter(b => has(of(a), b)).map(b => [a, b] as const)) };
    };
    const write = ({ edges, target: asked }: Pick<PosedGraph, 'edges' | 'target'>): readonly number[] => {
      checkEdges(edges, n);
      if (asked !== target) throw new UserError(`The target is ${asked}; this model is only asked for the distance of vertex ${target}.`);
      const neighbours = vertices.map(vertex => edges.reduce((set, [a, b]) => set | (a === vertex ? bit(b) : b === vertex ? bit(a) : 0), 0));
      return [answerToken, ...neighbours];
    };
    const changed = (prompt: readonly number[], change: (graph: PosedGraph) => PosedGraph) => {
      const graph = read(prompt);
      return graph && graph.edges.length > 0 ? write(change(graph)) : prompt;
    };
    const sampler = new GraphSampler({ smallest: n, largest: n, target: 'vertex 2', targetLimit: n, balance: 1 });

    return {
      vocabulary: [...sets.map(set => vertices.filter(vertex => has(set, vertex)).join(',') || '∅'), 'answer'],
      outputs: ['distance'],
      answersAre: 'numbers',
      positions: ['answer', ...vertices.map(vertex => `v${vertex}`)],
      answerPositions: [0],
      alphabet: [[answerToken], ...vertices.map(vertex => sets.filter(set => !has(set, vertex)))],
      answers(prompt) {
        const graph = read(prompt);
        return graph && [distancesFrom1(graph)[target] ?? n + 1];
      },
      corruptions: {
        edge: (prompt, random) => changed(prompt, graph => ({ ...graph, edges: withAnotherEdge(graph, random.integer(graph.edges.length), random) })),
        path: (prompt, random) => changed(prompt, graph => withAnotherDistance(graph, random)),
      },
      graphs: {
        vertices: n,
        maximumEdges: (n * (n - 1)) / 2,
        read,
        write,
        placeOf: position => (position >= 1 && position <= n ? { vertex: position } : undefined),
      },
      sample(random: Random, count: number) {
        const tokens = int32([count, T]);
        const labels = int32([count, 1]);
        sampler.draw(random, count, (row, { first, second, distance }) => {
          tokens.data[row * T] = answerToken;
          for (let edge = 0; edge < n; edge++) {
            const [a, b] = [first[edge] ?? 0, second[edge] ?? 0];
            tokens.data[row * T + a] = (tokens.data[row * T + a] ?? 0) | bit(b);
            tokens.data[row * T + b] = (tokens.data[row * T + b] ?? 0) | bit(a);
          }
          labels.data[row] = distance === n ? n + 1 : distance; // no path has n edges
        });
        return { tokens, labels };
      },
    };
  },
});

function bit(vertex: number): number {
  return 1 << (vertex - 1);
}
