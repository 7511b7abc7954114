import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Frame } from 'playwright-core';
import { anEffect, aTry, eventually } from '../support/eventually';
import type { CodeWindow } from '../support/window';
import type { Circuits } from './circuits';
import { open, timeToOpen, type Opened } from './opened';
import { untilStored } from './stored';

const model = 'array-update';
let window: CodeWindow;
let circuits: Circuits;
let close: Opened['close'] | undefined;

beforeAll(async () => {
  ({ window, circuits, close } = await open());
  await circuits.open();
  // Two checkpoints: the hundredth step, and the last.
  await circuits.train(model, 120);
  await circuits.untilModelSays(model, /^loss/);
}, timeToOpen);

afterAll(() => close?.());

/** The panel of the OV circuit once it shows the circuit of this head. */
async function circuitOf(head: string): Promise<Frame> {
  const panel = await window.webview(`OV circuit: ${model}`);
  await panel.getByRole('combobox', { name: 'Head' }).locator('.selected-value').getByText(head, { exact: true }).waitFor();
  await panel.locator('.figure').first().waitFor();
  return panel;
}

describe('panels, the tree and the clipboard', () => {
  test('a head is picked by a click on its cell, and is picked in the tree', async () => {
    await window.palette('Circuits: Open Head Scores');
    const panel = await window.webview(`Head scores: ${model}`);
    const scores = panel.locator('.figure-heatmap').first();
    await eventually('the picked cell', async () => {
      const box = await scores.locator('.nsewdrag').boundingBox(aTry);
      if (!box) return undefined;
      // Two heads, a row each: the second in the lower half.
      const position = { x: box.width / 10, y: (3 * box.height) / 4 };
      await scores.locator('.nsewdrag').hover({ position, ...aTry });
      await scores.locator('.readout').getByText(/^Head L1H0/).waitFor(aTry);
      await scores.locator('.nsewdrag').click({ position, ...aTry });
      await scores.getByText('(locked)').waitFor(anEffect);
      return true;
    });
    await window.page.getByRole('treeitem', { name: 'Head 0 of layer 1', selected: true }).waitFor();
    await window.screenshot('vscode/head picked');
  });

  test('what analyses say of a head stands beside its name', async () => {
    await eventually('the badge of L1H0', async () => {
      const { description, spoken } = await circuits.models.row(model, 'Layer 1', 'L1H0');
      return /copying \d\.\d\d/.test(description) && spoken === `Head 0 of layer 1, ${description.replaceAll(' · ', ', ')}` ? true : undefined;
    });
  });

  test('what a cell is about opens in another analysis', async () => {
    const panel = await window.webview(`Head scores: ${model}`);
    await circuits.fromMenu(panel, 'Open in…', 'OV circuit of L1H0');
    await circuitOf('L1H0');
    await window.page.getByRole('tab', { name: `OV circuit: ${model}`, selected: true }).waitFor();
    await window.screenshot('vscode/opened in another analysis');
  });

  test('what a figure shows is copied as a claim', async () => {
    const panel = await circuitOf('L1H0');
    await Promise.all([window.statusBarItem('Copied a claim').waitFor(), circuits.fromMenu(panel, 'Export', 'Copy as claim')]);
    const text = await eventually('the claim on the clipboard', async () => (await window.page.evaluate(() => navigator.clipboard.readText())) || undefined);
    expect(JSON.parse(text)).toMatchObject({ analysis: 'ov-circuit', params: { head: '1.0' }, scalar: 'copying', expect: expect.stringMatching(/^>= [\d.e-]+$/) });
  });

  test('a panel that is opened again has the parameters that it had', async () => {
    await window.palette('View: Close All Editors');
    await eventually('the panels to close', async () => ((await window.editorTitles()).length === 0 ? true : undefined));
    await window.palette('Circuits: Open OV Circuit');
    await circuitOf('L1H0');
  });

  test('a row of a head opens an analysis of that head', async () => {
    await window.quickInput.askedBy(() => circuits.models.contextMenu([model, 'Layer 0', 'L0H0'], 'Open Analysis…'), 'Analysis');
    // The list is long, and only what is in sight can be clicked.
    await window.quickInput.type('OV circuit');
    await window.quickInput.choose('OV circuit');
    await circuitOf('L0H0');
  });

  test('parameters and the picked head outlive the window', async () => {
    await window.palette('View: Close All Editors');
    await untilStored(window.page, 'the parameters, and a window without panels', texts => {
      const isKept = texts.some(text => /"ov-circuit [^"]+",\{"head":"0\.0"/.test(text));
      return isKept && !texts.some(text => text.includes('editorpart.state'));
    });
    await window.reload();
    await window.palette('Circuits: Open OV Circuit');
    await circuitOf('L0H0');
    await window.palette('Circuits: Open Attention');
    const panel = await circuits.attention(model);
    await panel.getByRole('radio', { name: 'L0H0', checked: true }).waitFor();
    await window.screenshot('vscode/kept parameters');
  });

  test('linked panels are at the same checkpoint, also after a reload', async () => {
    const at = (panel: Frame, place: string) => panel.locator('.checkpoint').getByText(place).waitFor();
    const linked = (panel: Frame) => panel.locator('.checkpoint > vscode-button[aria-pressed=true]').waitFor();
    await window.palette('View: Close All Editors');
    await window.palette('Circuits: Open OV Circuit');
    const first = await circuitOf('L0H0');
    await first.getByRole('button', { name: 'Link panels of this model' }).click();
    await linked(first);
    await first.getByRole('slider', { name: 'Checkpoint' }).press('Home');
    await at(first, 'Step 100 of 120');
    await window.palette('Circuits: Open Head Scores');
    const second = await window.webview(`Head scores: ${model}`);
    await at(second, 'Step 100 of 120');
    await linked(second);
    await second.getByRole('button', { name: 'Later checkpoint' }).click();
    await at(second, 'Newest weights');
    await window.showEditor(`OV circuit: ${model}`);
    const again = await circuitOf('L0H0');
    await at(again, 'Newest weights');
    await again.getByRole('button', { name: 'Earlier checkpoint' }).click();
    await at(again, 'Step 100 of 120');
    await window.screenshot('vscode/linked panels');
    await window.showEditor(`Head scores: ${model}`);
    await at(await window.webview(`Head scores: ${model}`), 'Step 100 of 120');
    await untilStored(window.page, 'both panels, linked, and their checkpoint', texts =>
      texts.some(text => (text.match(/checkpoint\W+100\b/g) ?? []).length >= 2 && (text.match(/linked\W+true/g) ?? []).length >= 2));
    await window.reload();
    for (const title of [`OV circuit: ${model}`, `Head scores: ${model}`]) {
      await window.showEditor(title);
      const panel = await window.webview(title);
      await linked(panel);
      await at(panel, 'Step 100 of 120');
    }
  });
});
