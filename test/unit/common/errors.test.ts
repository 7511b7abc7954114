import { describe, expect, test } from 'vitest';
import { CancelledError, errorCode, messageOf, throwIfCancelled, UserError } from '../../../src/common/errors';

describe('errors', () => {
  test('show their message, and whatever else was thrown as text', () => {
    expect(messageOf(new UserError('The disk is full.'))).toBe('The disk is full.');
    expect([messageOf('word'), messageOf(undefined), messageOf(3)]).toEqual(['word', 'undefined', '3']);
  });

  test('of the system have a code, others none', () => {
    expect(errorCode(Object.assign(new Error('no space'), { code: 'ENOSPC' }))).toBe('ENOSPC');
    expect([
      errorCode(new Error('x')),
      errorCode({ code: 'ENOENT' }),
      errorCode(Object.assign(new Error('x'), { code: 7 })),
    ]).toEqual([undefined, undefined, undefined]);
  });

  test('of cancellation come once the signal is aborted', () => {
    const controller = new AbortController();
    expect(() => throwIfCancelled(controller.signal)).not.toThrow();
    expect(() => throwIfCancelled(undefined)).not.toThrow();
    controller.abort();
    expect(() => throwIfCancelled(controller.signal)).toThrow(CancelledError);
  });
});
