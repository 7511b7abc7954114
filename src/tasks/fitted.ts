import { UserError } from '../common/errors';
import { int32, type HostTensor } from '../common/tensor';
import type { ModelConfig } from '../protocol/config';
import type { ResolvedExperiment } from '../protocol/model';
import { taskOf } from './registry';
import type { Task } from './task';
import type { Tokenizer } from './tokenizer';
import { tokensName, tokensTask } from './tokens';

/** The sizes of a model that its task has to fit. */
export type ModelSizes = Pick<ModelConfig, 'd_vocab' | 'd_vocab_out' | 'n_ctx' | 'tokens_per_position' | 'padding_token'>;

/**
 * The task of a stored model. A model that was trained here has the sizes of its task; one that was imported can be larger.
 * @throws UserError when its task cannot be made any more, or does not fit it.
 */
export function modelTask(task: ResolvedExperiment['task'], config: ModelSizes, tokenizer?: Tokenizer): Task {
  return task.name === tokensName ? tokensTask(config, tokenizer) : fittedTask(taskOf(task), config);
}

/**
 * A task for a model that may have more tokens, more outputs and a longer context than it: words are added that none of its
 * prompts and answers use.
 * @throws UserError when the model has too few of something, or reads prompts in another way.
 */
export function fittedTask(task: Task, { d_vocab, d_vocab_out, n_ctx, tokens_per_position, padding_token }: ModelSizes): Task {
  const { vocabulary, outputs, positions, parts, padding, answersAre } = task;
  if ((parts !== undefined) !== (tokens_per_position === 2)) throw misfit('each position of the task holds a pair, and this model reads one token at each');
  if (padding !== padding_token) throw misfit('prompts of the task are padded, and this model attends to padding as to any token');
  checkRoom('words', vocabulary.length, 'd_vocab', parts ? vocabulary.length : d_vocab);
  if (answersAre === 'numbers' && d_vocab_out !== 1) throw misfit(`answers of the task are numbers, for which a model has one output, and this one has ${d_vocab_out} (d_vocab_out)`);
  checkRoom(outputs.length === 1 ? 'answer' : 'different answers', outputs.length, 'd_vocab_out', d_vocab_out);
  checkRoom('positions', positions.length, 'n_ctx', n_ctx);
  const isExact = (parts !== undefined || vocabulary.length === d_vocab) && outputs.length === d_vocab_out;
  if (isExact && n_ctx === positions.length) return task;
  return {
    ...task,
    ...(!isExact && { vocabulary: filled(vocabulary, d_vocab), outputs: filled(outputs, d_vocab_out) }),
    ...(n_ctx > positions.length && { longestPrompt: n_ctx }),
  };
}

/** The task of a model that was trained nobody knows on which of its examples: it is measured on all that there are, or on others drawn afresh. */
export function withoutSplit(task: Task): Task {
  if (!task.split) return task;
  const { split, splitsAll, ...rest } = task;
  if (!splitsAll) return rest;
  const { train, test } = split(0);
  return { ...rest, allExamples: { tokens: joined(train.tokens, test.tokens), labels: joined(train.labels, test.labels) } };
}

function joined({ shape: [count = 0, ...row], data }: HostTensor<'int32'>, { shape: [more = 0], data: others }: HostTensor<'int32'>): HostTensor<'int32'> {
  const all = int32([count + more, ...row]);
  all.data.set(data);
  all.data.set(others, data.length);
  return all;
}

function checkRoom(what: string, needed: number, field: string, there: number): void {
  if (needed > there) throw misfit(`it has ${needed.toLocaleString('en')} ${what}, and the model's ${field} is ${there.toLocaleString('en')}`);
}

function misfit(why: string): UserError {
  return new UserError(`The task does not fit this model: ${why}.`);
}

/** The words, and behind them others up to a number, each called by its number: `#113`. */
function filled(words: readonly string[], count: number): readonly string[] {
  const taken = new Set(words);
  const nameOf = (at: number): string => {
    let name = `#${at}`;
    while (taken.has(name)) name = `#${name}`;
    return name;
  };
  return [...words, ...Array.from({ length: count - words.length }, (_, index) => nameOf(words.length + index))];
}
