import { throwIfCancelled, UserError } from '../common/errors';
import type { LinesFigure } from '../protocol/figure';
import { answerAxis } from './attribution/logitContrast';
import { defineAnalysis, type AnalysisContext } from './define';
import { exampleParameters, stream } from './examples';
import { canForceAttention, copiedValues, forcedAttentionNeeds, forcedPrompts, rightWithForced, type CopiedValue, type ForcedPrompts } from './forcedAttention';
import { allHeads, componentName } from './heads';
import { ovRobustnessLines } from './python/ovRobustness';

// A answers an example · V values

/**
 * What the OV circuit makes of the right attention, and how much wrong attention it bears: the pattern is given, and all that
 * comes behind it (values, W_O, MLP, unembedding) is the model's own.
 */
export const ovRobustness = defineAnalysis({
  id: 'ov-robustness',
  title: 'OV robustness',
  description: 'Accuracy with every head\'s attention fixed on one input, which is then to be the answer, and with a growing share of it on another.',
  group: 'Interventions',
  params: {
    from: { kind: 'integer', title: 'Values from', description: 'Smaller values are neither counted nor mixed in; the accuracy by value has them all.', default: 0, minimum: 0, maximum: 1_000_000 },
    others: { kind: 'integer', title: 'Other values', description: 'How many other values, drawn at random, are mixed with each; all where there are no more.', default: 20, minimum: 1, maximum: 1000 },
    sample: exampleParameters.sample,
  },
  scalars: {
    copied: 'fraction of the answers that are the value which has all attention',
    atTwenty: 'the same with 20 % of the attention on another value',
    tolerance: 'largest share of the attention on another value up to which that fraction stays at 0.95 or above; 0 where it is below from the start',
  },
  needs: forcedAttentionNeeds,
  appliesTo: canForceAttention,
  python: ovRobustnessLines,
  async run(context, { from, others, sample }) {
    const { task, random } = context;
    const values = copiedValues(task);
    const counted = values.filter(({ value }) => value >= from);
    if (counted.length < 2) throw new UserError(`Of the inputs' values ${counted.length} ${counted.length === 1 ? 'is' : 'are'} ${from} or larger, and two are needed to mix; choose a smaller "from".`);
    const n = Math.min(others, counted.length - 1);
    const prompts = forcedPrompts(context, stream(random, sample), values, counted, n);
    const groups = groupsOf(context);
    const measured = await measureAll(context, prompts, groups);
    const large = values.length - counted.length; // the first that is counted
    const lines = measured.map(steps => steps.map(answers => fractionRight(answers.map(right => right.subarray(large)), n)));
    const [all = [], [line = []]] = [measured[0], lines];
    const below = line.findIndex(accuracy => accuracy < enough);
    const which = from > 0 ? ` of values from ${from} on` : '';
    return {
      figures: [
        sharesFigure(`Accuracy${which} as another value is mixed in`, groups.map(({ name }) => name), lines),
        valuesFigure(values, all, n, from),
        ...(task.answerPositions.length > 1 ? [answersFigure(context, `Accuracy${which} of each answer as another value is mixed in`, all, large, n)] : []),
      ],
      scalars: { copied: line[0] ?? 0, atTwenty: line[twenty] ?? 0, tolerance: below < 0 ? 1 : shares[Math.max(0, below - 1)] ?? 0 },
    };
  },
});

/** Shares of the attention that go to the other value. */
const shares: readonly number[] = Array.from({ length: 21 }, (_, step) => step / 20);
const twenty = shares.indexOf(0.2);
/** What counts as copied. */
const enough = 0.95;

/** Heads that look at the other value, while the rest look at the first alone. */
interface HeadGroup {
  readonly name: string;
  readonly heads: readonly number[];
}

/** With more heads than these, each alone is hardly seen. */
const mostAlone = 16;

/** All heads, and each alone. */
function groupsOf({ details: { config } }: AnalysisContext): readonly HeadGroup[] {
  const heads = allHeads(config);
  const alone = heads.length > 1 && heads.length <= mostAlone ? heads : [];
  return [{ name: 'every head', heads: heads.map(({ head }) => head) }, ...alone.map(head => ({ name: `${componentName(head)} alone`, heads: [head.head] }))];
}

/** How many answers are right: by group, by share, by answer, by value. */
async function measureAll(context: AnalysisContext, prompts: readonly ForcedPrompts[], groups: readonly HeadGroup[]): Promise<readonly (readonly (readonly Int32Array[])[])[]> {
  const { model: { config }, signal, progress } = context;
  const measured: Int32Array[][][] = [];
  for (const { heads } of groups) {
    const steps: Int32Array[][] = [];
    for (const share of shares) {
      throwIfCancelled(signal);
      const ofHeads = Array.from({ length: config.n_heads }, (_, head) => (heads.includes(head) ? share : 0));
      const answers: Int32Array[] = [];
      for (const each of prompts) answers.push(await rightWithForced(context, each, ofHeads));
      steps.push(answers);
      progress((measured.length + steps.length / shares.length) / groups.length);
    }
    measured.push(steps);
  }
  return measured;
}

/** Of `n` prompts for each value and answer; in whole numbers, so that 95 of 100 are 0.95. */
function fractionRight(answers: readonly Int32Array[], n: number): number {
  const [right, values] = [answers.flatMap(each => [...each]).reduce((sum, count) => sum + count, 0), answers.reduce((sum, each) => sum + each.length, 0)];
  return right / (values * n);
}

const shareAxis = { title: 'Share of the attention on another value' };
const accuracyAxis = { title: 'Fraction right' };

function sharesFigure(title: string, names: readonly string[], lines: readonly (readonly number[])[]): LinesFigure {
  return {
    kind: 'lines', title, scalar: 'tolerance',
    caption: `The rest of the attention is on the value that is to be the answer.${names.length > 1 ? ' Where one head alone mixes, the others look at that value only.' : ''}`,
    x: shareAxis, y: accuracyAxis,
    series: names.map((name, at) => ({ name, x: Float64Array.from(shares), y: Float64Array.from(lines[at] ?? []) })),
  };
}

function valuesFigure(values: readonly CopiedValue[], steps: readonly (readonly Int32Array[])[], n: number, from: number): LinesFigure {
  const series = (name: string, step: number) => ({
    name, x: Float64Array.from(values, ({ value }) => value),
    y: Float64Array.from(values, (_, at) => fractionRight((steps[step] ?? []).map(right => right.subarray(at, at + 1)), n)),
  });
  return {
    kind: 'lines', title: 'Accuracy of each value with attention on it', scalar: 'copied',
    caption: `Every head looks at an input that holds the value; ${n} prompts a value${steps[0] && steps[0].length > 1 ? ' and answer' : ''}.`,
    x: { title: 'Value' }, y: accuracyAxis,
    series: [series('all attention on it', 0), series('20 % on another value', twenty)],
    ...(from > 0 && { marks: [{ x: from, label: 'counted from here on' }] }),
  };
}

function answersFigure({ task }: AnalysisContext, title: string, steps: readonly (readonly Int32Array[])[], large: number, n: number): LinesFigure {
  const { labels } = answerAxis(task, task.answerPositions.map((_, answer) => answer));
  return {
    kind: 'lines', title, scalar: 'tolerance', caption: 'Mixed in by every head; a line for each position at which an answer is read.', x: shareAxis, y: accuracyAxis,
    series: labels.map((name, answer) => ({
      name, x: Float64Array.from(shares), y: Float64Array.from(steps, answers => fractionRight(answers.slice(answer, answer + 1).map(right => right.subarray(large)), n)),
    })),
  };
}
