import { expect, test } from 'vitest';
import { RestartPolicy } from '../../../src/extension/restartPolicy';

test('allows four restarts in three minutes, and more once the first are older', () => {
  let now = 0;
  const policy = new RestartPolicy(() => now);
  const tries = () => [0, 1, 2, 3, 4].map(() => policy.allows());
  expect(tries()).toEqual([true, true, true, true, false]);
  now = 3 * 60_000 - 1;
  expect(policy.allows()).toBe(false);
  now = 3 * 60_000;
  expect(tries()).toEqual([true, true, true, true, false]);
  policy.forget();
  expect(policy.allows()).toBe(true);
});
