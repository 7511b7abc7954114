import { describe, expect, test } from 'vitest';
import { bestRow, type SweepRow } from '../../../src/protocol/sweep';

type Measured = Pick<SweepRow, 'status' | 'metrics'>;

function row(testLoss: number | undefined, status: SweepRow['status'] = 'finished'): Measured {
  return { status, metrics: testLoss === undefined ? {} : { testLoss, testAccuracy: testLoss } };
}

describe('the best run', () => {
  test('has the lowest loss, or the highest accuracy, and is the first of equals', () => {
    const rows = [row(0.5), row(0.2), row(0.2), row(undefined)];
    expect(bestRow(rows, 'testLoss')).toBe(rows[1]);
    expect(bestRow(rows, 'testAccuracy')).toBe(rows[0]);
  });

  test.each(['failed', 'interrupted', 'stopped', 'training', 'paused'] as const)('is a finished one, not one that is %s with a lower loss', status => {
    const finished = row(0.5);
    expect(bestRow([row(0.1, status), finished, row(0.2, status)], 'testLoss')).toBe(finished);
    expect(bestRow([row(0.1, status)], 'testLoss')).toBeUndefined();
  });

  test('is none where none has been measured', () => {
    expect(bestRow([row(undefined)], 'testLoss')).toBeUndefined();
    expect(bestRow([row(0.5)], 'trainLoss')).toBeUndefined();
  });
});
