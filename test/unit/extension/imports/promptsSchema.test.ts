import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv';
import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import { promptsJsonSchema } from '../../../../src/extension/imports/promptsSchema';
import { PromptsFileSchema } from '../../../../src/protocol/promptsFile';
import { readableManifest } from '../../../support/manifest';

const schema = promptsJsonSchema();
const judge = new AjvJsonSchemaValidator().getValidator(JSON.parse(JSON.stringify(schema)));
const prompt = { prompt: 'a b', answer: 'b' };

describe('the JSON schema of files of prompts', () => {
  test('is that of files whose name says so', () => {
    expect(readableManifest.contributes.jsonValidation).toContainEqual({ fileMatch: '*.prompts.json', url: './dist/prompts.schema.json' });
  });

  test.each<[string, unknown]>([
    ['words, positions and pairs', { $schema: 'x', vocabulary: ['a', 'b'], outputs: ['b'], positions: ['one', 'two'], prompts: [{ ...prompt, corrupted: { prompt: 'b b', answer: 0 } }] }],
    ['token ids', { prompts: [{ prompt: [0, 1], answer: 1, corrupted: [1, 1] }] }],
    ['answers at several positions', { prompts: [{ prompt: 'a b', answers: { one: 'b', 1: 0 }, corrupted: 'b b' }] }],
  ])('takes %s, as the engine does', (_, file) => {
    expect(v.is(PromptsFileSchema, file)).toBe(true);
    expect(judge(file)).toMatchObject({ valid: true });
  });

  test.each<[string, unknown]>([
    ['a list', [prompt]],
    ['no prompts', { vocabulary: ['a'] }],
    ['an empty list of prompts', { prompts: [] }],
    ['a field that there is not', { prompts: [prompt], words: ['a'] }],
    ['a field of a prompt that there is not', { prompts: [{ ...prompt, reply: 'b' }] }],
    ['a word with a space', { vocabulary: ['a b'], prompts: [prompt] }],
    ['a negative token', { prompts: [{ prompt: [-1], answer: 0 }] }],
    ['half a token', { prompts: [{ prompt: [0.5], answer: 0 }] }],
    ['a list of answers', { prompts: [{ prompt: 'a b', answers: ['b'] }] }],
    ['a prompt without tokens', { prompts: [{ prompt: [], answer: 0 }] }],
  ])('marks %s, as the engine does', (_, file) => {
    expect(v.is(PromptsFileSchema, file)).toBe(false);
    expect(judge(file)).toMatchObject({ valid: false });
  });

  test.each<[string, unknown]>([
    ['neither an answer nor answers', { prompt: 'a b' }],
    ['both', { ...prompt, answers: { 0: 'a' } }],
  ])('marks a prompt with %s', (_, posed) => {
    expect(judge({ prompts: [posed] })).toMatchObject({ valid: false });
    expect(judge({ prompts: [{ ...prompt, corrupted: posed }] })).toMatchObject({ valid: false });
  });

  test('says of each field what it is, while it is written', () => {
    const fields = Object.entries(schema.properties ?? {});
    const ofPrompts = Object.entries(JSON.parse(JSON.stringify(schema)).properties.prompts.items.properties as Record<string, { description?: string }>);
    expect([...fields, ...ofPrompts].map(([name]) => name)).toEqual(['$schema', 'vocabulary', 'outputs', 'positions', 'prompts', 'prompt', 'answer', 'answers', 'corrupted']);
    for (const [name, field] of [...fields, ...ofPrompts]) expect(field, name).toMatchObject({ description: expect.stringMatching(/^[A-Z].*\.$/) });
  });
});
