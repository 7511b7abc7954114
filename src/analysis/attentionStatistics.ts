import { throwIfCancelled } from '../common/errors';
import type { HostTensor } from '../common/tensor';
import { allowedAttention } from '../model/mask';
import type { AttentionFigure, BarsFigure, HeatmapFigure, TableFigure } from '../protocol/figure';
import type { Task } from '../tasks/task';
import { positionNames } from '../tasks/words';
import { testExamples } from '../training/evaluate';
import { measuresOf } from './answerMeasures';
import { answerScores, type AnswerScores } from './attribution/answerScores';
import { answerAxis } from './attribution/logitContrast';
import { defineAnalysis, type AnalysisContext } from './define';
import { allHeads, componentName, headOf, type Head } from './heads';
import { ablatedRuns } from './patching/ablatedRuns';
import { everyPattern } from './patterns';
import { statisticsLines } from './python/patterns';

// B examples · T positions · N heads of all layers

/** Whether attention depends on what the tokens are, or only on where they stand. */
export const attentionStatistics = defineAnalysis({
  id: 'attention-statistics',
  title: 'Attention statistics',
  description: 'The mean and the spread of every head\'s pattern over all test examples, whether it is the same in all of them, and what the model can do with the means alone.',
  group: 'Attention',
  params: {
    head: { kind: 'head', title: 'Head', description: 'The head whose spread is drawn; empty for the one that varies most.', default: '', otherwise: 'Most varying' },
  },
  scalars: {
    identicalHeads: 'heads whose pattern is the same in all test examples, to a relative 1e-5 and an absolute 1e-8',
    spread: 'largest standard deviation of a weight over the test examples, of any head',
    accuracy: 'fraction of the answers to the test examples that are right',
    accuracyWithMeans: 'the same with every head\'s pattern replaced by its mean over the test examples',
  },
  needsAnswers: true,
  appliesTo: () => true,
  python({ details: { experiment }, task, figure: { subject }, index }) {
    return statisticsLines(task, testExamples(experiment, task), index, { layer: subject?.layer ?? 0, head: subject?.head ?? 0 });
  },
  async run(context, { head }) {
    const { details: { config, experiment }, task } = context;
    const { tokens, labels } = testExamples(experiment, task);
    const heads = allHeads(config);
    const chosen = head === '' ? undefined : headOf(config, head);
    const statistics = await statisticsOf({ ...context, progress: fraction => context.progress(fraction / 2) }, tokens);
    const { whole, without } = await ablatedRuns(context, tokens, 'mean pattern');
    context.progress(0.75);
    throwIfCancelled(context.signal);
    const [real, means] = [answerScores(whole, labels, task), answerScores(await without(heads), labels, task)];
    const spreads = statistics.map(({ deviations }) => Math.max(...deviations));
    const drawn = chosen ?? heads[spreads.indexOf(Math.max(...spreads))] ?? { layer: 0, head: 0 };
    const title = `over ${(tokens.shape[0] ?? 0).toLocaleString('en')} test examples`;
    return {
      figures: [
        meanFigure(context, heads, statistics, title),
        spreadFigure(task, heads, statistics, title),
        headFigure(context, drawn, statistics[drawn.layer * config.n_heads + drawn.head], title),
        accuracyFigure(task, real, means, title),
        headTable(heads, statistics, title),
      ],
      scalars: {
        identicalHeads: statistics.filter(({ identical }) => identical).length, spread: Math.max(...spreads),
        accuracy: real.accuracy, accuracyWithMeans: means.accuracy,
      },
    };
  },
});

/** What a head's patterns come to over the examples. */
interface HeadStatistics {
  /** `[T, T]` */
  readonly mean: Float32Array;
  /** Standard deviations `[T, T]`, of the examples themselves: divided by their number. */
  readonly deviations: Float32Array;
  readonly identical: boolean;
}

/** As `torch.allclose` has them. */
const [relative, absolute] = [1e-5, 1e-8];

