import { Random } from '../../src/common/random';
import type {
  AttentionFigure, BarsFigure, GraphFigure, HeatmapFigure, Histogram2dFigure, LinesFigure, NetworkFigure, Subject, TableFigure,
} from '../../src/protocol/figure';

/** Figures as the analyses make them, in the sizes that the studies have. */

/** Causal patterns; `focus` says how much head `h` likes source `s` from destination `d`. */
export function attention(
  tokens: readonly string[],
  heads: readonly { readonly layer: number; readonly head: number }[],
  focus: (head: number, destination: number, source: number) => number = () => 0,
): AttentionFigure {
  const count = tokens.length;
  const random = new Random(1, 'patterns');
  const allowed = Uint8Array.from({ length: count ** 2 }, (_, cell) => cell % count <= Math.floor(cell / count) ? 1 : 0);
  return {
    kind: 'attention',
    title: 'Attention patterns',
    caption: 'One prompt; each row sums to 1.',
    tokens,
    allowed,
    heads: heads.map(({ layer, head }, index) => {
      const pattern = new Float32Array(count ** 2);
      for (let destination = 0; destination < count; destination++) {
        const scores = Array.from({ length: destination + 1 }, (_, source) => Math.exp(focus(index, destination, source) + random.normal()));
        const sum = scores.reduce((total, score) => total + score, 0);
        scores.forEach((score, source) => { pattern[destination * count + source] = score / sum; });
      }
      return { layer, head, pattern };
    }),
  };
}

export const arrayUpdateTokens = ['BOS', '12', '7', '33', '↵', '1', '48', '↵', '12', '48', '33'];

/** Head 0 copies from the array as it was, head 1 looks at the instruction. */
export const arrayUpdateAttention = attention(arrayUpdateTokens, [{ layer: 0, head: 0 }, { layer: 0, head: 1 }],
  (head, destination, source) => head === 0 ? (source === destination - 6 ? 5 : 0) : source === 5 || source === 6 ? 4 : 0);

export const modularAttention: AttentionFigure = {
  ...attention(['a', 'b', '='], [0, 1, 2, 3].map(head => ({ layer: 0, head }))), title: 'Attention from =',
};

/** List copy with the study's mask; two of the places where attention is allowed have none. */
export const listCopyAttention: AttentionFigure = {
  kind: 'attention',
  title: 'Attention of list copy',
  tokens: ['d1', 'd2', 'SEP', 'o1', 'o2'],
  allowed: Uint8Array.from('x....x....xx.....x....xx.', mark => Number(mark === 'x')),
  heads: [0, 1].map(layer => ({
    layer, head: 0,
    pattern: Float32Array.of(1, 0, 0, 0, 0, /**/ 1, 0, 0, 0, 0, /**/ 0, 1, 0, 0, 0, /**/ 0, 0, 1, 0, 0, /**/ 0, 0, 1, 0, 0),
  })),
};

const sentence = 'When Mary and John went to the store , John gave a drink of cold water to his old friend Mary .'.split(' ');
export const manyHeads: AttentionFigure = {
  ...attention(sentence, Array.from({ length: 144 }, (_, i) => ({ layer: Math.floor(i / 12), head: i % 12 })),
    (head, destination, source) => head % 5 === 0 ? (source === destination - 1 ? 4 : 0) : head % 7 === 0 ? (source === 0 ? 3 : 0) : (sentence[source] === sentence[destination] ? 2 : 0)),
  title: 'Every head',
};

/** Memorised within 2,000 steps, understood at 20,000: losses from 5 down to 1e-8. */
export function trainingCurves(until = 25_000, every = 100): LinesFigure {
  const random = new Random(3, 'curves');
  const steps = Float64Array.from({ length: until / every + 1 }, (_, i) => i * every);
  const noisy = (loss: (step: number) => number) => steps.map(step => loss(step) * Math.exp(0.08 * random.normal()));
  const learnt = (step: number, at: number, width: number) => 1 / (1 + Math.exp(-(step - at) / width));
  return {
    kind: 'lines',
    title: 'Loss',
    caption: 'Mean cross-entropy in nats, on the training set and on examples it never saw.',
    x: { title: 'step' },
    y: { title: 'loss', logarithmic: true },
    series: [
      { name: 'Training', x: steps, y: noisy(step => 4.9 * 10 ** (-8.7 * (0.75 * learnt(step, 1200, 260) + 0.25 * learnt(step, 20_000, 1200)))) },
      { name: 'Test', x: steps, y: noisy(step => (4.8 + 12 * learnt(step, 1500, 500)) * 10 ** (-8.4 * learnt(step, 20_000, 900))) },
    ],
    marks: [2000, 10_000, 20_000].filter(step => step <= until).map(step => ({ x: step, label: `Checkpoint ${step}` })),
  };
}

