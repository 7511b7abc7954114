import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { RunRecorder, type RunFiles } from '../../../src/engine/runRecorder';
import type { TrainingState } from '../../../src/training/run';

const state = (step: number): TrainingState => ({ step, seconds: 0, streak: 0, parameters: new Map(), moments: new Map() });

/** Files that take a moment to write and keep the order of what was written; one name can be made to fail. */
class SlowFiles implements RunFiles {
  readonly written: string[] = [];
  failing: string | undefined;

  appendMetrics(rows: readonly { readonly step: number }[]): Promise<void> {
    return this.write(`rows ${rows.map(row => row.step).join(' ')}`);
  }

  writeCheckpoint({ step }: TrainingState): Promise<void> {
    return this.write(`checkpoint ${step}`);
  }

  update({ progress }: { readonly progress: { readonly step: number } }): Promise<void> {
    return this.write(`record ${progress.step}`);
  }

  private async write(what: string): Promise<void> {
    await Promise.resolve();
    if (this.failing !== undefined && what.startsWith(this.failing)) throw new Error(`${what} failed`);
    this.written.push(what);
  }
}

describe('the recorder of a run', () => {
  let files: SlowFiles;
  let failures: unknown[];
  let recorder: RunRecorder;

  beforeEach(() => {
    vi.useFakeTimers();
    files = new SlowFiles();
    failures = [];
    recorder = new RunRecorder(files, error => failures.push(error));
  });
  afterEach(() => {
    recorder.dispose();
    vi.useRealTimers();
  });

  test('writes every row before the checkpoint that follows it', async () => {
    for (let step = 0; step < 5; step++) recorder.metrics({ step, seconds: 0 });
    await recorder.checkpoint(state(5));
    recorder.metrics({ step: 5, seconds: 0 });
    await recorder.flush();
    expect(files.written).toEqual(['rows 0', 'rows 1 2 3 4', 'checkpoint 5', 'rows 5']);
  });

  test('brings the record up to date every two seconds, with the newest only', async () => {
    const records = () => files.written.filter(what => what.startsWith('record'));
    for (let step = 1; step <= 30; step++) {
      recorder.metrics({ step, seconds: 0 });
      recorder.progress({ step, steps: 100 }, {});
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(records()).toEqual(['record 20']);
    await vi.advanceTimersByTimeAsync(1000);
    expect(records()).toEqual(['record 20', 'record 30']);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(records()).toHaveLength(2);
  });

  test('tells once of what cannot be written, tries nothing after it, and throws it to whoever waits', async () => {
    files.failing = 'rows 1';
    recorder.metrics({ step: 0, seconds: 0 });
    recorder.metrics({ step: 1, seconds: 0 });
    await expect(recorder.checkpoint(state(1))).rejects.toThrow('rows 1 failed');
    recorder.metrics({ step: 2, seconds: 0 });
    await expect(recorder.flush()).rejects.toThrow('rows 1 failed');
    await expect(recorder.checkpoint(state(2))).rejects.toThrow('rows 1 failed');
    expect(failures).toHaveLength(1);
    expect(files.written).toEqual(['rows 0']);
  });
});
