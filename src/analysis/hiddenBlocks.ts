import { UserError } from '../common/errors';
import { int32, type HostTensor } from '../common/tensor';
import { blockNames, blocksOf, verticesOf, type BlockName } from '../model/breadthFirst';
import type { HeatmapFigure, NetworkFigure, TableFigure } from '../protocol/figure';
import { formatGraph, parseGraph } from '../protocol/graphText';
import type { Task } from '../tasks/task';
import { positionNames } from '../tasks/words';
import { activationsOf } from './activations';
import { defineAnalysis, type AnalysisContext } from './define';
import { stream } from './examples';
import { graphFigure, graphTitle } from './graphFigure';
import { hiddenBlockLines } from './python/hiddenBlocks';
import { rightShare, searchBadges, searchHeads, type SearchHead } from './searchHeads';

// n vertices · T = n + 1 positions · D = 4n + 2 d_model · L layers · H heads

/** What each part of the residual stream of a search by hand is for, what it holds of one graph, and whether its heads do what they are there for. */
export const hiddenBlocks = defineAnalysis({
  id: 'hidden-blocks',
  title: 'Hidden blocks',
  description: 'What each block of the hidden dimension of a breadth-first search written by hand holds, what it holds of one graph after each layer, and what each head does.',
  group: 'Weights',
  badges: true,
  params: {
    graph: { kind: 'graph', title: 'Graph', description: 'Edges between numbered vertices, as in 1-3 3-4 2-4. Leave it empty for a graph of the task.', default: '' },
    sample: { kind: 'integer', title: 'Sample', description: 'Another number draws other graphs of the task.', default: 0, minimum: 0, maximum: 1_000_000 },
    layers: { kind: 'integer', title: 'After layers', description: 'How many layers have been run in the residual stream that is drawn whole; 0 is the embedding.', default: 1, minimum: 0, maximum: 10 },
    examples: { kind: 'integer', title: 'Examples', description: 'Graphs on which it is measured what the heads do.', default: 256, minimum: 1, maximum: 4096 },
  },
  scalars: {
    headsRight: `share of the heads that do what they are named after: from at least ${rightShare * 100} % of the vertices (for head 0, of the answers) more than half of their weight is where a search would look`,
    leastRight: 'of the head that does it most seldom, the share of those vertices',
  },
  needs: 'a model whose weights were written by hand (init_mode "bfs")',
  appliesTo: ({ config }) => config.init_mode === 'bfs',
  python: (context, { layers, ...chosen }) => hiddenBlockLines(context, { ...graphsFor(context, chosen), layers }),
  async run(context, { layers, ...chosen }) {
    const { model } = context;
    const { n_layers: L } = model.config;
    if (layers > L) throw new UserError(`"layers" is ${layers}; this model has ${L}.`);
    const { tokens, graphs } = graphsFor(context, chosen);
    const hooks = ['blocks.0.hook_resid_pre', ...Array.from({ length: L }, (_, layer) => `blocks.${layer}.hook_resid_post`)];
    const streams = await activationsOf(model, tokens, hooks); // [1, T, D] each
    const heads = await searchHeads(context, graphs);
    const about = sentenceOf(context, tokens);
    return {
      figures: [
        blocksTable(verticesOf(model.config)),
        searchedGraph(context, tokens),
        searchHeatmap(context, streams, about),
        streamHeatmap(context, streams[layers], layers, about),
        headsHeatmap(context, heads, chosen.examples),
      ],
      scalars: {
        headsRight: heads.filter(({ share }) => share >= rightShare).length / heads.length,
        leastRight: Math.min(...heads.map(({ share }) => share)),
      },
      badges: searchBadges(heads),
    };
  },
});

interface ChosenGraphs {
  readonly graph: string;
  readonly sample: number;
  readonly examples: number;
}

/** The graph that is drawn `[1, T]`, and those on which it is measured what heads do `[B, T]`. */
function graphsFor({ task, random }: Pick<AnalysisContext, 'task' | 'random'>, { graph, sample, examples }: ChosenGraphs) {
  const draw = (count: number) => task.sample(stream(random, sample), count).tokens;
  return { tokens: graph.trim() === '' ? draw(1) : promptOf(task, graph), graphs: draw(examples) };
}

/** @throws UserError for a text that is no graph, or one that the model cannot read. */
function promptOf({ graphs }: Task, text: string): HostTensor<'int32'> {
  if (!graphs) throw new Error('a search is among the vertices of a graph');
  const prompt = graphs.write({ vertices: graphs.vertices, target: 2, edges: parseGraph(text) });
  return int32([1, prompt.length], Int32Array.from(prompt));
}

function sentenceOf({ task }: AnalysisContext, { data }: HostTensor<'int32'>): string {
  const edges = formatGraph(task.graphs?.read([...data])?.edges ?? []);
  return `Edges: ${edges || 'none'}; the right answer is ${task.answers([...data])?.join() ?? 'unknown'}.`;
}

/** The graph that is searched, from which the control begins where it was left empty. */
function searchedGraph({ task }: AnalysisContext, { data }: HostTensor<'int32'>): NetworkFigure {
  const graph = task.graphs?.read([...data]);
  if (!graph) throw new Error('a search is in a graph');
  return graphFigure(graph, { title: 'The graph', caption: `${graphTitle(graph)}. The shortest path from vertex 1 to the target is marked.` });
}

