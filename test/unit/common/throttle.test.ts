import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { throttle } from '../../../src/common/throttle';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('runs at once, then at most once in the interval, and never loses the last call', () => {
  const run = vi.fn();
  const { call } = throttle(run, 100);
  call();
  expect(run).toHaveBeenCalledTimes(1);
  call();
  call();
  expect(run).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(100);
  expect(run).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(1000);
  expect(run).toHaveBeenCalledTimes(2);
  call();
  expect(run).toHaveBeenCalledTimes(3);
});

test('runs no more once it is disposed', () => {
  const run = vi.fn();
  const throttled = throttle(run, 100);
  throttled.call();
  throttled.call();
  throttled.dispose();
  throttled.call();
  vi.runAllTimers();
  expect(run).toHaveBeenCalledTimes(1);
});
