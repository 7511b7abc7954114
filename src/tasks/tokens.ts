import { UserError } from '../common/errors';
import type { Random } from '../common/random';
import { int32 } from '../common/tensor';
import type { ModelConfig } from '../protocol/config';
import type { Task } from './task';
import type { Tokenizer } from './tokenizer';

// B examples · T positions

/** What the task of a model is called that was bound to none. No list of tasks has it: nothing can be trained on it. */
export const tokensName = 'tokens';

/** Tokens of the examples that are drawn, where the model reads so many. */
const sampleLength = 16;

/** Any tokens: examples are short, and prompts that people type as long as the model reads. The words are those of its tokenizer, or the numbers of the tokens. */
export function tokensTask({ d_vocab, d_vocab_out, n_ctx }: Pick<ModelConfig, 'd_vocab' | 'd_vocab_out' | 'n_ctx'>, tokenizer?: Tokenizer): Task {
  const T = Math.min(n_ctx, sampleLength);
  const known = tokenizer?.words ?? [];
  const word = (_: unknown, token: number) => known[token] ?? String(token);
  const vocabulary = Array.from({ length: d_vocab }, word);
  const everyToken = vocabulary.map((_, token) => token);
  return {
    vocabulary,
    outputs: d_vocab_out === d_vocab ? vocabulary : Array.from({ length: d_vocab_out }, word),
    answersAre: 'unknown',
    positions: Array.from({ length: T }, (_, position) => String(position)),
    longestPrompt: n_ctx,
    answerPositions: [T - 1],
    alphabet: Array.from({ length: T }, () => everyToken),
    answers: () => undefined,
    corruptions: {},
    sample(random: Random, count: number) {
      const tokens = int32([count, T]);
      tokens.data.forEach((_, at) => (tokens.data[at] = random.integer(d_vocab)));
      return { tokens, labels: int32([count, 1]) };
    },
    ...(tokenizer && { encode: (text: string) => tokenizer.encode(text) }),
  };
}

/** What to say of an experiment that names it. */
export function notTrainable(): UserError {
  return new UserError(`The task "${tokensName}" has no right answers, so that nothing can be trained on it; it is what an imported model has that is bound to no task.`);
}
