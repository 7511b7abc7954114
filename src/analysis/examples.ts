import { UserError } from '../common/errors';
import { unknownName } from '../common/nearest';
import { Random } from '../common/random';
import { int32, type HostTensor } from '../common/tensor';
import type { Parameters, ValuesOf } from '../protocol/parameter';
import type { Task } from '../tasks/task';
import { positionNames } from '../tasks/words';
import type { AnalysisContext } from './define';

// B batch · T positions · A answers an example

/** The parameters by which an analysis lets people choose what the model reads. */
export const exampleParameters = {
  prompt: { kind: 'prompt', title: 'Prompt', description: 'Tokens separated by spaces. Leave it empty to use examples of the task.', default: '' },
  examples: { kind: 'integer', title: 'Examples', description: 'Examples drawn from the task and averaged; 1 shows a single one.', default: 64, minimum: 1, maximum: 4096 },
  sample: { kind: 'integer', title: 'Sample', description: 'Another number draws other examples.', default: 0, minimum: 0, maximum: 1_000_000 },
} as const satisfies Parameters;

type Wanted = ValuesOf<typeof exampleParameters>;
type Source = Pick<AnalysisContext, 'task' | 'random'>;

export interface ChosenExamples {
  /** `[B, T]` */
  readonly tokens: HostTensor<'int32'>;
  /** What to call each of the `T` positions: the word of a single prompt, the task's name of several. */
  readonly positions: readonly string[];
  /** How a title goes on: "on one prompt", or "over 64 examples". */
  readonly title: string;
}

export interface AnsweredExamples extends ChosenExamples {
  /** `[B, A]` right outputs at the task's answer positions. */
  readonly answers: HostTensor<'int32'>;
}

/**
 * The prompt, or examples of the task where there is none.
 * @throws UserError for a word that is not a token, or a prompt that is longer than the model reads.
 */
export function examplesFor({ task, random }: Source, { prompt, examples, sample }: Wanted): ChosenExamples {
  const tokens = prompt.trim() === '' ? task.sample(stream(random, sample), examples).tokens : promptTokens(task, prompt);
  const [B = 0, T = 0] = tokens.shape;
  const positions = B === 1 ? Array.from(tokens.data, token => task.vocabulary[token] ?? '') : positionNames(task).slice(0, T);
  return { tokens, positions, title: B === 1 ? 'on one prompt' : `over ${B} examples` };
}

/** As {@link examplesFor}, with the right answers. @throws UserError also for a prompt that does not pose the task whole. */
export function answeredExamples(source: Source, wanted: Wanted): AnsweredExamples {
  const chosen = examplesFor(source, wanted);
  return { ...chosen, answers: answersOf(source.task, chosen.tokens) };
}

/** As in "1 example", "8,192 examples" and "24 training examples". */
export function examplesText(count: number, kind?: string): string {
  return `${count.toLocaleString('en')} ${kind === undefined ? '' : `${kind} `}${count === 1 ? 'example' : 'examples'}`;
}

/** The right answers `[B, A]` of prompts `[B, T]`, called `what`. @throws UserError for one that is short or does not pose the task. */
export function answersOf(task: Task, { shape, data }: HostTensor<'int32'>, what = 'The prompt'): HostTensor<'int32'> {
  const [B = 0, T = 0] = shape;
  const most = Math.max(...task.answerPositions);
  if (T <= most) throw new UserError(`${what} has ${T} ${T === 1 ? 'token' : 'tokens'}; the last answer is read at position ${most} (${positionNames(task)[most] ?? ''}), so it needs ${most + 1}.`);
  const rows = Array.from({ length: B }, (_, row) => {
    const answers = task.answers([...data.subarray(row * T, (row + 1) * T)]);
    if (!answers) throw new UserError(`${what} does not pose the task, so that it has no right answer; its positions are ${task.positions.join(' ')}.`);
    return answers;
  });
  return int32([B, task.answerPositions.length], Int32Array.from(rows.flat()));
}

/**
 * The words of a prompt as token ids `[1, T]`.
 * @throws UserError for a word that is not a token, with the nearest, or more words than the model reads.
 */
export function promptTokens(task: Task, prompt: string): HostTensor<'int32'> {
  const ids = task.encode?.(prompt) ?? prompt.trim().split(/\s+/).map(word => {
    const id = task.vocabulary.indexOf(word);
    if (id < 0) throw unknownName('token', word, task.vocabulary);
    return id;
  });
  const { positions, longestPrompt = positions.length } = task;
  if (ids.length > longestPrompt) throw new UserError(`The prompt has ${ids.length} tokens; this model reads at most ${longestPrompt}.`);
  return int32([1, ids.length], Int32Array.from(ids));
}

/** A stream of its own for each sample: one draw further along the same stream, nearly all examples would be the same. */
export function stream(random: Random, sample: number): Random {
  return new Random(sample, `examples ${random.uniform()}`);
}

/** The numbers of the chosen answers: all of them for 0, otherwise the one of that number from 1. @throws UserError beyond the last. */
export function chosenAnswers({ answerPositions }: Task, answer: number): readonly number[] {
  if (answer === 0) return answerPositions.map((_, index) => index);
  if (answer <= answerPositions.length) return [answer - 1];
  const count = answerPositions.length;
  throw new UserError(`There is no answer ${answer}; this task has ${count === 1 ? 'one' : `${count}, and 0 means all of them`}.`);
}
