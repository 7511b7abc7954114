import { describe, expect, test } from 'vitest';
import { tokensFromText } from '../../../src/cli/arguments';

describe('prompts of pairs', () => {
  const pairs = { d_vocab: 5, n_ctx: 3, tokens_per_position: 2 } as const;

  test('are lists of parts, twice as many as positions', () => {
    const { shape, data } = tokensFromText('[[1,3, 3,4, 0,0], [2,0, 0,2, 4,4]]', pairs);
    expect(shape).toEqual([2, 3]);
    expect([...data]).toEqual([8, 19, 0, 10, 2, 24]);
  });

  test.each([
    ['half a pair', '[[1, 3, 3]]', 'The prompts in --tokens have 3 numbers; each position of this model holds 2, so there must be an even number of them, at most 6.'],
    ['a part out of range', '[[1, 3, 0, 5]]', 'Token 5 (the second at position 1) of prompt 1 is outside the vocabulary of 5 tokens (0 to 4).'],
  ])('%s is refused', (_, text, message) => {
    expect(() => tokensFromText(text, pairs)).toThrow(message);
  });

  test('of single tokens are read as they are', () => {
    expect([...tokensFromText('[[1, 3, 3]]', { d_vocab: 5, n_ctx: 3 }).data]).toEqual([1, 3, 3]);
  });
});
