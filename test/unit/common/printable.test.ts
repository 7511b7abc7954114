import { expect, test } from 'vitest';
import { escaped, jsonText, printable } from '../../../src/common/printable';

test('what steers a terminal, or turns the direction of its text, becomes a sign', () => {
  expect(printable('a\u001b[2J\u202eb\u2066c\nd')).toBe('a\ufffd[2J\ufffdb\ufffdc\nd');
});

test('within a sentence it is written as its code', () => {
  expect(escaped('a\u001b\u009b\u202eb\u200b\u2028é')).toBe('a\\u001b\\u009b\\u202eb\\u200b\\u2028é');
});

test('integers that JSON does not know are numbers', () => {
  expect(jsonText({ n_heads: [4n] })).toBe('{"n_heads":[4]}');
  expect(jsonText(undefined)).toBe('nothing');
});
