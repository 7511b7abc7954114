import * as v from 'valibot';
import { UserError } from '../common/errors';
import { unknownName } from '../common/nearest';
import { PromptsFileSchema, type PromptsFile } from '../protocol/promptsFile';
import type { ExampleList, TaskSnapshot } from '../protocol/taskModule';
import { mostTokens, positionsLimit, wordsLimit } from '../protocol/taskModule';
import type { ModelSizes } from './fitted';
import type { Tokenizer } from './tokenizer';
import { positionNames } from './words';

// T positions · A answers a prompt

type Posed = Pick<PromptsFile['prompts'][number], 'prompt' | 'answer' | 'answers'>;

/** A file of prompts as it was read. */
export interface PromptsSource {
  /** The file's name, without its folder. */
  readonly name: string;
  readonly folder: string;
  readonly text: string;
  /** What the text holds, parsed. */
  readonly value: unknown;
}

/** What words a file's prompts are made of. */
const promptWords = ['file', 'tokenizer', 'ids'] as const;

/** The name of the corruption that a file's corrupted prompts make. */
const corruptedName = 'corrupted';

/**
 * The task that a file of prompts poses to a model. Nothing in it runs. `digest` hashes a text.
 * @throws UserError that says where in the file what is wrong.
 */
export function promptsSnapshot({ name, folder, text: source, value }: PromptsSource, sizes: ModelSizes, tokenizer: Tokenizer | undefined, digest: (text: string) => string): TaskSnapshot {
  const result = v.safeParse(PromptsFileSchema, value);
  if (!result.success) {
    const [issue] = result.issues;
    throw wrong(placeOf(issue), issue.message);
  }
  const file = result.output;
  const reading = new PromptsReading(file, sizes, tokenizer);
  const { examples, corrupted } = reading.read();
  const { words, vocabulary, outputs, positions, answerPositions } = reading;
  return {
    format: 1,
    sources: { entry: name, files: { [name]: source } },
    folder,
    title: name.slice(0, 100),
    description: `The prompts of ${name}.`.slice(0, 1000),
    params: {
      words: { kind: 'choice', title: 'Words', description: 'What the prompts are made of: words of the file, of the model\'s tokenizer, or token ids.', options: [...promptWords], default: words },
      digest: { kind: 'text', title: 'Digest', description: 'A hash of these words.', default: '' },
    },
    parameters: { words, digest: digest(JSON.stringify([vocabulary, outputs])) },
    vocabulary, outputs, positions, answerPositions,
    complete: true,
    examples,
    corruptions: corrupted ? { [corruptedName]: corrupted } : {},
  };
}

class PromptsReading {
  readonly words: (typeof promptWords)[number];
  readonly vocabulary: readonly string[];
  readonly outputs: readonly string[];
  readonly positions: readonly string[];
  readonly answerPositions: readonly number[];
  private readonly tokenIds: ReadonlyMap<string, number>;
  private readonly outputIds: ReadonlyMap<string, number>;
  private readonly positionIds: ReadonlyMap<string, number>;

