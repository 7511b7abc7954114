import { throwIfCancelled, UserError } from '../common/errors';
import type { RunnableModel } from '../model/runnable';
import type { BarsFigure, TableFigure } from '../protocol/figure';
import type { TestSet } from '../tasks/task';
import { measuresOf } from './answerMeasures';
import type { AnswerScores } from './attribution/answerScores';
import { defineAnalysis, knownScalars, type AnalysisContext } from './define';
import { examplesText, stream } from './examples';
import { scoresOn } from './numberAnswers';
import { taskOf } from './numberInputs';

/** How well a model does on other distributions than its own, beside what was published and what it started from. */
export const generalization = defineAnalysis({
  id: 'generalization',
  title: 'Generalization',
  description: 'Loss and accuracy on every other distribution of the task, of this model and of the one that it was fine-tuned from, beside the published losses.',
  group: 'Training',
  params: {
    examples: { kind: 'integer', title: 'Examples', description: 'Examples that are drawn of each distribution.', default: 4096, minimum: 1, maximum: 65_536 },
    sample: { kind: 'integer', title: 'Sample', description: 'Another number draws other examples.', default: 0, minimum: 0, maximum: 1_000_000 },
  },
  scalars: {
    preTraining: 'loss on what a model is pre-trained on',
    fineTuning: 'loss on what a model is fine-tuned on',
    onPathSmallTarget: 'loss on small targets on the shortest path in all graphs',
    onPathTarget: 'loss on any target on the shortest path in all graphs',
    anyTargetSmallGraphs: 'loss on any target in small graphs',
    anySmallTarget: 'loss on any small target in all graphs',
    anyTarget: 'loss on any target in all graphs',
    fineTuningBefore: 'loss on what a model is fine-tuned on of the model that this one was fine-tuned from, where there is one',
    anyOverOnPath: 'loss on any target over that on targets on the shortest path, in all graphs',
  },
  needs: 'a task with other distributions to be tested on, as shortest paths are',
  appliesTo: details => (taskOf(details)?.otherSets?.length ?? 0) > 0,
  python: () => ({ reason: 'it is of models that read pairs of tokens and padding, which TransformerLens does not have' }),
  async run(context, { examples, sample }) {
    const { task, model, signal, progress } = context;
    const { base, missing } = await baseOf(context);
    const random = stream(context.random, sample);
    const { otherSets = [] } = task;
    const measured: Measured[] = [];
    for (const set of otherSets) {
      throwIfCancelled(signal);
      const drawn = set.sample(random, examples);
      const own = await scoresOn({ task, model, signal }, drawn);
      measured.push({ set, own, ...(base && { before: await scoresOn({ task, model: base, signal }, drawn) }) });
      progress(measured.length / otherSets.length);
    }
    const losses = new Map(measured.map(({ set, own }) => [camelCase(set.id), own.loss]));
    const before = measured.find(({ set }) => set.id === 'fine-tuning')?.before?.loss;
    const [any, onPath] = [losses.get('anyTarget'), losses.get('onPathTarget')];
    return {
      figures: [lossBars(measured, measuresOf(task).loss), lossTable(measured, examples, missing)],
      scalars: knownScalars({
        ...Object.fromEntries(losses),
        fineTuningBefore: before,
        anyOverOnPath: any !== undefined && onPath !== undefined && onPath > 0 ? any / onPath : undefined,
      }),
    };
  },
});

/** The model that this one was fine-tuned from, or why it cannot be read: what the model itself does can be told without it. */
async function baseOf(context: AnalysisContext): Promise<{ readonly base?: RunnableModel | undefined; readonly missing?: string }> {
  try {
    return { base: await context.base() };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { missing: error.message };
  }
}

interface Measured {
  readonly set: TestSet;
  readonly own: AnswerScores;
  /** Of the model that this one was fine-tuned from. */
  readonly before?: AnswerScores;
}

/** `on-path-target` as `onPathTarget`. */
function camelCase(id: string): string {
  return id.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function lossBars(measured: readonly Measured[], loss: string): BarsFigure {
  const before = measured.flatMap(each => each.before ?? []);
  return {
    kind: 'bars', title: 'Loss by distribution', caption: `${loss} on each distribution${before.length > 0 ? ', of both models on the same examples' : ''}.`,
    x: { title: 'Distribution', labels: measured.map(({ set }) => set.short) },
    y: { title: loss, logarithmic: true },
    series: [
      { name: 'this model', values: Float64Array.from(measured, ({ own }) => own.loss) },
      ...(before.length > 0 ? [{ name: 'before fine-tuning', values: Float64Array.from(before, ({ loss }) => loss) }] : []),
    ],
  };
}

function lossTable(measured: readonly Measured[], examples: number, missing: string | undefined): TableFigure {
  const hasBefore = measured.some(({ before }) => before !== undefined);
  const [word, number] = [{ numeric: false }, { numeric: true }];
  return {
    kind: 'table', title: 'Generalization', scalar: 'anyOverOnPath',
    caption: [
      `Over ${examplesText(examples)} of each distribution. The published losses are of the study's own model, before and after it was fine-tuned.`,
      ...(hasBefore ? ['Before: the model that this one was fine-tuned from.'] : []),
      ...(missing === undefined ? [] : [`The model before fine-tuning is left out: ${missing}`]),
    ].join(' '),
    columns: [
      { title: 'Distribution', ...word }, { title: 'Loss', ...number }, { title: 'Accuracy', ...number },
      ...(hasBefore ? [{ title: 'Loss before', ...number }, { title: 'Accuracy before', ...number }] : []),
      { title: 'Published before', ...number }, { title: 'Published', ...number }, { title: 'Asked for', ...word },
    ],
    rows: measured.map(({ set: { title, description, published }, own, before }) => [
      title, own.loss, own.accuracy,
      ...(hasBefore ? [before?.loss ?? '', before?.accuracy ?? ''] : []),
      published?.before ?? '', published?.after ?? '', description,
    ]),
  };
}
