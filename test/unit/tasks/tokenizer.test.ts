import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { beforeAll, describe, expect, test } from 'vitest';
import { tokenizerBeside } from '../../../src/engine/tokenizerFiles';
import { tokenizerOf, type Tokenizer } from '../../../src/tasks/tokenizer';

// test/fixtures/tokenizer: made with Hugging Face's tokenizers by make_tokenizer.py

const folder = path.join(import.meta.dirname, '../../fixtures/tokenizer');
const Expected = v.array(v.object({ text: v.string(), ids: v.array(v.number()) }));
let tokenizer: Tokenizer;

beforeAll(async () => {
  const found = await tokenizerBeside(path.join(folder, 'model.safetensors'));
  tokenizer = tokenizerOf(found && 'definition' in found ? found.definition : expect.fail());
});

describe('a tokenizer', () => {
  test('makes the tokens of texts that Hugging Face\'s makes', async () => {
    const expected = v.parse(Expected, JSON.parse(await readFile(path.join(folder, 'expected.json'), 'utf8')));
    expect(expected.length).toBeGreaterThan(200);
    for (const { text, ids } of expected) expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids);
  });

  test('calls its words as people read them, each in another way', () => {
    const { words } = tokenizer;
    expect(words[0]).toBe('<|endoftext|>');
    expect(words).toContain('␣the');
    expect(words).toContain('↵');
    expect(words.some(word => /\s/.test(word))).toBe(false);
    expect(new Set(words).size).toBe(words.length);
    const naive = tokenizer.encode('é').map(token => words[token]);
    expect(naive).toEqual(naive.length === 1 ? ['é'] : ['Ã', '©']);
  });

  test('tells two words apart that read alike', () => {
    expect(tokenizerOf({ format: 1, vocabulary: ['Ġ', 'âĲ£'], merges: [] }).words).toEqual(['␣', '␣ (1)']);
  });

  test('says which character it has no token for', () => {
    const small = tokenizerOf({ format: 1, vocabulary: ['a', 'b'], merges: [] });
    expect(small.encode('abba')).toEqual([0, 1, 1, 0]);
    expect(() => small.encode('abc')).toThrow('The tokenizer of this model has no token for "c".');
  });

  test('takes words that are called as what every object has', () => {
    const odd = tokenizerOf({ format: 1, vocabulary: ['_', 'p', 'o', '__', '__p', 'constructor', '__proto__'], merges: ['_ _', '__ p'] });
    expect(odd.encode('__')).toEqual([3]);
    expect(odd.words).toContain('__proto__');
  });
});