  constructor(private readonly file: PromptsFile, sizes: ModelSizes, private readonly tokenizer: Tokenizer | undefined) {
    const { d_vocab, d_vocab_out, n_ctx } = sizes;
    if (!file.vocabulary && d_vocab > wordsLimit) throw wrong('vocabulary', `it is missing, and the model's ${d_vocab.toLocaleString('en')} tokens are more than the ${wordsLimit.toLocaleString('en')} that a file can do without it`);
    this.words = file.vocabulary ? 'file' : tokenizer ? 'tokenizer' : 'ids';
    this.vocabulary = file.vocabulary ?? Array.from({ length: d_vocab }, (_, token) => tokenizer?.words[token]?.slice(0, 200) ?? String(token));
    this.outputs = file.outputs ?? this.vocabulary.slice(0, d_vocab_out);
    this.tokenIds = numbered('vocabulary', this.vocabulary);
    this.outputIds = numbered('outputs', this.outputs);
    const T = this.tokensOf(file.prompts[0]?.prompt ?? '', 'prompts[0].prompt').length;
    if (T > n_ctx) throw wrong('prompts[0].prompt', `it has ${T} tokens, and the model reads ${n_ctx} at most`);
    if (T > positionsLimit) throw wrong('prompts[0].prompt', `it has ${T} tokens, more than ${positionsLimit}`);
    if (T * file.prompts.length > mostTokens) throw wrong('prompts', `${file.prompts.length.toLocaleString('en')} prompts of ${T} tokens are more than ${mostTokens.toLocaleString('en')} tokens`);
    this.positions = file.positions ?? Array.from({ length: T }, (_, position) => String(position));
    if (this.positions.length !== T) throw wrong('positions', `there are ${this.positions.length}, and the prompts have ${T} tokens`);
    // A number counts where no position is called so.
    this.positionIds = new Map([...this.positions.map((_, at) => String(at)), ...positionNames(this)].map((name, at) => [name, at % T]));
    this.answerPositions = this.answersOf(file.prompts[0] ?? { prompt: '' }, 'prompts[0]').map(([position]) => position);
  }

  read(): { readonly examples: ExampleList; readonly corrupted?: ExampleList } {
    const { prompts } = this.file;
    const known = new Map<string, { readonly at: number; readonly answers: readonly number[] }>();
    const examples = prompts.map((posed, at) => this.exampleOf(posed, `prompts[${at}]`));
    examples.forEach(({ tokens, answers }, at) => {
      const other = known.get(tokens.join());
      if (other) throw wrong(`prompts[${at}].prompt`, `it is the same as that of prompts[${other.at}]`);
      known.set(tokens.join(), { at, answers });
    });
    const without = prompts.findIndex(({ corrupted }) => corrupted === undefined);
    const withOne = prompts.findIndex(({ corrupted }) => corrupted !== undefined);
    if (withOne < 0) return { examples: joined(examples) };
    if (without >= 0) throw wrong(`prompts[${without}]`, `it has no "corrupted" and prompts[${withOne}] has one; give it to all prompts or to none`);
    const corrupted = prompts.map(({ corrupted }, at) => {
      const place = `prompts[${at}].corrupted`;
      if (typeof corrupted === 'object' && 'prompt' in corrupted) return this.exampleOf(corrupted, place);
      const tokens = this.checkedTokens(corrupted ?? '', place);
      const answers = known.get(tokens.join())?.answers;
      if (!answers) throw wrong(place, 'it is none of the prompts, so that its answer is not known; give it as { "prompt": …, "answer": … }');
      return { tokens, answers };
    });
    const unchanged = corrupted.findIndex(({ tokens }, at) => tokens.join() === examples[at]?.tokens.join());
    if (unchanged >= 0) throw wrong(`prompts[${unchanged}].corrupted`, 'it is the prompt itself');
    return { examples: joined(examples), corrupted: joined(corrupted) };
  }

  private exampleOf(posed: Posed, place: string) {
    const tokens = this.checkedTokens(posed.prompt, `${place}.prompt`);
    const answers = this.answersOf(posed, place);
    const same = answers.length === this.answerPositions.length && answers.every(([position], at) => position === this.answerPositions[at]);
    if (!same) throw wrong(place, `it is answered at the positions ${answers.map(([position]) => position).join(', ')}, and prompts[0] at ${this.answerPositions.join(', ')}; all prompts are answered at the same ones`);
    return { tokens, answers: answers.map(([, answer]) => answer) };
  }

  /** The tokens of a prompt, as many as the first has. */
  private checkedTokens(prompt: Posed['prompt'], place: string): readonly number[] {
    const tokens = this.tokensOf(prompt, place);
    const T = this.positions.length;
    if (tokens.length !== T) throw wrong(place, `it has ${tokens.length} tokens, and that of prompts[0] has ${T}; all prompts are of one length`);
    return tokens;
  }

