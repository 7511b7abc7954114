import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { tokenizerBeside } from '../../../src/engine/tokenizerFiles';
import { temporaryFolder } from '../store/folders';

const fixtures = path.join(import.meta.dirname, '../../fixtures/tokenizer');
let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});
const beside = () => tokenizerBeside(path.join(folder, 'model.safetensors'));

async function changed(change: (tokenizer: Record<string, Record<string, unknown>>) => void): Promise<void> {
  const tokenizer = JSON.parse(await readFile(path.join(fixtures, 'tokenizer.json'), 'utf8')) as Record<string, Record<string, unknown>>;
  change(tokenizer);
  await writeFile(path.join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
}

test('a folder without a tokenizer has none', async () => {
  expect(await beside()).toBeUndefined();
});

test('words and merges are the same of either kind of files', async () => {
  await Promise.all(['vocab.json', 'merges.txt'].map(name => copyFile(path.join(fixtures, name), path.join(folder, name))));
  const found = await beside();
  expect(found).toHaveProperty('definition.vocabulary.length', 400);
  expect(found).toEqual(await tokenizerBeside(path.join(fixtures, 'model.safetensors')));
});

test('what GPT-2\'s own file leaves out is as GPT-2 has it', async () => {
  await changed(({ model }) => delete model?.['type']);
  expect(await beside()).toHaveProperty('definition');
});

test.each<[string, (tokenizer: Record<string, Record<string, unknown>>) => void]>([
  ['tokenizer.json is a WordPiece tokenizer; only byte-level BPE as GPT-2\'s is read, so that tokens are numbers.', ({ model }) => Object.assign(model ?? {}, { type: 'WordPiece' })],
  ['one that changes texts first (Replace)', tokenizer => Object.assign(tokenizer, { normalizer: { type: 'Replace', pattern: { Regex: '(a+)+$' }, content: '' } })],
  ['one that splits texts in another way (Split)', tokenizer => Object.assign(tokenizer, { pre_tokenizer: { type: 'Split', pattern: { Regex: '(a+)+$' } } })],
  ['one that puts a space before each text', ({ pre_tokenizer }) => Object.assign(pre_tokenizer ?? {}, { add_prefix_space: true })],
  ['one with end_of_word_suffix', ({ model }) => Object.assign(model ?? {}, { end_of_word_suffix: '</w>' })],
  ['is no tokenizer at "model.merges.0"', ({ model }) => Object.assign(model ?? {}, { merges: ['a b c'] })],
  ['gives the number 5 to', ({ model }) => Object.assign(model?.['vocab'] ?? {}, { another: 5 })],
  ['a vocabulary of words and their numbers is expected', ({ model }) => Object.assign(model?.['vocab'] ?? {}, { another: 1e12 })],
])('of another file it is said why it is not read: %s', async (problem, change) => {
  await changed(change);
  expect(await beside()).toEqual({ problem: expect.stringContaining(problem) as string });
});
