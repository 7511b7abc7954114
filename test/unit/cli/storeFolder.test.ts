import path from 'node:path';
import { expect, test } from 'vitest';
import { defaultStoreFolder } from '../../../src/cli/storeFolder';

const home = path.resolve('/home/ada');

test('the store is where the environment says, or where each system keeps data', () => {
  expect(defaultStoreFolder('linux', { CIRCUITS_STORE: '/data/models', XDG_DATA_HOME: '/x' }, home)).toBe(path.resolve('/data/models'));
  expect(defaultStoreFolder('linux', { CIRCUITS_STORE: '' }, home)).toBe(path.join(home, '.local/share/circuit-explorer/models'));
  expect(defaultStoreFolder('linux', { XDG_DATA_HOME: '/x' }, home)).toBe(path.join('/x', 'circuit-explorer/models'));
  expect(defaultStoreFolder('linux', { XDG_DATA_HOME: 'relative' }, home)).toBe(path.join(home, '.local/share/circuit-explorer/models'));
  expect(defaultStoreFolder('darwin', {}, home)).toBe(path.join(home, 'Library/Application Support/circuit-explorer/models'));
  expect(defaultStoreFolder('win32', {}, home)).toBe(path.join(home, 'AppData/Local/circuit-explorer/models'));
});
