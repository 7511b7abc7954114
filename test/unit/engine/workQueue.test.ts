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

  test('runs first what something is held up by, however many wait', async () => {
    const queue = new WorkQueue('analyses', 1, 1);
    const [running, waiting, urgent, cancelled] = [work(), work(), work(), work()];
    const all = [queue.run(never, running.start), queue.run(never, waiting.start), queue.runFirst(never, urgent.start)];
    const cancel = new AbortController();
    const given = queue.runFirst(cancel.signal, cancelled.start);
    cancel.abort();
    await expect(given).rejects.toThrow(CancelledError);
    running.end();
    await all[0];
    expect([urgent.hasBegun, waiting.hasBegun]).toEqual([true, false]);
    urgent.end();
    await all[2];
    expect(waiting.hasBegun).toBe(true);
    waiting.end();
    await all[1];
    expect(cancelled.hasBegun).toBe(false);
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

describe('work that nobody waits for', () => {
  test('begins when nothing else runs, one piece at a time', async () => {
    const queue = new WorkQueue('analyses', 2, 10);
    const [asked, ...idle] = [work(), work(), work()] as const;
    const running = queue.run(never, asked.start);
    const ended = idle.map(piece => queue.runWhenIdle(never, piece.start));
    expect(idle.map(piece => piece.hasBegun)).toEqual([false, false]);
    asked.end();
    await running;
    expect(idle.map(piece => piece.hasBegun)).toEqual([true, false]);
    idle[0].end();
    await ended[0];
    expect(idle[1].hasBegun).toBe(true);
    idle[1].end();
    await ended[1];
  });

  test('keeps nothing waiting that was asked for', async () => {
    const queue = new WorkQueue('analyses', 2, 10);
    const [idle, later, ...asked] = [work(), work(), work(), work()] as const;
    const ended = [queue.runWhenIdle(never, idle.start), queue.runWhenIdle(never, later.start)];
    const running = asked.map(piece => queue.run(never, piece.start));
    expect(asked.map(piece => piece.hasBegun)).toEqual([true, true]);
    idle.end();
    await ended[0];
    expect(later.hasBegun).toBe(false);
    for (const piece of asked) piece.end();
    await Promise.all(running);
    expect(later.hasBegun).toBe(true);
    later.end();
    await ended[1];
  });

  test('goes on after a piece that fails, and without one that was cancelled', async () => {
    const queue = new WorkQueue('analyses', 1, 10);
    const cancelled = work();
    const controller = new AbortController();
    const failing = queue.runWhenIdle(never, () => Promise.reject(new Error('broken')));
    const waiting = queue.runWhenIdle(controller.signal, cancelled.start);
    const next = queue.runWhenIdle(never, () => Promise.resolve('done'));
    controller.abort();
    await expect(waiting).rejects.toThrow(CancelledError);
    await expect(failing).rejects.toThrow('broken');
    await expect(next).resolves.toBe('done');
    expect(cancelled.hasBegun).toBe(false);
  });
});