/** Diverging only where something is below 0, by more than rounding: the weights of the search itself write zeros and ones. */
function scaleOf(values: Float32Array): HeatmapFigure['scale'] {
  return values.some(value => value < -1e-6) ? 'diverging' : 'sequential';
}

/** What a block holds, and what writes it. */
const contents: Readonly<Record<BlockName, { readonly answer: string; readonly vertex: string; readonly writers: string }>> = {
  'answer flag': { answer: '1', vertex: '0', writers: 'W_pos' },
  'neighbours': { answer: '0', vertex: '1 for each neighbour', writers: 'W_E' },
  'reach': { answer: '0', vertex: '1 for each vertex that it has reached', writers: 'W_E; heads 1 and up, and MLPs' },
  'out': { answer: '1 for each layer in which 1 had reached 2', vertex: '0', writers: 'head 0 of each layer' },
  'self': { answer: '0', vertex: '1 at its own number', writers: 'W_pos' },
  'not-answer flag': { answer: '0', vertex: '1', writers: 'W_pos' },
};

function blocksTable(n: number): TableFigure {
  const blocks = blocksOf(n);
  return {
    kind: 'table', title: 'Blocks of the hidden dimension',
    caption: 'Reach goes a step further with each layer. The distance is n + 1 less the ones in out. The other blocks stay as the embedding wrote them.',
    columns: ['Block', 'Dimensions', 'At the answer', 'At a vertex', 'Written by'].map(title => ({ title, numeric: false })),
    rows: blockNames.map(name => {
      const { start, size } = blocks[name];
      const { answer, vertex, writers } = contents[name];
      return [name, size === 1 ? String(start) : `${start}–${start + size - 1}`, answer, vertex, writers];
    }),
  };
}

/** Vertex 1's reach and the answer's out, which are what the distance comes of. */
function searchHeatmap({ model: { config } }: AnalysisContext, streams: readonly HostTensor<'float32'>[], about: string): HeatmapFigure {
  const n = verticesOf(config);
  const { reach, out } = blocksOf(n);
  const rows = streams.map(({ data }) => [...row(data, 1, config.d_model, reach), ...row(data, 0, config.d_model, out)]);
  const values = Float32Array.from(rows.flat());
  return {
    kind: 'heatmap', title: 'The search, layer by layer',
    caption: `Which vertices vertex 1 has reached, and in which layers the answer has noted that vertex 2 is among them (v3 is vertex 3, L0 layer 0). ${about}`,
    x: { title: 'Dimension', labels: [...labelsOf('reach', n), ...labelsOf('out', n)] },
    y: { title: 'After', labels: rows.map((_, layers) => layersText(layers)), subjects: rows.map((_, layers) => (layers > 0 ? { layer: layers - 1 } : {})) },
    rows: rows.length, columns: 2 * n, values, scale: scaleOf(values), unit: 'activation',
  };
}

function row(data: Float32Array, position: number, D: number, { start, size }: { readonly start: number; readonly size: number }): Float32Array {
  return data.subarray(position * D + start, position * D + start + size);
}

function streamHeatmap({ model: { config }, task }: AnalysisContext, stream: HostTensor<'float32'> | undefined, layers: number, about: string): HeatmapFigure {
  const positions = positionNames(task);
  const values = stream?.data ?? new Float32Array();
  return {
    kind: 'heatmap', title: `Residual stream after ${layersText(layers)}`, caption: about,
    x: { title: 'Dimension', labels: blockNames.flatMap(name => labelsOf(name, verticesOf(config))) },
    y: { title: 'Position', labels: positions, subjects: positions.map((_, position) => ({ position })) },
    rows: positions.length, columns: config.d_model, values, scale: scaleOf(values), unit: 'activation',
  };
}

/** The dimensions of a block: `reach v3` is about vertex 3, `out L0` about layer 0. */
function labelsOf(name: BlockName, n: number): readonly string[] {
  if (blocksOf(n)[name].size === 1) return [name];
  return Array.from({ length: n }, (_, index) => `${name} ${name === 'out' ? `L${index}` : `v${index + 1}`}`);
}

function layersText(layers: number): string {
  return layers === 0 ? 'the embedding' : `layer ${layers - 1}`;
}

function headsHeatmap({ model: { config: { n_layers: L, n_heads: H } } }: AnalysisContext, heads: readonly SearchHead[], examples: number): HeatmapFigure {
  return {
    kind: 'heatmap', title: 'What the heads do', scalar: 'headsRight',
    caption: `Over ${examples} ${examples === 1 ? 'graph' : 'graphs'}: the share of vertices (for head 0, of answers) from which most of a head's weight is where a search would look.`,
    x: { title: 'Head', labels: Array.from({ length: H }, (_, head) => head === 0 ? 'notices 1 → 2' : `through ${head}`) },
    y: { title: 'Layer', labels: Array.from({ length: L }, (_, layer) => String(layer)), subjects: Array.from({ length: L }, (_, layer) => ({ layer })) },
    rows: L, columns: H, values: Float32Array.from(heads, ({ share }) => share), scale: 'sequential', reach: 1, unit: 'share',
  };
}
