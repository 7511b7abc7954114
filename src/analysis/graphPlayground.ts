import { UserError } from '../common/errors';
import type { Random } from '../common/random';
import { int32, type HostTensor } from '../common/tensor';
import type { ModelConfig } from '../protocol/config';
import type { NetworkArrow, NetworkNode, NetworkPlace, TableFigure } from '../protocol/figure';
import { formatGraph, parseGraph } from '../protocol/graphText';
import type { GraphReading, PosedGraph } from '../tasks/graphs';
import { distancesFrom1 } from '../tasks/paths';
import type { Task } from '../tasks/task';
import { positionNames } from '../tasks/words';
import { mean } from './attribution/logitContrast';
import { defineAnalysis, type AnalysisContext } from './define';
import { stream } from './examples';
import { graphFigure, graphTitle } from './graphFigure';
import { componentName, headOf, type Head } from './heads';
import { answersInNumbers, answersTo } from './numberAnswers';
import { taskOf } from './numberInputs';
import { patternsOf } from './patterns';
import { predictionLines } from './python/numbers';
import { arrowLines } from './python/patterns';

// T positions · H heads

const arrowChoices = ['into the answer', 'all'] as const;

/** What a model says of one graph, and where its heads look in it. */
export const graphPlayground = defineAnalysis({
  id: 'graph-playground',
  title: 'Graph playground',
  description: 'A graph that you draw or one of the task, with the model\'s answer, the right one, and the attention of a head as arrows over the graph.',
  group: 'Attention',
  live: true,
  params: {
    graph: { kind: 'graph', title: 'Graph', description: 'Edges between numbered vertices, as in 1-3 3-4 2-4. Leave it empty for a graph of the task that has a path to a target of its own.', default: '' },
    target: { kind: 'integer', title: 'Target', description: 'The vertex whose distance from vertex 1 is asked for, in a graph that is given.', default: 2, minimum: 1, maximum: 1000 },
    sample: { kind: 'integer', title: 'Sample', description: 'Another number draws another graph of the task.', default: 0, minimum: 0, maximum: 1_000_000 },
    head: { kind: 'head', title: 'Head', description: 'The head whose attention is drawn; empty for the mean over the heads of the last layer, from which the answer is read.', default: '', otherwise: 'Mean of the last layer' },
    arrows: { kind: 'choice', title: 'Arrows', description: 'Attention into the position where the answer is read alone, or into all positions.', options: arrowChoices, default: 'into the answer' },
  },
  scalars: {
    prediction: 'what the model predicts',
    truth: 'the right answer',
    error: 'the prediction less the right answer',
  },
  needs: 'a task whose prompts are graphs and whose answers are numbers',
  appliesTo: details => answersInNumbers(details) && taskOf(details)?.graphs !== undefined,
  python(context, { graph: text, target, sample, head, arrows }) {
    const { details: { config }, figure } = context;
    const posed = posedGraph(context, text, target, sample);
    if (figure.kind === 'table') return predictionLines(context.task, posed.prompt, posed.truth, hasPath(posed.graph));
    return arrowLines(posed.prompt, head === '' ? lastHeads(config) : [headOf(config, head)], drawnPairs(context.task, posed, arrows));
  },
  async run(context, { graph: text, target, sample, head, arrows }) {
    const { model, task } = context;
    const { config } = model;
    const posed = posedGraph(context, text, target, sample);
    const { prompt, graph, truth } = posed;
    const heads = head === '' ? lastHeads(config) : [headOf(config, head)];
    const tokens = int32([1, prompt.length], Int32Array.from(prompt));
    const { data: [prediction = Number.NaN] } = await answersTo(context, tokens);
    const weights = meanPattern(await patternsOf(model, tokens), heads);
    const { placeOf, others } = placesOf(task, posed);
    const destinations = destinationsOf(task, posed, arrows);
    const drawn = drawnPairs(task, posed, arrows).flatMap(({ destination, source, from, to }): readonly NetworkArrow[] => {
      const weight = weights[destination * prompt.length + source] ?? 0;
      // A sum of rounded weights can be a little more than 1.
      return weight > 0 ? [{ from, to, weight: Math.min(1, weight) }] : [];
    });
    const kept = mean(destinations.filter(placeOf).map(position => weights[position * prompt.length + position] ?? 0));
    const [only] = head === '' ? [] : heads;
    const of = only ? `attention of ${componentName(only)}` : `mean attention of the heads of layer ${config.n_layers - 1}`;
    return {
      figures: [
        graphFigure(graph, {
          title: `${graphTitle(graph)}, predicted ${prediction.toFixed(2)}`, scalar: 'error', ...(only && { subject: only }),
          caption: `From what is read to what reads it: ${of}${arrows === 'all' ? '' : ', where the answer is read'}. Attention of a place to itself is not drawn${arrows === 'all' ? '; on average that is' : ':'} ${kept.toFixed(2)}.`,
        }, drawn, others),
        answerTable(task, posed, prediction),
      ],
      scalars: { prediction, truth, error: prediction - truth },
    };
  },
});

interface Posed {
  /** `[T]` */
  readonly prompt: readonly number[];
  readonly graph: PosedGraph;
  readonly truth: number;
}

