import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually';
import type { CodeWindow } from '../support/window';
import type { Circuits } from './circuits';
import { open, timeToOpen, type Opened } from './opened';

let window: CodeWindow;
let circuits: Circuits;
let close: Opened['close'] | undefined;

beforeAll(async () => {
  const files = {
    'foreign.circuit.json': '{ "task": "no-such-task", "model": {}, "training": {}, "sweep": { "seed": [0, 1] } }',
    'module.circuit.json': '{ "task": "./module.ts", "model": { "n_layers": 1, "n_heads": 1, "d_model": 8, "d_head": 8 }, "training": { "steps": 1 } }',
    'module.ts': 'throw new Error("The module ran.");\n',
  };
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
  await eventually('an error', async () => ((await window.problems()).some(({ severity }) => severity === 'error') ? true : undefined));
});

test('a task module does not run, and its experiment says why', async () => {
  await window.openFile('module.circuit.json');
  const found = await eventually('the problem of the task', async () => {
    const problems = await window.problems();
    return problems.find(({ message }) => message.includes('runs only in a trusted workspace'));
  });
  expect(found).toMatchObject({ severity: 'error', line: 1 });
  expect(await window.page.getByText('The module ran.').count()).toBe(0);
  expect(await circuits.log()).not.toContain('The module ran.');
  await window.screenshot('firstRun/module in restricted mode');
});

test('commands that need trust are not offered', async () => {
  await window.quickInput.openPalette();
  for (const command of ['Circuits: New Task Module…', 'Circuits: Train This Experiment…', 'Circuits: Fine-Tune…']) {
    await window.quickInput.type(`>${command}`);
    // The palette answers with what is like it, or with nothing.
    await eventually(`the palette without ${command}`, async () => {
      const labels = await window.page.locator('.quick-input-list .monaco-list-row .label-name').allInnerTexts();
      return labels.length > 0 && !labels.includes(command) ? true : undefined;
    });
  }
  await window.quickInput.cancel();
});

test('but they are not trained', async () => {
  await window.ask('Circuits: Train Model…', 'Train Model');
  const bundled = (await readdir(path.join(import.meta.dirname, '../../media/experiments'))).map(file => file.replace('.circuit.json', ''));
  // Those that are in sight: there are more than the list has rows.
  const offered = (await window.quickInput.items()).map(({ label }) => label);
  expect(offered.length).toBeGreaterThan(5);
  expect(bundled).toEqual(expect.arrayContaining(offered));
  await window.quickInput.cancel();
});

test('nor are their sweeps run', async () => {
  await window.ask('Circuits: Sweep…', 'Sweep');
  const offered = (await window.quickInput.items()).map(({ label }) => label);
  expect(offered.length).toBeGreaterThan(0);
  expect(offered).not.toContain('foreign');
  await window.quickInput.cancel();
});
