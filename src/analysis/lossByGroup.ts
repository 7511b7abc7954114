import { rowsOf } from '../common/tensor';
import type { LinesFigure, TableFigure } from '../protocol/figure';
import type { ModelDetails } from '../protocol/model';
import { alongTraining, checkpointsOf, type Measurements } from './alongTraining';
import { groupedExamples, type GroupedExamples } from './answerGroups';
import { answerScores } from './attribution/answerScores';
import { mean } from './attribution/logitContrast';
import { defineAnalysis, knownScalars } from './define';
import { stream } from './examples';
import { answersInNumbers, answersTo, numberAnswerNeeds } from './numberAnswers';
import { setLines, setLosses } from './python/numbers';
import { learnedLoss, suddenDrop, type SuddenDrop } from './suddenDrop';

/** When a model learned what: the loss for each path length, or other right number, through training. */
export const lossByGroup = defineAnalysis({
  id: 'loss-by-group',
  title: 'Loss by group',
  description: 'The loss for each length of the shortest path, or each right number, at every checkpoint, and when it dropped suddenly.',
  group: 'Training',
  live: true,
  atCheckpoint: false,
  params: {
    examples: { kind: 'integer', title: 'Examples', description: 'Examples of each group at most, the same at every checkpoint; a group of which fewer than 16 are found is left out.', default: 256, minimum: 1, maximum: 4096 },
    sample: { kind: 'integer', title: 'Sample', description: 'Another number draws other examples.', default: 0, minimum: 0, maximum: 1_000_000 },
  },
  scalars: {
    groups: 'number of groups',
    learned: 'number of groups that were learned for good: whose loss is below 0.25 at the end, where most answers round to the right one',
    orderedShare: 'share of the pairs of path lengths (or right numbers) that were learned, the shorter one before the other; pairs learned at the same checkpoint count half',
    phases: 'number of groups whose loss dropped suddenly',
    firstPhase: 'step of the earliest of these drops',
    lastPhase: 'step of the latest of them',
    lastLoss: 'loss at the last checkpoint, mean over the groups',
  },
  needs: numberAnswerNeeds,
  appliesTo: answersInNumbers,
  python({ task, random, figure, details: { checkpoints } }, { examples, sample }) {
    if (figure.kind !== 'lines') return { reason: 'it compares the model with itself at its other checkpoints, and this is one HookedTransformer' };
    const { tokens, labels, groups } = groupedExamples(task, stream(random, sample), examples);
    return [
      ...(checkpoints.length > 1 ? ['# The figure has this of every checkpoint, and this is one of them.'] : []),
      ...setLines(task, groups.map(({ name, from, to }) => ({ name, tokens: rowsOf(tokens, from, to), labels: rowsOf(labels, from, to) }))),
      `figure = ${setLosses}`,
    ];
  },
  async run(context, { examples, sample }) {
    const { task, signal } = context;
    checkpointsOf(context);
    const grouped = groupedExamples(task, stream(context.random, sample), examples);
    const { tokens, labels, groups, guess } = grouped;
    const { measures, leftOut, last } = await alongTraining(context, async (model, step) => {
      const predictions = await answersTo({ model, task, signal }, tokens); // [B, A, 1]
      return { step, losses: groups.map(({ from, to }) => answerScores(rowsOf(predictions, from, to), rowsOf(labels, from, to), task).loss) };
    }, drawn => ({ figures: [lossLines(grouped, drawn, [])], scalars: {} }));
    const isUntrained = startsUntrained(context.details);
    const outcomes = groups.map(({ name, size, from, to }, index): GroupOutcome => {
      const untrained = mean([...rowsOf(labels, from, to).data].map(label => (label - guess.answer) ** 2));
      const curve = measures.map(({ step, losses }) => ({ step, loss: losses[index] ?? Number.NaN }));
      const drop = suddenDrop(isUntrained ? [{ step: 0, loss: untrained }, ...curve] : curve, guess.loss);
      return { name, size, examples: to - from, drop, learned: learnedAt(curve), last: last.losses[index] ?? 0 };
    });
    const steps = outcomes.flatMap(({ drop }) => drop?.step ?? []);
    return {
      figures: [lossLines(grouped, { measures, leftOut }, outcomes), outcomeTable(outcomes)],
      scalars: knownScalars({
        groups: groups.length,
        learned: outcomes.filter(({ learned }) => learned !== undefined).length,
        phases: steps.length,
        ...(steps.length > 0 && { firstPhase: Math.min(...steps), lastPhase: Math.max(...steps) }),
        orderedShare: orderedShare(outcomes),
        lastLoss: mean(last.losses),
      }),
    };
  },
});

