import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { UserError } from '../common/errors';
import type { TokenizerDefinition } from '../protocol/tokenizer';

/** How texts become tokens, and what tokens are called. */
export interface Tokenizer {
  /** Token id → what people read: a space is `␣`, a line feed `↵`. Each is another. */
  readonly words: readonly string[];
  /** The tokens of a text. @throws UserError for a character that no token writes. */
  encode(text: string): readonly number[];
}

/** The token that ends a text for GPT-2, which no merge makes. */
const endOfText = '<|endoftext|>';

/** A tokenizer of its definition; what splits texts is made when one is first encoded, in some tenths of a second. */
export function tokenizerOf(definition: TokenizerDefinition): Tokenizer {
  let made: HuggingFaceTokenizer | undefined;
  return {
    words: readableWords(definition.vocabulary),
    encode(text) {
      made ??= splitterOf(definition);
      const { ids, tokens } = made.encode(text, { add_special_tokens: false });
      checkWhole(text, tokens);
      return ids;
    },
  };
}

/** Of a file of people nothing but words and merges comes here: how texts are split before is GPT-2's way, as the library has it. */
function splitterOf({ vocabulary, merges }: TokenizerDefinition): HuggingFaceTokenizer {
  const end = vocabulary.indexOf(endOfText);
  return new HuggingFaceTokenizer({
    added_tokens: end < 0 ? [] : [{ id: end, content: endOfText, special: true, normalized: false }],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab: Object.fromEntries(vocabulary.map((word, token) => [word, token])), merges: [...merges], ignore_merges: false },
  }, {});
}

/** The library leaves out what no token writes. */
function checkWhole(text: string, tokens: readonly string[]): void {
  const written = tokens.join('');
  if (written === inLetters(text)) return;
  const known = new Set(written);
  const missing = [...text].find(character => [...inLetters(character)].some(letter => !known.has(letter)));
  throw new UserError(`The tokenizer of this model has no token for ${missing === undefined ? 'a part of the prompt' : `"${missing}"`}.`);
}

/** GPT-2's letter of each byte: those that can be seen are themselves, the others the letters from 256 on, in their order. */
const letters: readonly string[] = (() => {
  const isSeen = (byte: number) => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let others = 0;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isSeen(byte) ? byte : 256 + others++));
})();
const byteOf = new Map(letters.map((letter, byte) => [letter, byte]));

function inLetters(text: string): string {
  return Array.from(new TextEncoder().encode(text), byte => letters[byte] ?? '').join('');
}

function readableWords(vocabulary: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return vocabulary.map((word, token) => {
    const text = readable(word);
    // Two can read alike, as a space and the sign that stands for it.
    const name = taken.has(text) ? `${text} (${token})` : text;
    taken.add(name);
    return name;
  });
}

/** Signs of what cannot be seen. */
const signs: Readonly<Record<string, string>> = { ' ': '␣', '\n': '↵', '\t': '⇥', '\r': '␍' };

/** A word in letters as the text that it is; where it is but a part of a character, or not written in GPT-2's letters, as it stands. */
function readable(word: string): string {
  const bytes = [...word].map(letter => byteOf.get(letter));
  if (bytes.includes(undefined)) return word;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes, byte => byte ?? 0));
    return text.replaceAll(/[\s\p{C}]/gu, character => signs[character] ?? inLetters(character));
  } catch {
    return word;
  }
}

