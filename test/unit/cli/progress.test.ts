import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { showRunProgress, showSweepProgress, showWorkProgress } from '../../../src/cli/progress';
import type { SweepSummary } from '../../../src/protocol/sweep';
import { Text } from './text';

const metrics = { testLoss: 0.001234, testAccuracy: 0.5 };

describe('the progress of a run where there is no terminal', () => {
  let stream: Text;

  beforeEach(() => {
    vi.useFakeTimers();
    stream = new Text();
  });
  afterEach(() => void vi.useRealTimers());

  test('is a line at once, one every five seconds, and the last', () => {
    const shown = showRunProgress('max', stream);
    for (let step = 0; step <= 120; step++) {
      shown.show({ step, steps: 200, secondsPerStep: 0.1 }, metrics);
      vi.advanceTimersByTime(100);
    }
    shown.dispose();
    shown.dispose();
    expect(stream.text.split('\n').map(line => /step \d+ of \d+/.exec(line)?.[0])).toEqual([
      'step 0 of 200', 'step 50 of 200', 'step 100 of 200', 'step 120 of 200', undefined,
    ]);
    expect(stream.text).toContain('max: step 50 of 200 · test loss 0.00123 · 50 % · 100 ms a step · 15 s left\n');
  });

  test('lets no name steer what it is printed on', () => {
    const shown = showRunProgress('\u001b[2J\nall clear', stream);
    shown.show({ step: 0, steps: 1 }, {});
    expect(stream.text).not.toContain('\u001b');
  });
});

describe('the progress of an analysis where there is no terminal', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('is nothing for one that is soon done, and else a line every five seconds', () => {
    const stream = new Text();
    const shown = showWorkProgress('Progress measures of max', stream);
    const seconds = (count: number, from: number) => {
      for (let tenth = 0; tenth < 10 * count; tenth++) {
        vi.advanceTimersByTime(100);
        shown.show(from + tenth / 1000);
      }
    };
    seconds(4, 0);
    expect(stream.text).toBe('');
    seconds(7, 0.5);
    shown.dispose();
    expect(stream.text).toBe('Progress measures of max: 50 %\nProgress measures of max: 55 %\n');
  });
});

describe('the progress of an analysis on a terminal', () => {
  test('is a bar that goes when it is done', () => {
    const stream = Object.assign(new Text(), { isTTY: true, columns: 80 });
    const shown = showWorkProgress('Progress {bar} \u001b[2J', stream);
    shown.show(0.5);
    shown.dispose();
    expect(stream.text).toContain('Progress bar');
    expect(stream.text).not.toContain('\u001b[2J');
  });
});

describe('the progress of a sweep where there is no terminal', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('is a line that tells how many runs stand how, and none twice', () => {
    const stream = new Text();
    const shown = showSweepProgress('widths\u001b', stream);
    const show = (counts: SweepSummary['counts']) => shown.show({ id: '1', name: 'widths', status: 'running', fields: [], options: { executor: 'local', parallel: 0 }, createdAt: 0, counts });
    show({ waiting: 3 });
    show({ training: 1, waiting: 2 });
    vi.advanceTimersByTime(6000);
    show({ finished: 1, training: 1, failed: 1 });
    show({ finished: 2, failed: 1 });
    show({ finished: 2, failed: 1 });
    shown.dispose();
    shown.dispose();
    expect(stream.text).toBe([
      'widths\ufffd: 0 of 3 finished · 3 waiting',
      'widths\ufffd: 1 of 3 finished · 1 training · 1 failed',
      'widths\ufffd: 2 of 3 finished · 1 failed',
      '',
    ].join('\n'));
  });
});
