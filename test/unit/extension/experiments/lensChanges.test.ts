import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LensChanges } from '../../../../src/extension/experiments/lensChanges';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('changes of lenses are told once until VS Code has asked for the lenses, and the last is never lost', () => {
  const changes = new LensChanges();
  let told = 0;
  changes.event(() => told++);
  changes.tell();
  for (let step = 0; step < 100; step++) {
    changes.tell();
    vi.advanceTimersByTime(100);
  }
  expect(told).toBe(1);
  changes.asked();
  expect(told).toBe(1);
  vi.advanceTimersByTime(1000);
  expect(told).toBe(2);
  changes.asked();
  vi.advanceTimersByTime(5000);
  expect(told).toBe(2);
  changes.tell();
  expect(told).toBe(3);
  changes.asked();
  changes.tell();
  changes.dispose();
  vi.advanceTimersByTime(5000);
  expect(told).toBe(3);
});
