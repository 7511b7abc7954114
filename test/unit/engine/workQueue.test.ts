import { describe, expect, test } from 'vitest';
import { CancelledError, UserError } from '../../../src/common/errors';
import { WorkQueue } from '../../../src/engine/workQueue';

const never = new AbortController().signal;

/** Work that ends when it is told to, and says when it has begun. */
function work() {
  let end = () => {};
  let hasBegun = false;
  const over = new Promise<void>(resolve => (end = resolve));
  return { start: () => { hasBegun = true; return over; }, end: () => end(), get hasBegun() { return hasBegun; } };
}

describe('a work queue', () => {
  test('runs a few pieces at once and the others in their order', async () => {
    const queue = new WorkQueue('analyses', 2, 10);
    const pieces = Array.from({ length: 4 }, work);
    const ended = pieces.map(piece => queue.run(never, piece.start));
    expect(pieces.map(piece => piece.hasBegun)).toEqual([true, true, false, false]);
    pieces[1]?.end();
    await ended[1];
    expect(pieces.map(piece => piece.hasBegun)).toEqual([true, true, true, false]);
    pieces[0]?.end();
    await ended[0];
    expect(pieces[3]?.hasBegun).toBe(true);
  });

  test('goes on after work that fails', async () => {
    const queue = new WorkQueue('analyses', 1, 10);
    const failing = queue.run(never, () => Promise.reject(new Error('broken')));
    const next = queue.run(never, () => Promise.resolve('done'));
    await expect(failing).rejects.toThrow('broken');
    await expect(next).resolves.toBe('done');
  });

  test('refuses more than may wait', async () => {
    const queue = new WorkQueue('analyses', 1, 1);
    const [first, second] = [work(), work()];
    const running = [queue.run(never, first.start), queue.run(never, second.start)];
    await expect(queue.run(never, work().start)).rejects.toThrow(new UserError('1 analyses are waiting already; try again when some of them are done.'));
    first.end();
    second.end();
    await Promise.all(running);
    await expect(queue.run(never, () => Promise.resolve('done'))).resolves.toBe('done');
  });

  test('lets go of work that is cancelled while it waits, and keeps the places of the others', async () => {
    const queue = new WorkQueue('analyses', 1, 10);
    const [first, cancelled, third] = [work(), work(), work()];
    const controller = new AbortController();
    const running = queue.run(never, first.start);
    const waiting = queue.run(controller.signal, cancelled.start);
    const last = queue.run(never, third.start);
    controller.abort();
    await expect(waiting).rejects.toThrow(CancelledError);
    first.end();
    await running;
    expect([cancelled.hasBegun, third.hasBegun]).toEqual([false, true]);
    third.end();
    await last;
    await expect(queue.run(controller.signal, work().start)).rejects.toThrow(CancelledError);
  });
});
