import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UnknownNameError } from '../../../src/common/errors';
import { editDistance, nearestNames, unknownName } from '../../../src/common/nearest';

describe('edit distance', () => {
  test.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['steps', 'stepz', 1],
    ['flaw', 'lawn', 2],
    ['W_Q', 'w_q', 0],
  ])('of "%s" and "%s" is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  test('is a distance', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 7 });
    fc.assert(
      fc.property(word, word, word, (a, b, c) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
        expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
        expect(editDistance(a, b)).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
    );
  });
});

describe('nearest names', () => {
  const hooks = [
    'hook_embed',
    'hook_pos_embed',
    'blocks.0.attn.hook_q',
    'blocks.0.attn.hook_pattern',
    'blocks.0.hook_resid_pre',
  ];

  test('come nearest first, those that contain the name before all', () => {
    expect(nearestNames('hook_embd', hooks)).toEqual(['hook_embed', 'hook_pos_embed']);
    expect(nearestNames('pattern', hooks)[0]).toBe('blocks.0.attn.hook_pattern');
    expect(nearestNames('HOOK_EMBED', hooks)[0]).toBe('hook_embed');
  });

  test('are none where nothing is near, and never more than asked for', () => {
    expect(nearestNames('entropy', ['a', 'bc'])).toEqual([]);
    expect(nearestNames('hook', hooks, 2)).toHaveLength(2);
  });
});

describe('the error for an unknown name', () => {
  test.each([
    [['steps', 'batch'], 'There is no field "stepz"; the nearest is "steps".'],
    [['steps', 'step'], 'There is no field "stepz"; the nearest are "steps", "step".'],
    [['alpha', 'gamma'], 'There is no field "stepz"; there are "alpha", "gamma".'],
    [['alpha'], 'There is no field "stepz"; there is "alpha".'],
    [[], 'There is no field "stepz".'],
    [
      Array.from({ length: 10 }, (_, index) => `${index}${index}${index}${index}${index}${index}`),
      'There is no field "stepz"; there are "000000", "111111", "222222", "333333", "444444", "555555", "666666", "777777", …',
    ],
  ])('among %j', (known, message) => {
    expect(unknownName('field', 'stepz', known)).toEqual(new UnknownNameError(message, nearestNames('stepz', known)));
  });
});