  private tokensOf(prompt: Posed['prompt'], place: string): readonly number[] {
    if (typeof prompt !== 'string') {
      const beyond = prompt.find(token => token >= this.vocabulary.length);
      if (beyond !== undefined) throw wrong(place, `there is no token ${beyond}; the ${this.vocabulary.length.toLocaleString('en')} words are numbered from 0`);
      return prompt;
    }
    if (prompt.trim() === '') throw wrong(place, 'it is empty');
    if (this.words === 'tokenizer' && this.tokenizer) return this.encoded(this.tokenizer, prompt, place);
    return prompt.trim().split(/\s+/).map(each => this.numberOf('token', this.tokenIds, each, place));
  }

  private encoded(tokenizer: Tokenizer, prompt: string, place: string): readonly number[] {
    let tokens: readonly number[];
    try {
      tokens = tokenizer.encode(prompt);
    } catch (error) {
      throw error instanceof UserError ? new UserError(`${place}: ${error.message}`) : error;
    }
    const beyond = tokens.find(token => token >= this.vocabulary.length);
    if (beyond !== undefined) throw wrong(place, `the tokenizer gives the token ${beyond}, and the model has ${this.vocabulary.length}`);
    return tokens;
  }

  /** Ascending in position. */
  private answersOf({ answer, answers }: Posed, place: string): readonly (readonly [position: number, answer: number])[] {
    if ((answer === undefined) === (answers === undefined)) throw wrong(place, 'it takes one of "answer", at the last position, and "answers", by position');
    if (answer !== undefined) return [[this.positions.length - 1, this.answerOf(answer, `${place}.answer`)]];
    const found = Object.entries(answers ?? {}).map(([name, each]) => {
      const at = `${place}.answers["${name}"]`;
      return [this.numberOf('position', this.positionIds, name, at), this.answerOf(each, at)] as const;
    });
    const positions = found.map(([position]) => position);
    if (found.length === 0) throw wrong(`${place}.answers`, 'there is none');
    if (new Set(positions).size < positions.length) throw wrong(`${place}.answers`, 'one position stands there twice');
    return found.toSorted(([one], [other]) => one - other);
  }

  private answerOf(answer: string | number, place: string): number {
    if (typeof answer === 'number') {
      if (answer >= this.outputs.length) throw wrong(place, `there is no output ${answer}; the ${this.outputs.length.toLocaleString('en')} outputs are numbered from 0`);
      return answer;
    }
    if (this.words !== 'tokenizer' || !this.tokenizer || this.file.outputs) return this.numberOf('answer', this.outputIds, answer, place);
    const [token, ...others] = this.encoded(this.tokenizer, answer, place);
    if (token === undefined || others.length > 0) throw wrong(place, `"${answer}" is ${others.length + 1} tokens, and an answer is one`);
    return this.answerOf(token, place);
  }

  private numberOf(kind: string, ids: ReadonlyMap<string, number>, name: string, place: string): number {
    const found = ids.get(name);
    if (found === undefined) throw new UserError(`${place}: ${unknownName(kind, name, [...ids.keys()]).message}`);
    return found;
  }
}

function numbered(field: string, words: readonly string[]): ReadonlyMap<string, number> {
  const ids = new Map<string, number>();
  words.forEach((each, at) => {
    if (ids.has(each)) throw wrong(field, `"${each}" stands there twice`);
    ids.set(each, at);
  });
  return ids;
}

function joined(examples: readonly { readonly tokens: readonly number[]; readonly answers: readonly number[] }[]): ExampleList {
  return { tokens: examples.flatMap(({ tokens }) => tokens), answers: examples.flatMap(({ answers }) => answers) };
}

function placeOf(issue: v.BaseIssue<unknown>): string {
  return (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('').replace(/^\./, '') || 'the file';
}

function wrong(place: string, what: string): UserError {
  return new UserError(`${place}: ${what}.`);
}