/** The correlations of a modular task: waves along both axes. */
export const largeHeatmap: HeatmapFigure = {
  kind: 'heatmap',
  title: 'Neuron 214 over all inputs',
  x: { title: 'b', labels: Array.from({ length: 113 }, (_, i) => String(i)) },
  y: { title: 'a', labels: Array.from({ length: 113 }, (_, i) => String(i)) },
  rows: 113,
  columns: 113,
  values: Float32Array.from({ length: 113 ** 2 }, (_, cell) => {
    const [a, b] = [Math.floor(cell / 113), cell % 113];
    return Math.cos((2 * Math.PI * 14 * a) / 113) * Math.cos((2 * Math.PI * 14 * b) / 113) + 0.4 * Math.cos((2 * Math.PI * 35 * (a - b)) / 113);
  }),
  scale: 'diverging',
  unit: 'activation',
};

export const smallHeatmap: HeatmapFigure = {
  kind: 'heatmap',
  title: 'Patching each head at each position',
  caption: '0 is the corrupted run, 1 the clean one.',
  x: { title: 'position', labels: ['a', 'b', '='] },
  y: { title: 'head', labels: ['L0H0', 'L0H1', 'L0H2', 'L0H3'] },
  rows: 4,
  columns: 3,
  values: Float32Array.from([0.01, 0.12, 0.93, -0.04, 0, 0.31, 0.2, -0.11, 0.71, 0.02, 0.03, 0.08]),
  present: Uint8Array.from([1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1]),
  scale: 'diverging',
  unit: 'metric',
};

export const bars: BarsFigure = {
  kind: 'bars',
  title: 'Norm of each Fourier component',
  caption: 'Of the embedding and of the unembedding, over the vocabulary.',
  x: { title: 'frequency', labels: Array.from({ length: 57 }, (_, i) => String(i)) },
  y: { title: 'norm' },
  series: [
    { name: 'Embedding', values: Float64Array.from({ length: 57 }, (_, i) => [14, 35, 41, 42, 52].includes(i) ? 2.4 - 0.01 * i : 0.05 + 0.002 * i) },
    { name: 'Unembedding', values: Float64Array.from({ length: 57 }, (_, i) => [14, 35, 41, 42, 52].includes(i) ? 1.9 + 0.01 * i : 0.04 + 0.001 * (i % 7)) },
  ],
};

export const histogram2d: Histogram2dFigure = {
  kind: 'histogram2d',
  title: 'Logit of the right answer against its rival',
  x: { title: 'logit of the answer' },
  y: { title: 'largest other logit' },
  xEdges: Float64Array.from({ length: 25 }, (_, i) => 5 + i),
  yEdges: Float64Array.from({ length: 17 }, (_, i) => -2 + i * 0.5),
  counts: Float32Array.from({ length: 24 * 16 }, (_, cell) => {
    const [row, column] = [Math.floor(cell / 24), cell % 24];
    return Math.round(900 * Math.exp(-((column - 14) ** 2) / 40 - ((row - 6 - (column - 14) / 5) ** 2) / 8));
  }),
};

export const table: TableFigure = {
  kind: 'table',
  title: 'Largest errors',
  columns: [
    { title: 'Example', numeric: false },
    { title: 'Answer', numeric: false },
    { title: 'Loss', numeric: true },
    { title: 'Rank', numeric: true },
  ],
  rows: [
    ['12 7 33 ↵ 1 48', '12 48 33', 0.0312, 1],
    ['4 4 9 ↵ 0 17', '17 4 9', 2.41, 3],
    ['<b>30</b> 2 2 ↵ 2 30', '30 2 30', 1.7e-8, 1],
    ['8 1 5 ↵ 2 5', '8 1 5', 0.9, 2],
  ],
};

