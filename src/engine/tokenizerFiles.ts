import { stat } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { UserError } from '../common/errors';
import { isMerge, TokenizerSchema, tokenizerLimit, tokenizerWordLimit, type TokenizerDefinition } from '../protocol/tokenizer';
import { readJsonFile, readTextFile } from './textFile';

const kind = { what: 'a tokenizer', limit: 64 << 20 };

/** What lies beside a file of weights; or in a sentence why the model comes without it. */
export type FoundTokenizer = { readonly definition: TokenizerDefinition } | { readonly problem: string };

/**
 * The tokenizer of a Hugging Face model, in the folder of its weights: `tokenizer.json`, or `vocab.json` and `merges.txt`.
 * Nothing but words and merges is taken of them. Undefined where there is none.
 */
export async function tokenizerBeside(weights: string): Promise<FoundTokenizer | undefined> {
  const [whole, vocabulary, merges] = ['tokenizer.json', 'vocab.json', 'merges.txt'].map(name => path.join(path.dirname(weights), name));
  if (!whole || !vocabulary || !merges) return undefined;
  try {
    if (await isThere(whole)) return { definition: definitionOf(...partsOf(whole, await readJsonFile(whole, kind)), whole) };
    if (!(await isThere(vocabulary)) || !(await isThere(merges))) return undefined;
    const words = checked(VocabularySchema, vocabulary, await readJsonFile(vocabulary, kind));
    return { definition: definitionOf(Object.entries(words), mergeLines((await readTextFile(merges, kind)).text), merges) };
  } catch (error) {
    if (error instanceof UserError) return { problem: error.message };
    throw error;
  }
}

async function isThere(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined))?.isFile() ?? false;
}

const id = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(tokenizerLimit - 1));
const word = v.pipe(v.string(), v.minLength(1), v.maxLength(tokenizerWordLimit));
/** Words can be called as what an object has by itself is, which a record leaves away. */
const VocabularySchema = v.custom<Readonly<Record<string, number>>>(
  value => typeof value === 'object' && value !== null && !Array.isArray(value) && Object.entries(value).every(([name, number]) => v.is(word, name) && v.is(id, number)),
  'a vocabulary of words and their numbers is expected',
);
const mergeOf = v.union([v.pipe(v.string(), v.check(isMerge)), v.pipe(v.tuple([word, word]), v.transform(pair => pair.join(' ')), v.check(isMerge))], 'a merge is two words');

/** As far as it decides what tokens a text is; the rest is not looked at. */
const WholeSchema = v.object({
  added_tokens: v.optional(v.pipe(v.array(v.object({ id, content: word })), v.maxLength(100_000)), []),
  normalizer: v.nullish(v.object({ type: v.string() })),
  pre_tokenizer: v.nullish(v.object({ type: v.string(), add_prefix_space: v.optional(v.boolean(), true), use_regex: v.optional(v.boolean(), true) })),
  model: v.object({ type: v.nullish(v.string()) }),
});
const ModelSchema = v.object({
  vocab: VocabularySchema,
  merges: v.pipe(v.array(mergeOf), v.maxLength(tokenizerLimit)),
  continuing_subword_prefix: v.nullish(v.string()),
  end_of_word_suffix: v.nullish(v.string()),
  ignore_merges: v.nullish(v.boolean()),
});

type Entry = readonly [word: string, id: number];

function partsOf(file: string, value: unknown): [vocabulary: readonly Entry[], merges: readonly string[]] {
  const { added_tokens: added, normalizer, pre_tokenizer: splitter, model } = checked(WholeSchema, file, value);
  // GPT-2's own file, which is older than the others, names no kind.
  if ((model.type ?? 'BPE') !== 'BPE') throw otherKind(file, `a ${model.type ?? ''} tokenizer`);
  if (normalizer) throw otherKind(file, `one that changes texts first (${normalizer.type})`);
  if (splitter?.type !== 'ByteLevel' || !splitter.use_regex) throw otherKind(file, `one that splits texts in another way (${splitter?.type ?? 'not at all'})`);
  if (splitter.add_prefix_space) throw otherKind(file, 'one that puts a space before each text');
  const { vocab, merges, ...rest } = checked(v.object({ model: ModelSchema }), file, value).model;
  const other = Object.entries(rest).find(([, setting]) => setting !== null && setting !== undefined && setting !== false && setting !== '');
  if (other) throw otherKind(file, `one with ${other[0]}`);
  const known = new Set(Object.keys(vocab));
  return [[...Object.entries(vocab), ...added.filter(({ content }) => !known.has(content)).map(({ content, id: number }) => [content, number] as const)], merges];
}

/** One merge a line, after a line that says the version. */
function mergeLines(text: string): readonly string[] {
  return text.split(/\r?\n/).filter((line, at) => line !== '' && !(at === 0 && line.startsWith('#version')));
}

function definitionOf(entries: readonly Entry[], merges: readonly string[], file: string): TokenizerDefinition {
  const vocabulary = new Array<string | undefined>(entries.reduce((most, [, number]) => Math.max(most, number + 1), 0)).fill(undefined);
  for (const [name, number] of entries) {
    if (vocabulary[number] !== undefined) throw new UserError(`${path.basename(file)} gives the number ${number} to "${vocabulary[number] ?? ''}" and to "${name}".`);
    vocabulary[number] = name;
  }
  // Numbers without a word are left in some vocabularies.
  return checked(TokenizerSchema, file, { format: 1, vocabulary: vocabulary.map((name, number) => name ?? `#${number}`), merges });
}

function otherKind(file: string, what: string): UserError {
  return new UserError(`${path.basename(file)} is ${what}; only byte-level BPE as GPT-2's is read, so that tokens are numbers.`);
}

function checked<T>(schema: v.GenericSchema<unknown, T>, file: string, value: unknown): T {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const at = v.getDotPath(issue);
  throw new UserError(`${path.basename(file)} is no tokenizer${at ? ` at "${at}"` : ''}: ${issue.message}.`);
}
