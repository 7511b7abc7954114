import { FieldError, UserError } from '../common/errors';
import type { Random } from '../common/random';
import { int32 } from '../common/tensor';
import type { Parameters, ValuesOf } from '../protocol/parameter';
import { withAnotherDistance, withAnotherEdge } from './graphChanges';
import { checkEdges, type PosedGraph } from './graphs';
import { GraphSampler, targetRules, type Distribution } from './graphSampler';
import { distancesFrom1 } from './paths';
import { defineTask, type Examples, type TestSet } from './task';

// T = vertices + 1 positions: an edge each, and the target · parts: padding, the vertices, TARGET

const parameters = {
  vertices: { kind: 'integer', title: 'Vertices', description: 'The most vertices, and edges, that a prompt has room for.', default: 15, minimum: 3, maximum: 30 },
  smallest: { kind: 'integer', title: 'Smallest graph', description: 'Vertices of the smallest graphs; all sizes are equally frequent.', default: 3, minimum: 3, maximum: 30 },
  largest: { kind: 'integer', title: 'Largest graph', description: 'Vertices of the largest graphs.', default: 15, minimum: 3, maximum: 30 },
  target: {
    kind: 'choice', title: 'Target', options: targetRules, default: 'vertex 2',
    description: 'Whose distance from vertex 1 is asked for: vertex 2\'s; that of a vertex between the two on a shortest path; or that of any vertex from 3 on.',
  },
  targetLimit: { kind: 'integer', title: 'Largest target', description: 'No vertex above it is asked for.', default: 30, minimum: 2, maximum: 30 },
  balance: {
    kind: 'number', title: 'Balance', default: 1, minimum: 0.01, maximum: 1,
    description: 'Distances that more than this share of the graphs of a size have, as they are drawn, are thinned to so many of those; as fewer graphs are left, they remain a larger share. 1 thins none.',
  },
} as const satisfies Parameters;

/** The token of positions without an edge: the first part, twice. */
const padding = 0;

/** How far vertex 1 is from a target, in a random graph given by its edges. */
export const shortestPaths = defineTask({
  id: 'shortest-paths',
  title: 'Shortest paths',
  description: 'Given the edges of a random graph, as many as it has vertices, say how long the shortest path from vertex 1 to a target is, or how many vertices there are where there is none.',
  params: parameters,
  create(values) {
    checkSizes(values);
    const { vertices: N } = values;
    const parts = ['0', ...Array.from({ length: N }, (_, index) => String(index + 1)), 'TARGET'];
    const V = parts.length;
    const code = (first: number, second: number) => first * V + second;
    const targetToken = (vertex: number) => code(vertex, V - 1);
    const vertices = Array.from({ length: N }, (_, index) => index + 1);
    const T = N + 1;

    const read = (prompt: readonly number[]): PosedGraph | undefined => {
      const [places, last = 0] = [prompt.slice(0, N), prompt[N]];
      const held = places.findLastIndex(token => token !== padding) + 1;
      const edges = places.slice(0, held).map(token => [Math.floor(token / V), token % V] as const);
      const [target, mark] = [Math.floor(last / V), last % V];
      const areEdges = held > 0 && edges.every(([a, b]) => a >= 1 && a < b && b <= N);
      const size = sizeOf(edges);
      return prompt.length === T && areEdges && mark === V - 1 && target >= 2 && target <= size ? { vertices: size, edges, target } : undefined;
    };
    const write = ({ edges, target }: Pick<PosedGraph, 'edges' | 'target'>): readonly number[] => {
      checkGraph(edges, target, N);
      const tokens = edges.map(([a, b]) => code(Math.min(a, b), Math.max(a, b)));
      return [...tokens, ...vertices.slice(edges.length).map(() => padding), targetToken(target)];
    };
    const sampleOf = (changes: Partial<Distribution>) => {
      const sampler = new GraphSampler({ ...values, target: targetRules.find(rule => rule === values.target) ?? 'vertex 2', ...changes });
      return (random: Random, count: number): Examples => {
        const tokens = int32([count, T]);
        const labels = int32([count, 1]);
        sampler.draw(random, count, (row, { vertices: n, first, second, target, distance }) => {
          for (let edge = 0; edge < n; edge++) tokens.data[row * T + edge] = code(first[edge] ?? 0, second[edge] ?? 0);
          tokens.data[row * T + N] = targetToken(target);
          labels.data[row] = distance;
        });
        return { tokens, labels };
      };
    };
    const answer = (graph: PosedGraph) => distancesFrom1(graph)[graph.target] ?? graph.vertices;
    // Of fewer edges than vertices the highest vertex says how many there are: without it the target may be in no graph, and
    // no path has another answer.
    const fits = ({ vertices: n }: PosedGraph) => (edges: PosedGraph['edges']) => sizeOf(edges) === n;
    const changed = (prompt: readonly number[], change: (graph: PosedGraph) => Pick<PosedGraph, 'edges' | 'target'>) => {
      const graph = read(prompt);
      return graph ? write(change(graph)) : prompt;
    };

    return {
      vocabulary: parts.flatMap(first => parts.map(second => `${first}-${second}`)),
      outputs: ['distance'],
      answersAre: 'numbers',
      parts,
      padding,
      positions: [...vertices.map(edge => `e${edge}`), 'target'],
      answerPositions: [N],
      alphabet: [
        ...vertices.map(() => [padding, ...vertices.flatMap(a => vertices.slice(a).map(b => code(a, b)))]),
        vertices.slice(1).map(targetToken),
      ],
      answers(prompt) {
        const graph = read(prompt);
        return graph && [answer(graph)];
      },
      corruptions: {
        edge: (prompt, random) => changed(prompt, graph => ({ ...graph, edges: withAnotherEdge(graph, random.integer(graph.edges.length), random, fits(graph)) })),
        path: (prompt, random) => changed(prompt, graph => withAnotherDistance(graph, random, fits(graph))),
        target: (prompt, random) => changed(prompt, ({ vertices: n, edges, target }) => ({ edges, target: n === 2 ? target : 2 + ((target - 1 + random.integer(n - 2)) % (n - 1)) })),
      },
      graphs: {
        vertices: N,
        maximumEdges: N,
        read,
        write,
        placeOf: (position, { edges, target }) => (position === N ? { vertex: target } : position < edges.length ? { edge: position } : undefined),
      },
      otherSets: otherSets(N, sampleOf),
      sample: sampleOf({}),
    };
  },
});

