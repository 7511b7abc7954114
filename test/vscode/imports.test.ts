import { access, readFile, truncate } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { aTry, eventually } from '../support/eventually';
import type { CodeWindow } from '../support/window';
import type { Circuits } from './circuits';
import { open, timeToOpen, type Opened } from './opened';

const model = 'modular-addition-small';

let workspace: string;
let window: CodeWindow;
let circuits: Circuits;
let close: Opened['close'] | undefined;

beforeAll(async () => {
  ({ workspace, window, circuits, close } = await open());
}, timeToOpen);

afterAll(() => close?.());

const inWorkspace = (name: string) => path.join(workspace, name);

async function exportTo(name: string): Promise<void> {
  await window.quickInput.askedBy(() => circuits.models.contextMenu([model], 'Export Model…'), `Export "${model}"`);
  await circuits.saveAs(/\.safetensors$/, inWorkspace(name));
  await window.notification(`Wrote ${name}, `);
}

/** Chooses from the menu of a file in the explorer. */
async function fileMenu(name: string, action: string): Promise<void> {
  await window.openContainer('Explorer');
  const row = window.page.locator('.explorer-folders-view').getByRole('treeitem', { name });
  const item = window.page.locator('.monaco-menu .action-menu-item').filter({ has: window.page.getByText(action, { exact: true }) });
  await eventually(`${action} in the menu of ${name}`, async () => {
    await row.click({ button: 'right', ...aTry });
    await item.hover(aTry);
    await window.page.keyboard.press('Enter');
    await item.waitFor({ state: 'detached', ...aTry });
    return true;
  });
}

async function importWithTask(file: string, picture: string): Promise<void> {
  await window.quickInput.askedBy(() => fileMenu(file, 'Import Model…'), `Import ${file}`);
  await window.screenshot(picture);
  await window.quickInput.choose('Task');
  await window.quickInput.shows('What its prompts mean');
  const suggested = (await window.quickInput.items()).find(({ label }) => label.includes('operation add'));
  await window.screenshot(`${picture}: tasks`);
  await window.quickInput.choose(suggested?.label ?? expect.fail('addition is not suggested'));
  await window.quickInput.message('Seed of its training examples');
  await window.quickInput.accept();
  await window.quickInput.shows('Import it');
  await window.quickInput.choose('Import');
}

test('a model is exported with the Python that rebuilds it', async () => {
  await circuits.train(model, 100);
  await circuits.open();
  await circuits.untilModelSays(model, /accuracy/);
  await exportTo('mine.pt');
  for (const name of ['mine.pt', 'mine.config.json', 'mine.check.json', 'mine.py']) await access(inWorkspace(name));
  await window.answer('Wrote mine.pt', 'Open Python');
  await window.page.getByRole('tab', { name: 'mine.py' }).first().waitFor();
  await window.screenshot('imports/the Python of an export');
  expect(await readFile(inWorkspace('mine.py'), 'utf8')).toContain('weights_only=True');
  await window.clearNotifications();
});

test('a file is imported from the explorer, with the task that fits it', async () => {
  await importWithTask('mine.pt', 'imports/what an import shows');
  await circuits.open();
  await circuits.untilModelSays('mine', /imported from mine\.pt · .*accuracy/);
  await window.screenshot('imports/the imported model');
});

test('it is bound to the very task that it was trained on, and measures the same there', async () => {
  const said = async (name: string) => /accuracy .*/.exec((await circuits.models.row(name)).description)?.[0];
  const before = await said('mine');
  await window.quickInput.askedBy(() => circuits.models.contextMenu(['mine'], 'Bind to Task…'), 'What its prompts mean');
  await window.quickInput.choose('modular-arithmetic…');
  await window.quickInput.shows('Operation');
  await window.quickInput.choose('add');
  for (const [parameter, value] of [['Modulus', '59'], ['Train fraction', '0.5'], ['Seed of its training examples', '0']] as const) {
    await window.quickInput.message(parameter);
    await window.quickInput.type(value);
    await window.quickInput.accept();
  }
  await eventually('another accuracy', async () => ((await said('mine')) === before ? undefined : true));
  expect(await said('mine')).toBe(await said(model));
});

test('its circuits open, and their code is copied', async () => {
  await circuits.models.expand('mine');
  await circuits.models.click('mine', 'Layer 0', 'L0H0');
  const panel = await circuits.attention('mine');
  await Promise.all([window.statusBarItem(/Copied/).waitFor(), circuits.fromMenu(panel, 'Export', 'Copy as TransformerLens code')]);
  expect(await window.page.evaluate(() => navigator.clipboard.readText())).toContain('run_with_cache');
  await window.useTheme('light');
  await window.screenshot('imports/attention of the imported model');
  await window.useTheme('dark');
});

test('its weights are processed into a model of their own', async () => {
  await window.quickInput.askedBy(() => circuits.models.contextMenu(['mine'], 'Process Weights…'), 'As TransformerLens does');
  await window.screenshot('imports/ways to process weights');
  await window.quickInput.accept();
  await eventually('the processed model', async () => {
    const rows = await circuits.models.rows();
    return rows.some(({ description }) => description.includes('mine, processed')) ? true : undefined;
  });
});

test('a file that was cut short says so, and can still be looked at', async () => {
  await exportTo('short.safetensors');
  await window.clearNotifications();
  await truncate(inWorkspace('short.safetensors'), 5000);
  await fileMenu('short.safetensors', 'Import Model…');
  await window.notification(/short\.safetensors.* is cut short/);
  await window.screenshot('imports/a file that was cut short');
  await window.answer(/short\.safetensors.* is cut short/, 'Look at the File');
  await window.page.getByRole('tab', { name: 'short.safetensors' }).first().waitFor();
});
