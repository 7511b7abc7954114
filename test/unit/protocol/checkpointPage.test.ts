import { describe, expect, test } from 'vitest';
import { readCheckpointMessage, readCheckpointState } from '../../../src/protocol/checkpointPage';

const slice = { tensor: 'a', index: [0], rows: { from: 0, count: 512 }, columns: { from: 5, count: 1 } };

describe('a message of the page of a file of weights', () => {
  test('is what it says', () => {
    for (const message of [{ kind: 'ready' }, { kind: 'again' }, { kind: 'import' }, { kind: 'slice', slice }, { kind: 'statistics', tensors: ['a', ''] }]) {
      expect(readCheckpointMessage(message)).toEqual(message);
    }
  });

  test.each([
    ['more rows than a slice may have', { kind: 'slice', slice: { ...slice, rows: { from: 0, count: 513 } } }],
    ['no rows', { kind: 'slice', slice: { ...slice, rows: { from: 0, count: 0 } } }],
    ['an index that is none', { kind: 'slice', slice: { ...slice, index: [-1] } }],
    ['a file of its own', { kind: 'slice', slice: { ...slice, file: '/etc/passwd' } }],
    ['more tensors than fit on a screen', { kind: 'statistics', tensors: new Array(201).fill('a') }],
    ['a format that nothing is saved in', { kind: 'save', name: 'x', format: 'exe', content: 'x' }],
    ['nothing', null],
  ])('with %s is not believed', (_, message) => {
    expect(readCheckpointMessage(message)).toBeUndefined();
  });
});

test('what was kept of a page counts as far as it makes sense', () => {
  expect(readCheckpointState({ tensor: 'a', index: [1], row: 3, column: 2.5, filter: 7 })).toMatchObject({ tensor: 'a', index: [1], row: 3, column: undefined, filter: undefined });
  for (const state of [undefined, null, 'a', []]) expect(readCheckpointState(state).tensor).toBeUndefined();
});