export const graph: GraphFigure = {
  kind: 'graph',
  title: 'Paths of influence',
  caption: 'Share of the metric that each path carries.',
  nodes: [
    { id: 'embed', label: 'embed', column: 0, row: 1.5 },
    ...[0, 1, 2, 3].map(head => ({ id: `0.${head}`, label: `L0H${head}`, column: 1, row: head })),
    { id: 'mlp0', label: 'MLP 0', column: 2, row: 0.5 },
    { id: '1.0', label: 'L1H0', column: 3, row: 1 },
    { id: '1.1', label: 'L1H1', column: 3, row: 2 },
    { id: 'logits', label: 'logits', column: 4, row: 1.5 },
  ],
  edges: [
    { from: 'embed', to: '0.0', weight: 0.31 },
    { from: 'embed', to: '0.1', weight: 0.84 },
    { from: 'embed', to: '0.2', weight: -0.22 },
    { from: 'embed', to: '0.3', weight: 0.05 },
    { from: '0.0', to: 'mlp0', weight: 0.2 },
    { from: '0.1', to: 'mlp0', weight: 0.42 },
    { from: '0.1', to: '1.0', weight: 0.66 },
    { from: '0.2', to: '1.1', weight: -0.37 },
    { from: 'mlp0', to: '1.0', weight: 0.18 },
    { from: '1.0', to: 'logits', weight: 0.91 },
    { from: '1.1', to: 'logits', weight: -0.28 },
    { from: 'embed', to: 'logits', weight: 0.04 },
  ],
};

/** A sweep of patching as small models have it: a row a layer, a column a position. */
export function sweep(site: string, rows: readonly string[], subjects: readonly Subject[], columns = 11): HeatmapFigure {
  const random = new Random(7, site);
  const labels = ['bos', 'a0', 'a1', 'a2', '↵', 'idx', 'elt', '↵ (7)', 'o0', 'o1', 'o2'];
  return {
    kind: 'heatmap',
    title: `Patching ${site}`,
    caption: 'Share of the clean answer recovered, over 64 pairs.',
    x: {
      title: 'position',
      labels: Array.from({ length: columns }, (_, i) => labels[i] ?? String(i)),
      subjects: Array.from({ length: columns }, (_, position) => ({ position })),
    },
    y: { title: subjects[0]?.head === undefined ? 'layer' : 'head', labels: rows, subjects },
    rows: rows.length,
    columns,
    values: Float32Array.from({ length: rows.length * columns }, (_, cell) => cell % columns === 6 ? 0.93 : 0.08 * random.normal()),
    scale: 'diverging',
    unit: 'share of the metric',
  };
}

const twoHeads: readonly Subject[] = [{ layer: 0, head: 0 }, { layer: 1, head: 0 }];
export const headSweep = sweep('z of each head', ['L0H0', 'L1H0'], twoHeads);
export const manySweeps: readonly HeatmapFigure[] = [
  sweep('the residual stream', ['0', '1'], [{ layer: 0 }, { layer: 1 }]),
  sweep('attention outputs', ['0', '1'], [{ layer: 0 }, { layer: 1 }]),
  headSweep,
  ...['q', 'k', 'v', 'pattern'].map(part => sweep(`${part} of each head`, ['L0H0', 'L1H0'], twoHeads)),
  sweep('every head at once', ['L1H0'], [{ layer: 1, head: 0 }], 22),
];

/** Scores of the circuits of tokens, an odd size. */
export const tokenCircuit: HeatmapFigure = {
  kind: 'heatmap',
  title: 'OV circuit of L1H0',
  subject: { layer: 1, head: 0 },
  x: { title: 'logit', labels: Array.from({ length: 52 }, (_, i) => `token ${i}`) },
  y: { title: 'source token', labels: Array.from({ length: 50 }, (_, i) => i === 49 ? '<newline>' : String(i)) },
  rows: 50,
  columns: 52,
  values: Float32Array.from({ length: 50 * 52 }, (_, cell) => Math.floor(cell / 52) === cell % 52 ? 6 : Math.sin(cell * 12.9898) * 1.5),
  scale: 'diverging',
  unit: 'logit',
};