/** The statistics of every head, layer by layer. Sums are of what differs from the first example, so that nothing cancels. */
async function statisticsOf(context: AnalysisContext, tokens: HostTensor<'int32'>): Promise<readonly HeadStatistics[]> {
  const { n_heads: H } = context.details.config;
  const [B = 0, T = 0] = tokens.shape;
  const sums = allHeads(context.details.config).map(() => ({
    first: new Float32Array(), identical: true, differences: new Float64Array(T * T), squares: new Float64Array(T * T),
  }));
  await everyPattern(context, tokens, (pattern, layer, head, example) => {
    const sum = sums[layer * H + head];
    if (!sum) throw new Error(`there is no head ${layer}.${head}`);
    if (example === 0) sum.first = pattern.slice();
    const { first, differences, squares } = sum;
    pattern.forEach((weight, at) => {
      const reference = first[at] ?? 0;
      const difference = weight - reference;
      differences[at] = (differences[at] ?? 0) + difference;
      squares[at] = (squares[at] ?? 0) + difference * difference;
      if (Math.abs(difference) > absolute + relative * Math.abs(reference)) sum.identical = false;
    });
  });
  return sums.map(({ first, identical, differences, squares }) => ({
    identical,
    mean: first.map((weight, at) => weight + (differences[at] ?? 0) / B),
    deviations: Float32Array.from(squares, (square, at) => Math.sqrt(Math.max(0, square / B - ((differences[at] ?? 0) / B) ** 2))),
  }));
}

function meanFigure({ details: { config }, task }: AnalysisContext, heads: readonly Head[], statistics: readonly HeadStatistics[], title: string): AttentionFigure {
  return {
    kind: 'attention',
    title: `Mean attention ${title}`,
    caption: 'Each row is a destination; its mean weights on the sources sum to 1.',
    tokens: positionNames(task),
    heads: heads.map((head, at) => ({ ...head, pattern: statistics[at]?.mean ?? new Float32Array() })),
    allowed: allowedAttention(config, task.positions.length),
    scalar: 'identicalHeads',
  };
}

const axisOf = (title: string, labels: readonly string[]) => ({ title, labels, subjects: labels.map((_, position) => ({ position })) });

function spreadFigure(task: Task, heads: readonly Head[], statistics: readonly HeadStatistics[], title: string): HeatmapFigure {
  const positions = positionNames(task);
  const T = positions.length;
  return {
    kind: 'heatmap', title: `Spread of attention ${title}`, scalar: 'spread',
    caption: 'Largest standard deviation of the weights of a destination: 0 where its attention is the same in every example.',
    x: axisOf('Destination', positions), y: { title: 'Head', labels: heads.map(componentName), subjects: heads },
    rows: heads.length, columns: T,
    values: Float32Array.from(statistics.flatMap(({ deviations }) => positions.map((_, row) => Math.max(...deviations.subarray(row * T, (row + 1) * T))))),
    scale: 'sequential', unit: 'standard deviation',
  };
}

function headFigure({ details: { config }, task }: AnalysisContext, head: Head, statistics: HeadStatistics | undefined, title: string): HeatmapFigure {
  const positions = positionNames(task);
  return {
    kind: 'heatmap', title: `Spread of the attention of ${componentName(head)} ${title}`, subject: head, scalar: 'spread',
    caption: 'Standard deviation of each weight. What the mask forbids has none.',
    x: axisOf('Source', positions), y: axisOf('Destination', positions), rows: positions.length, columns: positions.length,
    values: statistics?.deviations ?? new Float32Array(), present: allowedAttention(config, positions.length),
    scale: 'sequential', unit: 'standard deviation',
  };
}

function accuracyFigure(task: Task, real: AnswerScores, means: AnswerScores, title: string): BarsFigure {
  return {
    kind: 'bars', title: `Accuracy with mean attention ${title}`, scalar: 'accuracyWithMeans',
    caption: 'Of the model as it is, and with the pattern of every head in every layer replaced by its mean, whatever the tokens are.',
    x: answerAxis(task, task.answerPositions.map((_, answer) => answer)), y: { title: measuresOf(task).right },
    series: [{ name: 'as it is', values: Float64Array.from(real.accuracies) }, { name: 'with mean patterns', values: Float64Array.from(means.accuracies) }],
  };
}

function headTable(heads: readonly Head[], statistics: readonly HeadStatistics[], title: string): TableFigure {
  return {
    kind: 'table', title: `Whether attention varies ${title}`, scalar: 'identicalHeads',
    caption: 'Patterns are the same where every weight is that of the first example, to a relative 1e-5 and an absolute 1e-8.',
    columns: [{ title: 'Head', numeric: false }, { title: 'Same in all', numeric: false }, { title: 'Largest standard deviation', numeric: true }],
    rows: heads.map((head, at) => [componentName(head), statistics[at]?.identical === true ? 'yes' : 'no', Math.max(...statistics[at]?.deviations ?? [])]),
    subjects: heads,
  };
}
