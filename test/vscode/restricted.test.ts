import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CodeWindow } from '../support/window';
import type { Circuits } from './circuits';
import { open, timeToOpen, type Opened } from './opened';

let window: CodeWindow;
let circuits: Circuits;
let close: Opened['close'] | undefined;

beforeAll(async () => {
  const files = { 'foreign.circuit.json': '{ "task": "no-such-task", "model": {}, "training": {}, "sweep": { "seed": [0, 1] } }' };
  ({ window, circuits, close } = await open({ files, workspaceTrust: true }));
}, timeToOpen);

afterAll(() => close?.());

test('in Restricted Mode bundled experiments are trained and models are browsed', async () => {
  await window.statusBarItem('Restricted Mode').waitFor();
  await circuits.open();
  await circuits.train('array-update', 20);
  await circuits.untilModelSays('array-update', /^loss/);
  await circuits.models.click('array-update', 'Layer 0', 'L0H0');
  await circuits.attention('array-update');
  await window.screenshot('vscode/restricted');
});

test('files of the workspace are checked, which runs nothing of theirs', async () => {
  await window.openFile('foreign.circuit.json');
  expect((await window.problems()).map(({ severity }) => severity)).toContain('error');
});

test('but they are not trained', async () => {
  await window.palette('Circuits: Train Model…');
  await window.quickInput.shows('Train Model');
  const bundled = (await readdir(path.join(import.meta.dirname, '../../media/experiments'))).map(file => file.replace('.circuit.json', ''));
  // Those that are in sight: there are more than the list has rows.
  const offered = (await window.quickInput.items()).map(({ label }) => label);
  expect(offered.length).toBeGreaterThan(5);
  expect(bundled).toEqual(expect.arrayContaining(offered));
  await window.quickInput.cancel();
  await window.palette('Circuits: Train This Experiment…');
  await window.notification('Trust the workspace to train its experiments');
});

test('nor are their sweeps run', async () => {
  await window.palette('Circuits: Sweep…');
  await window.quickInput.shows('Sweep');
  const offered = (await window.quickInput.items()).map(({ label }) => label);
  expect(offered.length).toBeGreaterThan(0);
  expect(offered).not.toContain('foreign');
  await window.quickInput.cancel();
});
