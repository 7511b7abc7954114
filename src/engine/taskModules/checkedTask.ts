import { unknownName } from '../../common/nearest';
import { positionsLimit, wordsLimit } from '../../protocol/taskModule';
import { ModuleError } from '../../protocol/moduleError';

/** What create() of a module said of its task, checked. */
export interface CheckedTask {
  readonly vocabulary: readonly string[];
  readonly outputs: readonly string[];
  readonly positions: readonly string[];
  readonly answerPositions: readonly number[];
  readonly trainFraction: number;
  readonly corruptions: readonly string[];
  /** Whether its examples are drawn, or all there at once. */
  readonly examplesBy: 'example' | 'examples';
  readonly hasAnswers: boolean;
}

/** What the sandbox tells of a task. */
type Told = Readonly<Record<'vocabulary' | 'outputs' | 'positions' | 'answerPositions' | 'trainFraction' | 'corruptions' | 'example' | 'examples' | 'answers', unknown>>;

const mostCorruptions = 50;

/** Checks what a module's create() gave. @throws ModuleError one sentence that says what is wrong and what would fit. */
export function checkTask(entry: string, told: unknown): CheckedTask {
  const wrong = (what: string) => new ModuleError(`${entry}: ${what}`);
  if (typeof told !== 'object' || told === null || !('answerPositions' in told)) {
    const isPromise = typeof told === 'object' && told !== null && 'type' in told && told.type === 'promise';
    throw wrong(isPromise ? 'create() gave a promise; it gives the task itself, and has nothing to wait for.' : `create() gave ${said(told)}; it gives an object with the task's vocabulary, positions and examples.`);
  }
  const { vocabulary, outputs, positions, answerPositions, trainFraction, corruptions, example, examples, answers } = told as Told;

  const words = (name: string, given: unknown, most: number): readonly string[] => {
    if (!Array.isArray(given)) throw wrong(`"${name}" is ${given === null ? 'missing' : said(given)}; it is a list of words.`);
    if (given.length < 1 || given.length > most) throw wrong(`"${name}" has ${given.length.toLocaleString('en')} words; it has between 1 and ${most.toLocaleString('en')}.`);
    const at = given.findIndex(word => typeof word !== 'string' || word === '' || word.length > 200);
    if (at >= 0) throw wrong(`"${name}" has ${said(given[at])} at ${at}; each is a word of 1 to 200 characters.`);
    return given as readonly string[];
  };
  const distinct = (name: string, given: readonly string[]) => {
    const seen = new Set<string>();
    for (const word of given) if (seen.size === seen.add(word).size) throw wrong(`"${name}" has ${said(word)} twice; each word stands for one token.`);
    return given;
  };
  const named = distinct('vocabulary', words('vocabulary', vocabulary, wordsLimit));
  const answered = outputs === null ? named : distinct('outputs', words('outputs', outputs, wordsLimit));
  if (answered.length < 2) throw wrong(`"${outputs === null ? 'vocabulary' : 'outputs'}" has one word, so that there is nothing to choose from; give at least 2.`);
  const isCount = typeof positions === 'number' && Number.isInteger(positions) && positions >= 1 && positions <= positionsLimit;
  if (!isCount && !Array.isArray(positions)) throw wrong(`"positions" is ${positions === null ? 'missing' : said(positions)}; it is a list of names, or how many there are (at most ${positionsLimit.toLocaleString('en')}).`);
  const places = isCount ? Array.from({ length: positions }, (_, at) => String(at)) : words('positions', positions, positionsLimit);

  const isPosition = (at: unknown): at is number => typeof at === 'number' && Number.isInteger(at) && at >= 0 && at < places.length;
  if (!Array.isArray(answerPositions) || answerPositions.length < 1) throw wrong('"answerPositions" is a list of at least one position, counted from 0.');
  for (const [index, at] of (answerPositions as readonly unknown[]).entries()) {
    if (!isPosition(at)) throw wrong(`"answerPositions" has ${said(at)}; the positions are 0 to ${places.length - 1}.`);
    if (index > 0 && at <= Number(answerPositions[index - 1])) throw wrong('"answerPositions" are not in ascending order, each once.');
  }
  if (example === examples) throw wrong(example ? 'The task has both example() and examples(); it has one of them.' : 'The task has no examples: give example(random), which draws one, or examples(), which gives all.');
  if (trainFraction !== null && (typeof trainFraction !== 'number' || trainFraction <= 0 || trainFraction >= 1)) throw wrong(`"trainFraction" is ${said(trainFraction)}; it is a number between 0 and 1.`);
  if (trainFraction !== null && !examples) throw wrong('"trainFraction" has a meaning only with examples(), which gives all of them.');

  const isWay = (way: unknown): way is readonly [name: string, type: string] => Array.isArray(way) && way.length === 2 && way.every(part => typeof part === 'string');
  if (!Array.isArray(corruptions) || !corruptions.every(isWay)) throw wrong('"corruptions" cannot be read; they are an object of functions.');
  const ways: readonly (readonly [name: string, type: string])[] = corruptions;
  if (ways.length > mostCorruptions) throw wrong(`There are ${ways.length} corruptions; a task has at most ${mostCorruptions}.`);
  for (const [name, type] of ways) {
    if (name === '__proto__' || name === '' || name.length > 100) throw wrong(`A corruption cannot be called "${name.slice(0, 100)}".`);
    if (type !== 'function') throw wrong(`The corruption "${name}" is no function of a prompt.`);
  }
  if (ways.length > 0 && !answers) throw wrong('A task with corruptions has answers(prompt) too, which says what is right after the change.');
  return {
    vocabulary: named, outputs: answered, positions: places, answerPositions: answerPositions as readonly number[],
    trainFraction: trainFraction ?? 0.5, corruptions: ways.map(([name]) => name), examplesBy: example ? 'example' : 'examples', hasAnswers: answers === true,
  };
}

