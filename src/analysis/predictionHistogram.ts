import { unknownName } from '../common/nearest';
import type { Histogram2dFigure, TableFigure } from '../protocol/figure';
import type { Task, TestSet } from '../tasks/task';
import { answerScores } from './attribution/answerScores';
import { mean } from './attribution/logitContrast';
import { defineAnalysis } from './define';
import { examplesText, stream } from './examples';
import { answersInNumbers, answersTo, numberAnswerNeeds } from './numberAnswers';
import { histogramLines, labelTableLines } from './python/numbers';

/** What a model predicts for each right number. */
export const predictionHistogram = defineAnalysis({
  id: 'prediction-histogram',
  title: 'Prediction histogram',
  description: 'How the predictions are distributed for each right number, on the task\'s own examples or on those of another distribution.',
  group: 'Training',
  params: {
    distribution: {
      kind: 'text', title: 'Distribution', default: 'own',
      description: 'Where the examples come from: own, which is the task that the model is trained on, or one of the task\'s other sets, as pre-training, fine-tuning, on-path-target or any-target of shortest paths.',
    },
    examples: { kind: 'integer', title: 'Examples', description: 'Examples that are drawn.', default: 8192, minimum: 1, maximum: 100_000 },
    sample: { kind: 'integer', title: 'Sample', description: 'Another number draws other examples.', default: 0, minimum: 0, maximum: 1_000_000 },
  },
  scalars: {
    loss: 'mean squared error',
    accuracy: 'fraction of the predictions that round to the right number',
    bias: 'mean of the predictions less the mean of the right numbers',
  },
  needs: numberAnswerNeeds,
  appliesTo: answersInNumbers,
  python({ task, random, figure }, { distribution, examples, sample }) {
    const drawn = distributionOf(task, distribution.trim()).sample(stream(random, sample), examples);
    return figure.kind === 'histogram2d' ? histogramLines(task, drawn, figure) : labelTableLines(task, drawn);
  },
  async run(context, { distribution, examples, sample }) {
    const { title, sample: draw } = distributionOf(context.task, distribution.trim());
    const { tokens, labels } = draw(stream(context.random, sample), examples);
    const predictions = await answersTo(context, tokens); // [B, A, 1]
    const { loss, accuracy } = answerScores(predictions, labels, context.task);
    const groups = byLabel(predictions.data, labels.data);
    return {
      figures: [histogram(groups, title, examples), labelTable(groups, title)],
      scalars: { loss, accuracy, bias: mean([...predictions.data]) - mean([...labels.data]) },
    };
  },
});

const ownName = 'own';

/** @throws UserError for a distribution that the task does not have, with the nearest names. */
function distributionOf(task: Task, name: string): Pick<TestSet, 'title' | 'sample'> {
  const { otherSets = [] } = task;
  if (name === ownName) return { title: 'own examples', sample: (random, count) => task.sample(random, count) };
  const set = otherSets.find(({ id }) => id === name);
  if (!set) throw unknownName('distribution', name, [ownName, ...otherSets.map(({ id }) => id)]);
  return set;
}

/** The predictions for one right number; those that lie between others are all there, also without predictions. */
interface LabelGroup {
  readonly label: number;
  readonly predictions: readonly number[];
}

function byLabel(predictions: Float32Array, labels: Int32Array): readonly LabelGroup[] {
  const [least, most] = labels.reduce(([low, high], label) => [Math.min(low, label), Math.max(high, label)] as const, [Infinity, -Infinity] as const);
  const groups = Array.from({ length: most - least + 1 }, (_, index): { label: number; predictions: number[] } => ({ label: least + index, predictions: [] }));
  labels.forEach((label, at) => groups[label - least]?.predictions.push(predictions[at] ?? Number.NaN));
  return groups;
}

/** Bins to a unit: one is centred on each whole number. */
const binsPerUnit = 4;
/** Units below the least and above the largest label that predictions have bins of their own in. */
const beyond = 2;

/** A column a label, whose bins sum to 1; what lies further out stands in the outermost bins. */
function histogram(groups: readonly LabelGroup[], title: string, examples: number): Histogram2dFigure {
  const [least, most] = [groups[0]?.label ?? 0, groups.at(-1)?.label ?? 0];
  const rows = (most - least + 2 * beyond) * binsPerUnit + 1;
  const edge = (index: number) => least - beyond + (index - 0.5) / binsPerUnit;
  const rowOf = (prediction: number) => Math.min(rows - 1, Math.max(0, Math.floor((prediction - edge(0)) * binsPerUnit)));
  const counts = new Float32Array(rows * groups.length);
  let outside = 0;
  for (const [column, { predictions }] of groups.entries()) {
    for (const prediction of predictions) {
      const at = rowOf(prediction) * groups.length + column;
      counts[at] = (counts[at] ?? 0) + 1;
      outside += Number(prediction < edge(0) || prediction >= edge(rows));
    }
  }
  const further = outside === 0 ? '' : ` ${outside.toLocaleString('en')} ${outside === 1 ? 'prediction lies' : 'predictions lie'} further out and ${outside === 1 ? 'stands' : 'stand'} in the outermost bins.`;
  return {
    kind: 'histogram2d', title: `Predictions: ${title}`, scalar: 'accuracy',
    caption: `Share of the predictions for each right number, over ${examplesText(examples)}; a column sums to 1.${further}`,
    x: { title: 'Right number' }, y: { title: 'Prediction' },
    xEdges: Float64Array.from({ length: groups.length + 1 }, (_, index) => least + index - 0.5),
    yEdges: Float64Array.from({ length: rows + 1 }, (_, index) => edge(index)),
    counts: counts.map((count, at) => count / Math.max(1, groups[at % groups.length]?.predictions.length ?? 1)),
  };
}

function labelTable(groups: readonly LabelGroup[], title: string): TableFigure {
  const rows = groups.filter(({ predictions }) => predictions.length > 0).map(({ label, predictions }) => {
    const centre = mean(predictions);
    return [label, predictions.length, mean(predictions.map(each => (each - label) ** 2)), centre, Math.sqrt(mean(predictions.map(each => (each - centre) ** 2)))];
  });
  return {
    kind: 'table', title: `Predictions by right number: ${title}`, scalar: 'loss', caption: 'The loss is the mean squared error.',
    columns: ['Right number', 'Examples', 'Loss', 'Mean prediction', 'Standard deviation'].map(each => ({ title: each, numeric: true })),
    rows,
  };
}
