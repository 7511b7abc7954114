import { UserError } from '../common/errors';
import { unknownName } from '../common/nearest';
import type { Random } from '../common/random';
import { int32 } from '../common/tensor';
import type { Parameters, ValuesOf } from '../protocol/parameter';
import type { Task } from '../tasks/task';
import { positionNames } from '../tasks/words';
import type { AnalysisContext } from './define';
import { answersOf, promptTokens, stream } from './examples';

/** The parameters by which an analysis lets people choose the prompts that activations are carried between. */
export const pairParameters = {
  clean: { kind: 'prompt', title: 'Clean prompt', description: 'Where activations are taken from. Leave it empty to use pairs of the task.', default: '' },
  corrupted: { kind: 'prompt', title: 'Corrupted prompt', description: 'Where they are put. Leave it empty to corrupt the clean prompt.', default: '' },
  corruption: { kind: 'corruption', title: 'Corruption', description: 'What is changed about a clean prompt to corrupt it.', default: '' },
  pairs: { kind: 'integer', title: 'Pairs', description: 'Pairs drawn from the task and averaged.', default: 8, minimum: 1, maximum: 256 },
  sample: { kind: 'integer', title: 'Sample', description: 'Another number draws other pairs.', default: 0, minimum: 0, maximum: 1_000_000 },
  answer: { kind: 'integer', title: 'Answer', description: 'The answer that is measured, from 1; 0 for the first that the corruption changes. Drawn pairs change no earlier one.', default: 0, minimum: 0, maximum: 10_000 },
} as const satisfies Parameters;

/**
 * Two prompts of one length with different right answers. What is measured of a run is the logit of the clean answer less
 * that of the corrupted one, at the position where that answer is read; where answers are numbers, the number predicted there.
 */
export interface PromptPair {
  readonly clean: readonly number[];
  readonly corrupted: readonly number[];
  /** Where the answer is read. */
  readonly position: number;
  /** The output id of the clean prompt's right answer; or of the one output, where that is a number. */
  readonly correct: number;
  /** That of the corrupted prompt's. Absent where answers are numbers. */
  readonly wrong?: number;
}

/** Draws in vain before a corruption is said never to change the answer. */
const mostDraws = 1000;

/**
 * The typed pair, or pairs drawn from the task, all measured at the same answer.
 * @throws UserError for prompts of different length, equal ones, ones that do not pose the task, or a pair with the same
 * answers, which nothing could be measured by.
 */
export function promptPairs({ task, random }: Pick<AnalysisContext, 'task' | 'random'>, wanted: ValuesOf<typeof pairParameters>): readonly PromptPair[] {
  const drawing = stream(random, wanted.sample);
  const [clean, corrupted] = [wanted.clean, wanted.corrupted].map(prompt => (prompt.trim() === '' ? undefined : [...promptTokens(task, prompt).data]));
  if (corrupted && !clean) throw new UserError('There is a corrupted prompt but no clean one; give both, or the clean one alone.');
  if (clean && corrupted) return [pairOf(task, clean, corrupted, wanted.answer)];

  const corrupt = corruptionOf(task, wanted.corruption.trim());
  if (clean) answersTo(task, clean, 'clean');
  const asked = wanted.answer === 0 ? undefined : task.answerPositions[wanted.answer - 1];
  if (wanted.answer > 0 && asked === undefined) throw new UserError(noAnswer(task, wanted.answer));
  const pairs: PromptPair[] = [];
  const count = clean ? 1 : wanted.pairs;
  for (let draws = 0; pairs.length < count; draws++) {
    const prompt = clean ?? [...task.sample(drawing, 1).tokens.data];
    // Where an earlier answer changes too, it stands in the prompt before the later one and may give it away.
    // A typed prompt may end where its last answer is read: what the corruption writes behind that is left away.
    const pair = tryPair(task, prompt, corrupt(prompt, drawing).slice(0, prompt.length), clean ? wanted.answer : 0);
    // All are measured where the first one is, so that their mean is of one thing.
    if (typeof pair !== 'string' && (asked ?? pairs[0]?.position ?? pair.position) === pair.position) pairs.push(pair);
    else if (draws >= mostDraws * count) throw new UserError(typeof pair === 'string' ? pair : 'Too few pairs of this corruption change this answer before all others; ask for fewer pairs, or for another answer.');
  }
  return pairs;
}

function corruptionOf(task: Task, name: string): (prompt: readonly number[], random: Random) => readonly number[] {
  const names = Object.keys(task.corruptions);
  const corrupt = task.corruptions[name === '' ? names[0] ?? '' : name];
  if (corrupt) return corrupt;
  if (names.length === 0) throw new UserError('This task has no way to corrupt a prompt; give a clean and a corrupted one.');
  throw unknownName('corruption', name, names);
}

function pairOf(task: Task, clean: readonly number[], corrupted: readonly number[], answer: number): PromptPair {
  const pair = tryPair(task, clean, corrupted, answer);
  if (typeof pair === 'string') throw new UserError(pair);
  return pair;
}

/** The pair, or why it is none. */
function tryPair(task: Task, clean: readonly number[], corrupted: readonly number[], answer: number): PromptPair | string {
  if (clean.length !== corrupted.length) {
    return `The clean prompt has ${clean.length} tokens and the corrupted one ${corrupted.length}; activations can be carried only between prompts of one length.`;
  }
  if (clean.every((token, at) => token === corrupted[at])) {
    return 'The clean and the corrupted prompt are the same, so there is nothing to carry over; change a token that the answer depends on.';
  }
  const { answerPositions, padding } = task;
  if (answer > answerPositions.length) return noAnswer(task, answer);
  if (clean.some((token, at) => (token === padding) !== (corrupted[at] === padding))) {
    return 'The clean and the corrupted prompt leave different positions empty, so that attention reaches others in each; give prompts that fill the same ones.';
  }
  const [right, wrong] = [answersTo(task, clean, 'clean'), answersTo(task, corrupted, 'corrupted')];
  const differing = answerPositions.findIndex((_, index) => right[index] !== wrong[index] && (answer === 0 || answer === index + 1));
  if (differing < 0) {
    const which = answer === 0 ? 'the same answers' : `the same answer ${answer}`;
    return `Both prompts have ${which}, so that no difference could be measured; change a token that it depends on.`;
  }
  const outputs = task.answersAre === 'numbers' ? { correct: 0 } : { correct: right[differing] ?? 0, wrong: wrong[differing] ?? 0 };
  return { clean, corrupted, position: answerPositions[differing] ?? 0, ...outputs };
}

/** The right answers of one of the two prompts. @throws UserError for one that is short or does not pose the task. */
function answersTo(task: Task, prompt: readonly number[], which: 'clean' | 'corrupted'): Int32Array {
  return answersOf(task, int32([1, prompt.length], Int32Array.from(prompt)), `The ${which} prompt`).data;
}

function noAnswer({ answerPositions }: Task, answer: number): string {
  return `There is no answer ${answer}; this task has ${answerPositions.length}.`;
}

/** What to call the positions of the pairs: words where there is one pair and it agrees, otherwise the task's names. */
export function pairPositions(task: Task, pairs: readonly PromptPair[]): readonly string[] {
  const [first, ...others] = pairs;
  const names = positionNames(task).slice(0, first?.clean.length);
  if (!first || others.length > 0) return names;
  return names.map((name, at) => {
    const [clean, corrupted] = [first.clean[at], first.corrupted[at]].map(token => task.vocabulary[token ?? -1] ?? '');
    return clean === corrupted ? `${name} ${clean === name ? '' : clean}`.trim() : `${name} ${clean}→${corrupted}`;
  });
}
