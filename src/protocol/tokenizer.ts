import * as v from 'valibot';

/**
 * A byte-level tokenizer as GPT-2's: its words and merges, and nothing else. Words are written in GPT-2's letters, one for each
 * byte (`Ġthe` for a space and "the").
 */
export interface TokenizerDefinition {
  readonly format: 1;
  /** Token id → word. */
  readonly vocabulary: readonly string[];
  /** Pairs of words that are joined, separated by a space, the first before all others. */
  readonly merges: readonly string[];
}

/** The most words, and merges, of a tokenizer: as many as a model can have tokens. */
export const tokenizerLimit = 1_000_000;
/** Letters of a word. */
export const tokenizerWordLimit = 1000;

const word = v.pipe(v.string(), v.minLength(1), v.maxLength(tokenizerWordLimit));
const merge = v.pipe(v.string(), v.maxLength(2 * tokenizerWordLimit + 1), v.check(text => isMerge(text), 'a merge is two words separated by a space'));

/** Tokenizers as a store keeps them. */
export const TokenizerSchema = v.pipe(
  v.strictObject({
    format: v.literal(1),
    vocabulary: v.pipe(v.array(word), v.minLength(1), v.maxLength(tokenizerLimit)),
    merges: v.pipe(v.array(merge), v.maxLength(tokenizerLimit)),
  }),
  v.check(({ vocabulary }) => new Set(vocabulary).size === vocabulary.length, 'a word of its vocabulary stands there twice'),
) satisfies v.GenericSchema<unknown, TokenizerDefinition>;

/** Whether a text is two words with one space between them. */
export function isMerge(text: string): boolean {
  const space = text.indexOf(' ');
  return space > 0 && space < text.length - 1 && !text.includes(' ', space + 1);
}
