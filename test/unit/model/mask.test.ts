import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/common/errors';
import { allowedAttention, blindPosition, checkMask, isCausal } from '../../../src/model/mask';
import { configOf } from '../../support/models';

const rows = (allowed: Uint8Array, T: number) =>
  Array.from({ length: T }, (_, row) =>
    [...allowed.subarray(row * T, (row + 1) * T)].map(value => (value === 1 ? 'x' : '.')).join(''),
  );

describe('attention is allowed', () => {
  test('to what is not ahead, in causal models', () => {
    expect(rows(allowedAttention(configOf(), 3), 3)).toEqual(['x..', 'xx.', 'xxx']);
  });

  test('everywhere in bidirectional ones', () => {
    expect(rows(allowedAttention(configOf({ attention_dir: 'bidirectional' }), 2), 2)).toEqual(['xx', 'xx']);
  });

  test('where a mask says so, whatever the direction, and in shorter prompts where its end says so', () => {
    const mask = ['.x...', 'x....', 'xxxxx', '..x..', '....x'];
    expect(rows(allowedAttention(configOf({ mask }), 5), 5)).toEqual(mask);
    expect(rows(allowedAttention(configOf({ mask, attention_dir: 'bidirectional' }), 3), 3)).toEqual(['xxx', 'x..', '..x']);
  });
});

test('attention is causal where no position sees a later one, however the model says so', () => {
  expect([configOf(), configOf({ attention_dir: 'bidirectional' })].map(config => isCausal(config, 3))).toEqual([true, false]);
  const lower = ['x....', 'xx...', '..x..', 'x..x.', 'xxxxx'];
  expect(isCausal(configOf({ mask: lower, attention_dir: 'bidirectional' }), 5)).toBe(true);
  // A row that looks ahead matters to prompts so long that it is read.
  const ahead = configOf({ mask: lower.with(2, '..xx.') });
  expect([5, 3, 2].map(T => isCausal(ahead, T))).toEqual([false, false, true]);
});

test('a short prompt can leave a position nothing to attend to, though the mask leaves each something', () => {
  const config = configOf({ mask: ['x....', 'x....', 'x.x..', '.xx..', '.xxxx'] });
  expect([5, 4, 3, 2].map(T => blindPosition(config, T))).toEqual([undefined, 0, undefined, 0]);
  expect(blindPosition(configOf(), 2)).toBeUndefined();
});

describe('a mask that does not fit is refused', () => {
  const problemOf = (mask: string[]) => {
    try {
      checkMask(configOf({ mask }));
    } catch (error) {
      return error instanceof UserError ? error.message : 'not for people';
    }
    return undefined;
  };

  test.each([
    [
      'too few rows',
      ['x....', 'xx...'],
      'The mask must have 5 rows of 5 characters, one for each position of the task.',
    ],
    [
      'a short row',
      ['x....', 'xx..', 'xxx..', 'xxxx.', 'xxxxx'],
      'The mask must have 5 rows of 5 characters, one for each position of the task.',
    ],
    [
      'a row without a source',
      ['x....', 'xx...', '.....', 'xxxx.', 'xxxxx'],
      'Row 2 of the mask allows no source; let position 2 attend at least to itself.',
    ],
  ])('%s', (_, mask, message) => {
    expect(problemOf(mask)).toBe(message);
  });

  test('one that fits, and none, are not', () => {
    expect(problemOf(['x....', 'x....', 'xx...', '..x..', '..xx.'])).toBeUndefined();
    expect(() => checkMask(configOf())).not.toThrow();
  });
});
