import * as v from 'valibot';
import { mostTokens, positionsLimit, wordsLimit } from './taskModule';

const word = v.pipe(v.string(), v.minLength(1), v.maxLength(200));
const plainWord = v.pipe(word, v.regex(/^\S+$/, 'a word has no white space'));
const id = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const wordOrId = v.union([word, id], 'a word or the number of one is expected');
const text = v.pipe(v.string(), v.maxLength(100_000));
const promptText = v.union([text, v.pipe(v.array(id), v.minLength(1), v.maxLength(positionsLimit))], 'a text, or a list of token ids, is expected');

/** By position. To valibot a list is a record too, of the positions from 0 on. */
const answersByPosition = v.pipe(v.unknown(), v.check(answers => !Array.isArray(answers), 'an answer for each position by its name or number is expected, not a list'), v.record(v.string(), wordOrId));

const posedEntries = {
  prompt: v.pipe(promptText, v.description('What the model reads: words with spaces between them, a text for the model\'s tokenizer, or a list of token ids. All prompts are of one length.')),
  answer: v.exactOptional(v.pipe(wordOrId, v.description('The right output at the last position: a word, or its number.'))),
  answers: v.exactOptional(v.pipe(answersByPosition, v.description('The right output at each of some positions, by the position\'s name or number: in place of "answer". All prompts are answered at the same ones.'))),
};

/** A file of prompts: what a model reads, and what would be right. */
export const PromptsFileSchema = v.strictObject({
  $schema: v.exactOptional(v.pipe(v.string(), v.description('The JSON schema of this file; VS Code finds it by the file name.'))),
  vocabulary: v.exactOptional(v.pipe(
    v.array(plainWord), v.minLength(1), v.maxLength(wordsLimit),
    v.description('The words of the tokens, from token 0 on. Absent: those of the model\'s tokenizer, or else the numbers of the tokens.'),
  )),
  outputs: v.exactOptional(v.pipe(
    v.array(plainWord), v.minLength(1), v.maxLength(wordsLimit), v.description('The words of the outputs, from output 0 on. Absent: those of the tokens.'),
  )),
  positions: v.exactOptional(v.pipe(v.array(word), v.minLength(1), v.maxLength(positionsLimit), v.description('What each position of a prompt is called. Absent: its number.'))),
  prompts: v.pipe(
    v.array(v.strictObject({
      ...posedEntries,
      corrupted: v.exactOptional(v.pipe(
        v.union([promptText, v.strictObject(posedEntries)], 'a prompt is expected, or one with its answer'),
        v.description('The prompt that it is patched with: another of these prompts, or one with an answer of its own. All prompts have one, or none.'),
      )),
    })),
    v.minLength(1), v.maxLength(mostTokens),
    v.description('The prompts, each another, with their right answers.'),
  ),
});
export type PromptsFile = v.InferOutput<typeof PromptsFileSchema>;
