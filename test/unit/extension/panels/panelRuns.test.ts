import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CancelledError } from '../../../../src/common/errors';
import { PanelRuns } from '../../../../src/extension/panels/panelRuns';
import type { AnalysisRequest, AnalysisResult } from '../../../../src/protocol/analysis';

interface Progress {
  listener(progress: { readonly fraction: number }): void;
}

const nothing: AnalysisResult = { figures: [], scalars: {} };

function runs() {
  const told: string[] = [];
  let step = 0;
  let answer: (result: AnalysisResult) => void = () => undefined;
  let tell: (fraction: number) => void = () => undefined;
  const engine = {
    requestWithProgress: (_type: unknown, { checkpoint }: AnalysisRequest, progress: Progress, signal: AbortSignal) => new Promise((resolve, reject) => {
      told.push(`run ${checkpoint}`);
      signal.addEventListener('abort', () => {
        told.push(`abort ${checkpoint}`);
        reject(new CancelledError());
      });
      answer = resolve;
      tell = fraction => progress.listener({ fraction });
    }),
  };
  const all = new PanelRuns({
    engine: engine as never,
    request: () => ({ model: 'm', analysis: 'attention', params: {}, checkpoint: step }),
    began: () => undefined,
    working: () => told.push('working'),
    progressed: ({ fraction }) => told.push(`progress ${fraction}`),
    brought: (_, { checkpoint }) => told.push(`brought ${checkpoint}`),
    failed: error => told.push(`failed ${String(error)}`),
    rested: () => told.push('rest'),
  });
  return {
    all,
    told: () => told.splice(0),
    to(next: number) {
      step = next;
      all.runNext();
    },
    progress: (fraction: number) => tell(fraction),
    async answer() {
      answer(nothing);
      await vi.advanceTimersByTimeAsync(0);
    },
  };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('runs that follow a slider', () => {
  test('come one after another, and none that the reader has passed before it began', async () => {
    const { to, told, answer } = runs();
    for (const step of [1, 2, 3]) to(step);
    await answer();
    for (const step of [4, 5]) to(step);
    await answer();
    await answer();
    expect(told()).toEqual(['run 1', 'brought 1', 'run 3', 'brought 3', 'run 5', 'brought 5', 'rest']);
  });

  test('wait for five seconds at most, from the first that waits', async () => {
    const { to, told, answer } = runs();
    to(1);
    await vi.advanceTimersByTimeAsync(60_000);
    to(2);
    await vi.advanceTimersByTimeAsync(4000);
    to(3);
    await vi.advanceTimersByTimeAsync(999);
    expect(told()).toEqual(['run 1', 'working']);
    await vi.advanceTimersByTimeAsync(1);
    await answer();
    expect(told()).toEqual(['abort 1', 'run 3', 'brought 3', 'rest']);
  });

  test('say that they work only where they take a moment', async () => {
    const { to, told, answer, progress } = runs();
    to(1);
    await vi.advanceTimersByTimeAsync(100);
    progress(0.5);
    await answer();
    await vi.advanceTimersByTimeAsync(1000);
    expect(told()).toEqual(['run 1', 'brought 1', 'rest']);
    to(2);
    await vi.advanceTimersByTimeAsync(150);
    progress(0.5);
    await answer();
    expect(told()).toEqual(['run 2', 'working', 'progress 0.5', 'brought 2', 'rest']);
  });

  test('that somebody asked for say so at once, and those that nobody waits for never', async () => {
    const { all, told, answer, progress } = runs();
    for (const kind of ['asked', 'followed'] as const) {
      void all.run(kind);
      progress(0.5);
      await vi.advanceTimersByTimeAsync(1000);
      await answer();
    }
    expect(told()).toEqual(['working', 'run 0', 'progress 0.5', 'brought 0', 'rest', 'run 0', 'brought 0', 'rest']);
  });

  test('do not come after the end, nor after being stopped', async () => {
    const { all, to, told, answer } = runs();
    to(1);
    to(2);
    all.stop();
    await answer();
    expect(told()).toEqual(['run 1', 'abort 1']);
    to(3);
    to(4);
    all.dispose();
    to(5);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told()).toEqual(['run 3', 'abort 3']);
  });
});
