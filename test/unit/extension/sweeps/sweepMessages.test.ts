import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readSweepMessage, readSweepState } from '../../../../src/extension/sweeps/sweepMessages';
import { sweepMetrics } from '../../../../src/protocol/sweep';
import type { FromSweepPanel } from '../../../../src/protocol/sweepPanel';

describe('a message of a sweep panel', () => {
  test('is taken when every field fits', () => {
    const messages: readonly FromSweepPanel[] = [
      { kind: 'ready' },
      { kind: 'state', state: { sweep: 's' } },
      { kind: 'state', state: { sweep: 's', metric: 'testLoss', field: 'model.d_model', sorting: { column: 'progress', direction: 'ascending' } } },
      { kind: 'control', action: 'cancel' },
      { kind: 'control', action: 'resume' },
      { kind: 'curves', metric: 'testAccuracy', runs: [0, 7] },
      { kind: 'open', model: 'm' },
      { kind: 'save', name: 'runs', format: 'csv', content: 'a,b' },
      { kind: 'save', name: 'runs', format: 'md', content: '| a |' },
      { kind: 'save', name: 'figure', format: 'png', content: Uint8Array.of(1) },
      { kind: 'failed', message: 'x is undefined' },
    ];
    for (const message of messages) expect(readSweepMessage(message)).toEqual(message);
  });

  test('is not believed otherwise', () => {
    const wrong = [
      undefined, null, 1, 'ready', [], {}, { kind: 'ready', extra: 1 }, { kind: 'cancel' },
      { kind: 'state', state: {} }, { kind: 'state', state: { sweep: 's', metric: 'speed' } }, { kind: 'state', state: { sweep: 's', field: 3 } },
      { kind: 'state', state: { sweep: 's', sorting: { column: 'run', direction: 'up' } } }, { kind: 'state', state: { sweep: 's', more: 1 } },
      { kind: 'control', action: 'forget' }, { kind: 'control' }, { kind: 'open', model: '' }, { kind: 'open', model: ['m'] }, { kind: 'open', model: 'm'.repeat(1001) },
      { kind: 'curves', metric: 'speed', runs: [] }, { kind: 'curves', metric: 'testLoss', runs: [-1] }, { kind: 'curves', metric: 'testLoss', runs: new Array(51).fill(0) },
      { kind: 'save', name: 'x', format: 'exe', content: '' }, { kind: 'save', name: 'x', format: 'md', content: [1] }, { kind: 'save', name: '', format: 'md', content: '' },
    ];
    for (const message of wrong) expect(readSweepMessage(message), JSON.stringify(message)).toBeUndefined();
  });
});

describe('what was kept of a sweep panel', () => {
  test('is taken back, without what no longer makes sense', () => {
    const state = { sweep: 's', metric: 'testAccuracy', field: 'seed', sorting: { column: 'seed', direction: 'descending' } };
    expect(readSweepState(state)).toEqual(state);
    expect(readSweepState({ sweep: 's', metric: 'speed', field: 3, sorting: 'up', more: 1 })).toEqual({ sweep: 's' });
  });

  test('is nothing without a sweep, whatever it is', () => {
    for (const state of [undefined, null, {}, { sweep: '' }, { sweep: 3 }]) expect(readSweepState(state)).toBeUndefined();
    fc.assert(fc.property(fc.anything(), state => {
      const read = readSweepState(state);
      expect(read === undefined || (read.sweep !== '' && (read.metric === undefined || sweepMetrics.includes(read.metric)))).toBe(true);
    }));
  });
});