/** A graph that is drawn has as many vertices as edges; one that is given may use more. */
function sizeOf(edges: PosedGraph['edges']): number {
  return Math.max(edges.length, ...edges.map(([a, b]) => Math.max(a, b)));
}

function checkSizes({ vertices, smallest, largest, target, targetLimit }: ValuesOf<typeof parameters>): void {
  if (smallest > largest) throw new FieldError('smallest', `The smallest graphs cannot have ${smallest} vertices when the largest have ${largest}.`);
  if (largest > vertices) throw new FieldError('largest', `Graphs of ${largest} vertices do not fit a prompt with room for ${vertices}; raise vertices, or lower largest.`);
  if (target !== 'vertex 2' && targetLimit < 3) throw new FieldError('targetLimit', 'Targets other than vertex 2 start at vertex 3, so targetLimit must be at least 3.');
}

/** @throws UserError when a prompt has no room for the graph, or it is none. */
function checkGraph(edges: PosedGraph['edges'], target: number, N: number): void {
  if (edges.length === 0) throw new UserError('The graph has no edges; give at least one, as in 1-3.');
  if (edges.length > N) throw new UserError(`The graph has ${edges.length} edges; this model reads at most ${N}.`);
  checkEdges(edges, N);
  const size = sizeOf(edges);
  if (!Number.isInteger(target) || target < 2 || target > size) throw new UserError(`The target ${target} is not in the graph; its vertices are 1 to ${size}, and a target is one from 2 on.`);
}

/**
 * What the study tested its models on (its losses are of graphs of up to 15 vertices, and before it was fine-tuned of one
 * model): small graphs are those of up to half of the vertices that there is room for.
 */
function otherSets(N: number, sampleOf: (changes: Partial<Distribution>) => TestSet['sample']): readonly TestSet[] {
  const small = Math.max(3, Math.floor(N / 2));
  const [smallGraphs, allGraphs] = [{ smallest: 3, largest: small }, { smallest: 3, largest: N }];
  const [onPath, any] = [{ target: 'on path', targetLimit: N }, { target: 'any', targetLimit: N }] as const;
  const of = `graphs of 3 to ${N} vertices`;
  return [
    {
      id: 'pre-training', title: 'Pre-training', short: 'pre-training', description: `vertex 2 in ${of}`, published: { before: 0.001623 },
      sample: sampleOf({ ...allGraphs, target: 'vertex 2' }),
    },
    {
      id: 'fine-tuning', title: 'Fine-tuning', short: 'fine-tuning', description: `a vertex on the shortest path from 1 to 2 in graphs of 3 to ${small} vertices`, published: { before: 0.5531, after: 0.01472 },
      sample: sampleOf({ ...smallGraphs, ...onPath }),
    },
    {
      id: 'on-path-small-target', title: 'On-path small target', short: 'on path · small', description: `a vertex from 3 to ${small} on the shortest path in ${of}`, published: { after: 0.102 },
      sample: sampleOf({ ...allGraphs, ...onPath, targetLimit: small }),
    },
    {
      id: 'on-path-target', title: 'On-path target', short: 'on path', description: `any vertex on the shortest path in ${of}`, published: { after: 0.1451 },
      sample: sampleOf({ ...allGraphs, ...onPath }),
    },
    {
      id: 'any-target-small-graphs', title: 'Any target in small graphs', short: 'any · small graphs', description: `any vertex from 3 on in graphs of 3 to ${small} vertices`, published: { after: 61.44 },
      sample: sampleOf({ ...smallGraphs, ...any }),
    },
    {
      id: 'any-small-target', title: 'Any small target in large graphs', short: 'any · small target', description: `any vertex from 3 to ${small} in ${of}`, published: { after: 47.06 },
      sample: sampleOf({ ...allGraphs, ...any, targetLimit: small }),
    },
    {
      id: 'any-target', title: 'Any target in large graphs', short: 'any target', description: `any vertex from 3 on in ${of}`, published: { after: 72.87 },
      sample: sampleOf({ ...allGraphs, ...any }),
    },
  ];
}
