import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { GatheredChanges } from '../../../src/engine/changes';
import type { ModelsChanged } from '../../../src/protocol/engine';
import type { ModelSummary } from '../../../src/protocol/model';

function summary(id: string, step: number): ModelSummary {
  return {
    id, name: id, task: 'max', status: 'training', progress: { step, steps: 100 }, metrics: {}, n_layers: 1, n_heads: 1, attn_only: true,
    createdAt: 0, path: `/models/${id}`, resumable: false,
  };
}

describe('gathered changes', () => {
  let told: ModelsChanged[];
  let changes: GatheredChanges;

  beforeEach(() => {
    vi.useFakeTimers();
    told = [];
    changes = new GatheredChanges(change => told.push(change));
  });
  afterEach(() => {
    changes.dispose();
    vi.useRealTimers();
  });

  test('tell the first at once, and of what follows only the newest, ten times a second', () => {
    for (let step = 0; step < 1000; step++) {
      changes.change(summary('a', step));
      vi.advanceTimersByTime(1);
    }
    vi.advanceTimersByTime(100);
    expect(told.length).toBeGreaterThanOrEqual(10);
    expect(told.length).toBeLessThanOrEqual(11);
    expect(told[0]?.changed).toEqual([summary('a', 0)]);
    expect(told.at(-1)?.changed).toEqual([summary('a', 999)]);
  });

  test('keep models apart, and forget a change of one that is gone', () => {
    changes.change(summary('a', 1));
    changes.change(summary('b', 1));
    changes.change(summary('c', 1));
    changes.remove('b');
    vi.advanceTimersByTime(100);
    expect(told).toEqual([{ changed: [summary('a', 1)], removed: [] }, { changed: [summary('c', 1)], removed: ['b'] }]);
    vi.advanceTimersByTime(1000);
    expect(told).toHaveLength(2);
  });

  test('tell nothing after their end', () => {
    changes.change(summary('a', 1));
    changes.change(summary('a', 2));
    changes.dispose();
    vi.advanceTimersByTime(1000);
    expect(told).toHaveLength(1);
  });
});