export interface CheckedExample {
  readonly prompt: readonly number[];
  readonly answers: readonly number[];
}

/** Checks the examples that a module gives, and turns their words into numbers. */
export class ExampleChecks {
  private readonly tokens: Words;
  private readonly outputs: Words;

  constructor(private readonly entry: string, private readonly task: Pick<CheckedTask, 'vocabulary' | 'outputs' | 'positions' | 'answerPositions'>) {
    this.tokens = new Words('token', 'vocabulary', task.vocabulary);
    this.outputs = new Words('output', 'outputs', task.outputs);
  }

  /** A list of examples, as `what` gave them. @throws ModuleError for the first thing that is wrong. */
  examples(given: unknown, what: string): readonly CheckedExample[] {
    if (!Array.isArray(given)) throw this.wrong(`${what} gave ${said(given)}; it gives a list of examples.`);
    return given.map((example: unknown) => this.example(example, what));
  }

  prompt(given: unknown, what: string): readonly number[] {
    const { positions } = this.task;
    if (!Array.isArray(given)) throw this.wrong(`${what} gave a prompt that is ${said(given)}; it is a list of tokens.`);
    if (given.length !== positions.length) throw this.wrong(`${what} gave a prompt of ${counted(given.length, 'token')}; positions names ${positions.length}.`);
    return given.map((token, at) => this.numberOf(this.tokens, token, () => `${what} gave ${said(token)} at position ${at}${positions[at] === String(at) ? '' : ` (${positions[at] ?? ''})`}`));
  }

  answers(given: unknown, what: string): readonly number[] {
    const { answerPositions } = this.task;
    if (!Array.isArray(given)) throw this.wrong(`${what} gave answers that are ${said(given)}; they are a list of outputs.`);
    if (given.length !== answerPositions.length) throw this.wrong(`${what} gave ${counted(given.length, 'answer')}; answerPositions names ${answerPositions.length}.`);
    return given.map((output, at) => this.numberOf(this.outputs, output, () => `${what} gave ${said(output)} as answer ${at + 1}`));
  }

  private example(given: unknown, what: string): CheckedExample {
    if (typeof given !== 'object' || given === null || !('prompt' in given) || !('answers' in given)) {
      throw this.wrong(`${what} gave ${said(given)}; an example is an object with a prompt and its answers.`);
    }
    return { prompt: this.prompt(given.prompt, what), answers: this.answers(given.answers, what) };
  }

  private numberOf(words: Words, given: unknown, where: () => string): number {
    const number = words.numberOf(given);
    if (number === undefined) throw this.wrong(`${where()}; ${words.whatFits(given)}`);
    return number;
  }

  /** An error that names the module. */
  wrong(what: string): ModuleError {
    return new ModuleError(`${this.entry}: ${what}`);
  }
}

/** Words that have numbers. */
class Words {
  private readonly numbers: ReadonlyMap<unknown, number>;

  constructor(private readonly kind: string, private readonly list: string, private readonly words: readonly string[]) {
    this.numbers = new Map(words.map((word, number) => [word, number]));
  }

  numberOf(given: unknown): number | undefined {
    if (typeof given === 'number') return Number.isInteger(given) && given >= 0 && given < this.words.length ? given : undefined;
    return this.numbers.get(given);
  }

  whatFits(given: unknown): string {
    if (typeof given === 'string') {
      const { message } = unknownName(this.kind, given, this.words);
      return `${message.charAt(0).toLowerCase()}${message.slice(1)}`;
    }
    return `the ${this.list} ${this.list === 'outputs' ? 'have' : 'has'} ${counted(this.words.length, 'word')}, 0 to ${this.words.length - 1}.`;
  }
}

/** What a module gave, in a few words. */
function said(given: unknown): string {
  if (given === undefined || given === null) return 'nothing';
  if (Array.isArray(given)) return `a list of ${given.length}`;
  if (typeof given === 'string') return JSON.stringify(given.length <= 40 ? given : `${given.slice(0, 40)}…`);
  if (typeof given !== 'object') return String(given);
  return 'type' in given && typeof given.type === 'string' ? `${given.type === 'object' ? 'an' : 'a'} ${given.type}` : 'an object';
}

function counted(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;
}