/** Whether it is known without a checkpoint that the model could do no more than guess at the beginning. */
function startsUntrained({ experiment: { from }, config: { init_mode }, checkpoints }: ModelDetails): boolean {
  return from === undefined && init_mode === 'gpt2' && checkpoints[0] !== 0;
}

interface LossesAt {
  readonly step: number;
  /** One a group. */
  readonly losses: readonly number[];
}

interface GroupOutcome {
  readonly name: string;
  readonly size: number | undefined;
  readonly examples: number;
  readonly drop: SuddenDrop | undefined;
  /** The checkpoint from which on it is known for good. */
  readonly learned: number | undefined;
  /** The loss at the last checkpoint. */
  readonly last: number;
}

/** The first checkpoint from which on the loss stays below 0.25: a middling length has a low loss for a while when all that is known is the mean. */
function learnedAt(curve: readonly { readonly step: number; readonly loss: number }[]): number | undefined {
  return curve[curve.findLastIndex(({ loss }) => !(loss < learnedLoss)) + 1]?.step;
}

/** The share of the pairs of different sizes in which the smaller is learned first, a pair learned at once counting half; undefined where there is no pair. */
export function orderedShare(outcomes: readonly Pick<GroupOutcome, 'size' | 'learned'>[]): number | undefined {
  const shares = outcomes.flatMap(one => outcomes.flatMap(other => {
    if (one.size === undefined || other.size === undefined || one.size >= other.size) return [];
    if (one.learned === undefined || other.learned === undefined) return [];
    return [one.learned < other.learned ? 1 : one.learned === other.learned ? 0.5 : 0];
  }));
  return shares.length > 0 ? mean(shares) : undefined;
}

/** A logarithmic axis has no place for a loss of 0, nor for a group that never had another. */
function lossLines({ groups, guess, tooFew }: GroupedExamples, { measures, leftOut }: Measurements<LossesAt>, outcomes: readonly GroupOutcome[]): LinesFigure {
  const curves = groups.map(({ name }, index) => ({ name, points: measures.map(({ step, losses }) => ({ step, loss: losses[index] ?? 0 })).filter(({ loss }) => loss > 0) }));
  const withoutLoss = curves.filter(({ points }) => points.length === 0).map(({ name }) => name);
  return {
    kind: 'lines', title: 'Loss by group', scalar: 'orderedShare',
    caption: [
      `Mean squared error over the same examples at every checkpoint; to guess the mean answer every time has ${guess.loss.toPrecision(3)}. Marks show where a group's loss drops suddenly, after each curve was smoothed by its running median over five checkpoints.`,
      ...(withoutLoss.length === 0 ? [] : [`A loss of 0, which has no place on this axis: ${withoutLoss.join(', ')}.`]),
      ...(tooFew.length === 0 ? [] : [`Too few examples were found of ${tooFew.join(', ')}.`]),
      ...leftOut,
    ].join(' '),
    x: { title: 'Step' }, y: { title: 'Loss', logarithmic: true },
    series: curves.filter(({ points }) => points.length > 0)
      .map(({ name, points }) => ({ name, x: Float64Array.from(points, ({ step }) => step), y: Float64Array.from(points, ({ loss }) => loss) })),
    marks: outcomes.flatMap(({ name, drop }) => (drop ? [{ x: drop.step, label: name }] : [])),
  };
}

function outcomeTable(outcomes: readonly GroupOutcome[]): TableFigure {
  return {
    kind: 'table', title: 'When each group was learned', scalar: 'phases',
    caption: 'Learned: from this step on the loss stays below 0.25, where answers begin to round to the right one. A sudden drop is the largest fall, of the running median over five checkpoints, to a quarter or less, and from above to below 0.25, within a tenth of the training, after a plateau and for good. An untrained model counts as one that guesses the mean.',
    columns: [
      { title: 'Group', numeric: false },
      ...['Examples', 'Learned at step', 'Sudden drop at step', 'Loss before it', 'Loss after it', 'Loss at the end'].map(title => ({ title, numeric: true })),
    ],
    rows: outcomes.map(({ name, examples, learned, drop, last }) => [name, examples, learned ?? '', drop?.step ?? '', drop?.before ?? '', drop?.after ?? '', last]),
  };
}
