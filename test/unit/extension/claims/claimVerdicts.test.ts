import { describe, expect, test } from 'vitest';
import { checkpointLines, keptOf, measurementsOf, outcomeLine, standingText, verdictOf, type MeasuredOnce } from '../../../../src/extension/claims/claimVerdicts';
import type { IndexedOutcome } from '../../../../src/protocol/engine';

function outcome(measured: number | null, changes: Partial<IndexedOutcome> = {}): IndexedOutcome {
  return { index: 0, claim: 'It learns', measured, expect: '>= 0.99', ok: measured !== null && measured >= 0.99, ...changes };
}

function times(...measured: readonly (number | null)[]): readonly MeasuredOnce[] {
  return measured.map((value, seed) => ({ label: `seed ${seed}`, trained: `m${seed}`, outcome: outcome(value, value === null ? { problem: 'It was stopped.' } : {}) }));
}

describe('a claim measured once', () => {
  test('passes, fails with what was measured and expected, or says why it could not be measured', () => {
    expect(verdictOf(times(0.994))).toEqual({ kind: 'passed' });
    expect(verdictOf(times(0.93))).toEqual({ kind: 'failed', message: 'measured 0.93, expected >= 0.99', expected: '>= 0.99', actual: '0.93' });
    expect(verdictOf(times(null))).toEqual({ kind: 'errored', message: 'It was stopped.' });
    expect(verdictOf([])).toEqual({ kind: 'errored', message: 'Nothing was measured.' });
  });

  test('fails with as many digits as it takes to see why, and with what was found', () => {
    const [only] = times(0.989_97);
    expect(verdictOf(only ? [{ ...only, outcome: { ...only.outcome, finding: 'no copying' } }] : [])).toMatchObject({
      message: 'measured 0.98997, expected >= 0.99 (no copying)', actual: '0.98997',
    });
  });
});

describe('a claim measured several times', () => {
  test('holds when it does each time', () => {
    expect(verdictOf(times(0.99, 1, 0.995))).toEqual({ kind: 'passed' });
  });

  test('names the times that it failed, with their values', () => {
    expect(verdictOf(times(0.994, 0.93, 1, 0.5))).toEqual({
      kind: 'failed', message: 'fails for 2 of 4, expected >= 0.99: seed 1: 0.93, seed 3: 0.5',
      expected: 'seed 1: >= 0.99\nseed 3: >= 0.99', actual: 'seed 1: 0.93\nseed 3: 0.5',
    });
  });

  test('could not be measured when that is so once and it never failed', () => {
    expect(verdictOf(times(0.994, null))).toEqual({ kind: 'errored', message: 'seed 1: It was stopped.' });
    expect(verdictOf(times(0.5, null))).toMatchObject({ kind: 'failed', message: 'fails for 1 of 2, expected >= 0.99: seed 0: 0.5\nseed 1: It was stopped.' });
  });

  test('is looked for in the verifications that are about it', () => {
    const verification = (name: string, ...indexes: readonly number[]) => ({ name, id: name, seed: 0, claims: indexes.map(index => outcome(1, { index })) });
    expect(measurementsOf(1, [verification('a', 0), verification('b', 0, 1)], ({ name }) => name).map(({ label }) => label)).toEqual(['b']);
  });
});

describe('what is kept of a claim', () => {
  test('is the time that decided', () => {
    expect(keptOf(times(0.994), false, 5)).toEqual({ trained: 'm0', model: 'm0', measured: 0.994, expect: '>= 0.99', ok: true, at: 5 });
    expect(keptOf(times(0.994, 0.5, null), true, 5)).toEqual({ model: 'm1', measured: 0.5, expect: '>= 0.99', ok: false, at: 5 });
    const other = [{ label: '', trained: 'm0', outcome: outcome(1, { model: 'other', finding: 'keys' }) }];
    expect(keptOf(other, false, 5)).toMatchObject({ trained: 'm0', model: 'other', finding: 'keys' });
  });

  test('is nothing where it was not measured each time and did not fail', () => {
    expect([keptOf(times(null), false, 5), keptOf(times(1, null), true, 5), keptOf([], false, 5)]).toEqual([undefined, undefined, undefined]);
  });
});

describe('in words', () => {
  const kept = { model: 'm', measured: 0.93, expect: '>= 0.99', ok: false, at: 0 };

  test('a claim stands as it was measured last', () => {
    expect(standingText({ isStale: false })).toBe('○ not measured');
    expect(standingText({ isStale: false, outcome: { ...kept, measured: 0.994, ok: true } })).toBe('✓ 0.994');
    expect(standingText({ isStale: false, outcome: kept })).toBe('✗ 0.93, expected >= 0.99');
    expect(standingText({ isStale: true, outcome: kept })).toBe('✗ 0.93, expected >= 0.99 · before the experiment changed');
  });

  test('an outcome is a line', () => {
    expect(outcomeLine('It learns', outcome(0.994))).toBe('✓ It learns: 0.994, expected >= 0.99');
    expect(outcomeLine('It learns', outcome(null, { problem: 'It was stopped.' }))).toBe('✗ It learns: It was stopped.');
  });

  test('checkpoints are a table, which says from where on a claim holds for good', () => {
    const rows = (...measured: readonly (number | null)[]) => measured.map((value, at) => ({ step: at * 500, outcome: outcome(value) }));
    expect(checkpointLines('It learns', rows(0.01, 0.992, 0.5, 0.994, 1))).toEqual([
      'It learns', ' step  measured  holds', '    0      0.01  ✗', '  500     0.992  ✓', '1,000       0.5  ✗', '1,500     0.994  ✓', '2,000         1  ✓',
      'It holds for good from step 1,500 on.',
    ]);
    expect(checkpointLines('It learns', rows(1, 1)).at(-1)).toBe('It holds at every checkpoint.');
    expect(checkpointLines('It learns', rows(null, null, 1))).toEqual(['It learns', 'Measured at the end alone: It could not be measured.']);
    expect(checkpointLines('It learns', rows(1, null)).at(-1)).toBe('It does not hold at the end.');
  });
});