/** The graph that is given, or one of the task. */
function posedGraph({ task, random }: Pick<AnalysisContext, 'task' | 'random'>, text: string, target: number, sample: number): Posed {
  const graphs = graphsOf(task);
  return posedBy(task, graphs, text.trim() === '' ? sampledPrompt(task, graphs, stream(random, sample)) : promptOf(graphs, text, target));
}

function graphsOf({ graphs }: Task): GraphReading {
  if (!graphs) throw new Error('the playground needs a task about graphs');
  return graphs;
}

function destinationsOf(task: Task, { prompt }: Posed, arrows: string): readonly number[] {
  return arrows === 'all' ? [...prompt.keys()] : task.answerPositions;
}

/** From where to where attention is drawn: between positions that have a place in the figure. */
function drawnPairs(task: Task, posed: Posed, arrows: string) {
  const { placeOf } = placesOf(task, posed);
  return destinationsOf(task, posed, arrows).flatMap(destination => [...posed.prompt.keys()].flatMap(source => {
    const [from, to] = [placeOf(source), placeOf(destination)];
    return from && to && source !== destination ? [{ destination, source, from, to }] : [];
  }));
}

/** A default without a path would show little: this many graphs are searched for one. */
const mostDrawn = 32;

/** A prompt of the task, with a path to the target if one is drawn soon. */
function sampledPrompt(task: Task, graphs: GraphReading, random: Random): readonly number[] {
  const { shape: [, T = 0], data } = task.sample(random, mostDrawn).tokens;
  const prompts = Array.from({ length: mostDrawn }, (_, row) => [...data.subarray(row * T, (row + 1) * T)]);
  const withPath = prompts.find(prompt => {
    const graph = graphs.read(prompt);
    return graph && hasPath(graph);
  });
  return withPath ?? prompts[0] ?? [];
}

function hasPath(graph: PosedGraph): boolean {
  return distancesFrom1(graph)[graph.target] !== undefined;
}

/** @throws UserError for a prompt that poses no graph. */
function posedBy(task: Task, graphs: GraphReading, prompt: readonly number[]): Posed {
  const [graph, [truth] = []] = [graphs.read(prompt), task.answers(prompt)];
  if (!graph || truth === undefined) throw new UserError(`The prompt ${wordsOf(task, prompt)} poses no graph with a right answer; give other edges, or another target.`);
  return { prompt, graph, truth };
}

/** @throws UserError for a text that is no graph, or one that the task cannot pose. */
function promptOf(graphs: GraphReading, text: string, target: number): readonly number[] {
  const edges = parseGraph(text);
  return graphs.write({ vertices: Math.max(target, ...edges.flat()), edges, target });
}

function lastHeads({ n_layers, n_heads }: ModelConfig): readonly Head[] {
  return Array.from({ length: n_heads }, (_, head) => ({ layer: n_layers - 1, head }));
}

/** The mean `[T, T]` of some heads' patterns, which are `[1, H, T, T]` of each layer. */
function meanPattern(patterns: readonly HostTensor<'float32'>[], heads: readonly Head[]): Float64Array {
  const [, , T = 0] = patterns[0]?.shape ?? [];
  const sum = new Float64Array(T * T);
  for (const { layer, head } of heads) {
    const pattern = patterns[layer]?.data.subarray(head * T * T, (head + 1) * T * T);
    pattern?.forEach((weight, at) => (sum[at] = (sum[at] ?? 0) + weight / heads.length));
  }
  return sum;
}

interface Places {
  /** Undefined for a position that holds nothing. */
  placeOf(position: number): NetworkPlace | undefined;
  /** Nodes of the positions that are no part of the graph, as an answer token is none. */
  readonly others: readonly NetworkNode[];
}

/** Where the positions of a prompt are in the figure of its graph. */
function placesOf(task: Task, { prompt, graph }: Posed): Places {
  const graphs = graphsOf(task);
  const names = positionNames(task);
  const places = prompt.map((token, position): NetworkPlace | undefined => {
    const place = graphs.placeOf(position, graph);
    if (place) return 'edge' in place ? { link: place.edge } : { node: String(place.vertex) };
    return token === task.padding ? undefined : { node: names[position] ?? '' };
  });
  const others = [...prompt.keys()].filter(position => places[position] && !graphs.placeOf(position, graph));
  return {
    placeOf: position => places[position],
    // In the corner, which the circle of vertices leaves free.
    others: others.map((position, at) => ({ id: names[position] ?? '', label: names[position] ?? '', x: 0, y: 0.1 * at })),
  };
}

function answerTable(task: Task, { prompt, graph, truth }: Posed, prediction: number): TableFigure {
  return {
    kind: 'table', title: 'Answer', caption: 'The prompt can be given to other analyses, and the edges to this one.', scalar: 'prediction',
    columns: [{ title: 'What', numeric: false }, { title: 'Value', numeric: false }],
    rows: [['Right answer', hasPath(graph) ? truth : `${truth} (no path)`], ['Prediction', prediction], ['Error', prediction - truth], ['Edges', formatGraph(graph.edges)], ['Prompt', wordsOf(task, prompt)]],
  };
}

function wordsOf({ vocabulary }: Task, prompt: readonly number[]): string {
  return prompt.map(token => vocabulary[token] ?? '').join(' ');
}