/** All edges between the parts of a model of three layers that survived a threshold. */
export const circuit: GraphFigure = (() => {
  const random = new Random(11, 'edges');
  const heads = 11;
  const nodes: GraphFigure['nodes'] = [
    { id: 'embed', label: 'embed', column: 0, row: 4 }, { id: 'pos', label: 'pos_embed', column: 0, row: 6 },
    ...[0, 1, 2].flatMap(layer => [
      ...Array.from({ length: heads }, (_, head) => ({
        id: `${layer}.${head}`, label: `L${layer}H${head}`, column: 1 + 2 * layer, row: head, subject: { layer, head },
      })),
      { id: `mlp${layer}`, label: `MLP ${layer}`, column: 2 + 2 * layer, row: 5, subject: { layer } },
    ]),
    { id: 'logits', label: 'logits', column: 7, row: 5 },
  ];
  const pairs = nodes.flatMap(from => nodes.filter(to => to.column > from.column).map(to => ({ from: from.id, to: to.id })));
  const chosen = pairs.filter(() => random.uniform() < 0.21).slice(0, 100);
  return {
    kind: 'graph',
    title: 'The circuit that survives',
    caption: 'Edges whose score is at least the threshold; the score is the change of the metric.',
    nodes,
    edges: chosen.map(edge => ({ ...edge, weight: random.normal() ** 3 * 0.2 })),
  };
})();

export const everyKind = [arrayUpdateAttention, trainingCurves(), smallHeatmap, bars, histogram2d, table, graph] as const;

/**
 * A graph on a circle with attention over its edges and from vertex 1 to the target, as between the positions of the
 * shortest-path task: `path` is marked, and edges that meet read from each other.
 */
export function network(vertices: number, edges: readonly (readonly [number, number])[], path: readonly number[], title = 'Attention over the graph'): NetworkFigure {
  const random = new Random(3, title);
  const [source, target] = [path[0], path.at(-1)];
  const isOnPath = ([one, other]: readonly [number, number]) => path.some((vertex, at) => at > 0 && [vertex, path[at - 1]].includes(one) && [vertex, path[at - 1]].includes(other));
  const links = edges.map(edge => ({ from: String(edge[0]), to: String(edge[1]), ...(isOnPath(edge) && { marked: true }), subject: { position: edges.indexOf(edge) } }));
  const nodes = Array.from({ length: vertices }, (_, at): NetworkFigure['nodes'][number] => {
    const [vertex, angle] = [at + 1, 2 * Math.PI * at / vertices];
    const mark = vertex === source ? 'start' : vertex === target ? 'end' : path.includes(vertex) ? 'path' : undefined;
    return { id: String(vertex), label: String(vertex), x: 0.5 + 0.5 * Math.sin(angle), y: 0.5 - 0.5 * Math.cos(angle), ...(mark && { mark }) };
  });
  const places = [...edges.map((edge, link) => ({ place: { link }, ends: edge })), { place: { node: String(target) }, ends: [target ?? 0] }];
  const arrows = places.flatMap(({ place: to, ends }) => {
    const scores = places.map(({ ends: others }) => Math.exp((ends.some(end => others.some(other => other === end)) ? 3 : 0) + random.normal()));
    const sum = scores.reduce((total, score) => total + score, 0);
    return places.map(({ place: from }, at) => ({ from, to, weight: (scores[at] ?? 0) / sum }));
  });
  return { kind: 'network', title, caption: 'Attention from what is read to where it goes; the shortest path is thick.', nodes, links, arrows };
}

export const smallNetwork = network(5, [[1, 3], [3, 4], [2, 4], [3, 5], [1, 3]], [1, 3, 4, 2], 'A small graph');

export const largeNetwork = network(15, [
  [1, 3], [3, 4], [2, 4], [5, 9], [9, 15], [4, 12], [6, 13], [7, 14], [8, 15], [1, 8], [2, 10], [11, 12], [3, 11], [3, 11], [6, 14],
], [1, 3, 4, 2], 'A large graph');
