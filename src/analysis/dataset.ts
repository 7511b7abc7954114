import type { Random } from '../common/random';
import type { BarsFigure, HeatmapFigure } from '../protocol/figure';
import type { GraphReading, PosedGraph } from '../tasks/graphs';
import { distancesFrom1 } from '../tasks/paths';
import type { Examples, Task } from '../tasks/task';
import { answerAxis, mean } from './attribution/logitContrast';
import { defineAnalysis, knownScalars } from './define';
import { examplesText, stream } from './examples';
import { graphFigure, graphTitle } from './graphFigure';

// B examples · T positions · A answers an example

/** What a model's task is like: how frequent its answers are, and what its examples look like. */
export const dataset = defineAnalysis({
  id: 'dataset',
  title: 'Dataset',
  description: 'How frequent the right answers of the task are; for a task about graphs also how that differs with their size, and some of them with the shortest path marked.',
  group: 'Training',
  atCheckpoint: false,
  params: {
    examples: { kind: 'integer', title: 'Examples', description: 'Examples that are counted, where the task draws them afresh; of a task with fixed sets, all of them are.', default: 10_000, minimum: 1, maximum: 200_000 },
    graphs: { kind: 'integer', title: 'Graphs', description: 'Graphs that are drawn, where the task is about graphs.', default: 6, minimum: 0, maximum: 24 },
    sample: { kind: 'integer', title: 'Sample', description: 'Another number draws other examples.', default: 0, minimum: 0, maximum: 1_000_000 },
  },
  scalars: {
    commonestShare: 'share of the answers that are the most frequent one',
    differentAnswers: 'number of different answers among the examples',
    meanAnswer: 'mean of the right answers, where they are numbers',
    noPathShare: 'share of the graphs without a path to the target',
  },
  needsAnswers: true,
  appliesTo: () => true,
  python: () => ({ reason: 'it is of the examples of the task, which no model has a part in' }),
  run({ details: { experiment }, task, random }, { examples, graphs: drawnGraphs, sample }) {
    const { graphs } = task;
    const sets = setsOf(task, experiment.seed, stream(random, sample), examples);
    const all = sets.flatMap(({ labels }) => [...labels.data]);
    const axis = axisOf(task, all);
    const posed = graphs ? sets.flatMap(set => graphsOf(graphs, set)) : [];
    const counts = countsOf(axis, all);
    return {
      figures: [
        answerBars(axis, sets, posed),
        ...(task.answerPositions.length > 1 ? [answersHeatmap(task, axis, all)] : []),
        ...(posed.length > 0 ? [sizesHeatmap(axis, posed)] : []),
        ...posed.slice(0, drawnGraphs).map(({ graph }) => graphFigure(graph, { title: graphTitle(graph) })),
      ],
      scalars: knownScalars({
        commonestShare: Math.max(...counts) / all.length,
        differentAnswers: counts.filter(count => count > 0).length,
        meanAnswer: task.answersAre === 'numbers' ? mean(all) : undefined,
        noPathShare: posed.length > 0 ? posed.filter(({ hasPath }) => !hasPath).length / posed.length : undefined,
      }),
    };
  },
});

interface NamedSet extends Examples {
  readonly name: string;
}

/** What the one set of a task without fixed ones is called. */
const allExamples = 'examples';

function setsOf(task: Task, seed: number, random: Random, examples: number): readonly NamedSet[] {
  const split = task.split?.(seed);
  if (!split) return [{ name: allExamples, ...(task.allExamples ?? task.sample(random, examples)) }];
  return [{ name: 'training', ...split.train }, { name: 'test', ...split.test }];
}

/** The answers that there can be, as categories. */
interface AnswerCategories {
  /** What stands in the labels for each of them, ascending by one. */
  readonly values: readonly number[];
  readonly names: readonly string[];
}

