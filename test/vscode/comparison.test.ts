import { afterAll, beforeAll, expect, test } from 'vitest';
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
  await circuits.train(model, 120);
  await circuits.untilModelSays(model, /^loss/);
}, timeToOpen);

afterAll(() => close?.());

test('two checkpoints of a model are compared, side by side and by their difference, also after a reload', async () => {
  await window.palette('Circuits: Open Attention');
  await circuits.attention(model);
  await window.ask('Circuits: Compare With…', 'Checkpoint or model');
  await window.quickInput.choose('Step 100');
  const panel = await window.webview(`Attention: ${model}`);
  await panel.getByRole('group', { name: 'Comparison' }).getByText('Compared with step 100').waitFor();
  await panel.locator('.figure-of').getByText('newest weights').waitFor();
  expect(await panel.locator('section.figure').count()).toBe(2);
  await window.screenshot('vscode/compared');
  await panel.getByRole('radiogroup', { name: 'Show' }).getByText('Difference').click();
  await panel.getByText('newest weights less step 100.').first().waitFor();
  await untilStored(window.page, 'what is compared, and how', texts => texts.some(text => /against\W+model\W+\w+\W+checkpoint\W+100\b/.test(text) && /view\W+difference/.test(text)));
  await window.reload();
  const again = await window.webview(`Attention: ${model}`);
  await again.getByText('newest weights less step 100.').first().waitFor();
  await again.getByRole('button', { name: 'Stop comparing' }).click();
  await again.getByRole('button', { name: 'Compare with…' }).waitFor();
  await again.locator('.figure-attention').waitFor();
});
