import { expect, test } from 'vitest';
import { runningMedian } from '../../../src/analysis/runningMedian';

test('the running median keeps a step where it is and drops spikes, with fewer neighbours at the ends', () => {
  expect(runningMedian([5, 5, 5, 5, 1, 1, 1, 1])).toEqual([5, 5, 5, 5, 1, 1, 1, 1]);
  expect(runningMedian([5, 5, 9, 0, 5, 5])).toEqual([5, 5, 5, 5, 5, 5]);
  expect(runningMedian([7, 1, 3])).toEqual([7, 3, 3]);
  expect(runningMedian([])).toEqual([]);
});