/** The words of the task; of numbers those from the least to the largest. */
function axisOf({ answersAre, outputs }: Task, labels: readonly number[]): AnswerCategories {
  if (answersAre !== 'numbers') return { values: [...outputs.keys()], names: outputs };
  const [least, most] = labels.reduce(([low, high], label) => [Math.min(low, label), Math.max(high, label)], [Infinity, -Infinity]);
  const values = Array.from({ length: most - least + 1 }, (_, index) => least + index);
  return { values, names: values.map(String) };
}

function countsOf({ values: [least = 0, ...others] }: AnswerCategories, labels: readonly number[]): readonly number[] {
  const counts = [0, ...others.map(() => 0)];
  for (const label of labels) counts[label - least] = (counts[label - least] ?? 0) + 1;
  return counts;
}

interface PosedExample {
  readonly graph: PosedGraph;
  readonly label: number;
  readonly hasPath: boolean;
}

function graphsOf(graphs: GraphReading, { tokens: { shape: [, T = 0], data }, labels: { shape: [B = 0, A = 1], data: labels } }: Examples): readonly PosedExample[] {
  return Array.from({ length: B }, (_, row) => graphs.read([...data.subarray(row * T, (row + 1) * T)])).flatMap((graph, row) =>
    (graph ? [{ graph, label: labels[row * A] ?? 0, hasPath: distancesFrom1(graph)[graph.target] !== undefined }] : []));
}

function answerBars(categories: AnswerCategories, sets: readonly NamedSet[], posed: readonly PosedExample[]): BarsFigure {
  const shares = (labels: readonly number[], of: number) => Float64Array.from(countsOf(categories, labels), count => count / of);
  const drawn = sets.map(({ name, labels: { data } }) => ({ name, values: shares([...data], data.length) }));
  const without = posed.filter(({ hasPath }) => !hasPath).map(({ label }) => label);
  const counted = sets.map(({ name, tokens: { shape: [B = 0] } }) => examplesText(B, name === allExamples ? undefined : name)).join(' and ');
  return {
    kind: 'bars', title: 'Answers', scalar: 'commonestShare',
    caption: `How frequent each right answer is, over ${counted}.${posed.length > 0 ? ' A graph without a path has an answer too, which is no distance.' : ''}`,
    x: { title: 'Right answer', labels: categories.names }, y: { title: 'Share of the answers' },
    series: [...drawn, ...(posed.length > 0 ? [{ name: 'of these, without a path', values: shares(without, posed.length) }] : [])],
  };
}

/** Of several answers, how frequent each is where it is read. */
function answersHeatmap(task: Task, categories: AnswerCategories, labels: readonly number[]): HeatmapFigure {
  const A = task.answerPositions.length;
  const rows = task.answerPositions.map((_, answer) => labels.filter((__, at) => at % A === answer));
  return sharesHeatmap(categories, rows, {
    title: 'Answers by position', caption: 'How frequent each right answer is where it is read; a row sums to 1.',
    y: answerAxis(task, [...task.answerPositions.keys()]),
  });
}

function sizesHeatmap(categories: AnswerCategories, posed: readonly PosedExample[]): HeatmapFigure {
  const sizes = [...new Set(posed.map(({ graph: { vertices } }) => vertices))].sort((one, other) => one - other);
  const rows = sizes.map(size => posed.filter(({ graph: { vertices } }) => vertices === size).map(({ label }) => label));
  return sharesHeatmap(categories, rows, {
    title: 'Answers by size', caption: 'How frequent each right answer is among the graphs of a size; a row sums to 1.',
    y: { title: 'Vertices', labels: sizes.map(String) },
  });
}

function sharesHeatmap(categories: AnswerCategories, rows: readonly (readonly number[])[], told: Pick<HeatmapFigure, 'title' | 'caption' | 'y'>): HeatmapFigure {
  return {
    kind: 'heatmap', ...told, x: { title: 'Right answer', labels: categories.names }, rows: rows.length, columns: categories.values.length,
    values: Float32Array.from(rows.flatMap(labels => countsOf(categories, labels).map(count => count / labels.length))),
    scale: 'sequential', unit: 'share',
  };
}
