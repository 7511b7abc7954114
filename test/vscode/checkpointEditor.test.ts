import { open as openFile, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Frame } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { float32, int32 } from '../../src/common/tensor';
import { encodeSafetensors, type SavedTensor } from '../../src/store/safetensors';
import { anEffect, aTry, eventually } from '../support/eventually';
import type { CodeWindow } from '../support/window';
import { open, timeToOpen, type Opened } from './opened';
import { untilStored } from './stored';

const [heads, width, inner] = [2, 24, 12];

/** A matrix of waves, with a few numbers that are none. */
function waves(shape: readonly number[], height: number): SavedTensor {
  const tensor = float32(shape);
  tensor.data.forEach((_, at) => { tensor.data[at] = height * Math.sin(at / 7) * Math.cos(at / 31); });
  return tensor as SavedTensor;
}

function weights(height: number): Uint8Array {
  const query = waves([heads, width, inner], height);
  [Number.NaN, Infinity, -Infinity].forEach((value, at) => { query.data[at + 5] = value; });
  const tensors: [string, SavedTensor][] = [
    ['embed.W_E', waves([30, width], height)], ['blocks.0.attn.W_Q', query], ['blocks.0.attn.b_Q', waves([heads, inner], height)], ['step', int32([1], new Int32Array([7])) as SavedTensor],
    ...Array.from({ length: 60 }, (_, layer): [string, SavedTensor] => [`blocks.${layer}.ln1.w`, waves([width], height)]),
  ];
  return Buffer.concat(encodeSafetensors(new Map(tensors), new Map([['format', 'pt'], ['note', '<img src=x onerror=alert(1)>']])));
}

let window: CodeWindow;
let workspace: string;
let close: Opened['close'] | undefined;

// All of it in Restricted Mode: a file of weights is only read.
beforeAll(async () => {
  const torch = await readFile(path.join(import.meta.dirname, '../fixtures/imported/float16.pt'));
  const whole = weights(1);
  ({ window, workspace, close } = await open({
    files: { 'model.safetensors': whole, 'download.safetensors': whole.subarray(0, whole.length - 1000), 'float16.pt': torch }, workspaceTrust: true,
  }));
  await writeSparse(path.join(workspace, 'huge.safetensors'), 2_000_000_000);
}, timeToOpen);

afterAll(() => close?.());

/** A file of one float32 tensor whose numbers are all 0, which takes no room on the disk. */
async function writeSparse(file: string, elements: number): Promise<void> {
  const header = Buffer.from(JSON.stringify({ huge: { dtype: 'F32', shape: [elements / 1000, 1000], data_offsets: [0, 4 * elements] } }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const handle = await openFile(file, 'w');
  try {
    await handle.write(Buffer.concat([length, header]));
    await handle.truncate(8 + header.length + 4 * elements);
  } finally {
    await handle.close();
  }
}

/** Opens a file from the explorer as a person does. */
async function openFromExplorer(name: string): Promise<void> {
  await eventually(`${name} opened from the explorer`, async () => {
    await window.palette('File: Focus on Files Explorer');
    await window.page.locator('.explorer-folders-view').getByRole('treeitem', { name }).dblclick(aTry);
    await window.page.getByRole('tab', { name, selected: true }).waitFor(anEffect);
    return true;
  });
}

/** The page of the editor in front, once it shows this. */
async function editor(text: string | RegExp): Promise<Frame> {
  return eventually(`an editor that says ${text}`, async () => {
    for (const frame of window.page.frames()) {
      if (await frame.locator('main.file').getByText(text).first().isVisible().catch(() => false)) return frame;
    }
    return undefined;
  });
}

describe('a file of weights', () => {
  test('opens from the explorer, in Restricted Mode too', async () => {
    await window.statusBarItem('Restricted Mode').waitFor();
    await openFromExplorer('model.safetensors');
    const page = await editor('safetensors · ');
    await page.getByRole('heading', { level: 1, name: 'model.safetensors' }).waitFor();
    await page.getByText('64 tensors').first().waitFor();
    await page.getByText('<img src=x onerror=alert(1)>').waitFor();
    // Statistics and histograms come by themselves for what is in sight.
    const row = page.locator('tr', { has: page.getByRole('button', { name: 'blocks.0.attn.b_Q' }) });
    await row.locator('.sparkline').waitFor();
  });

  test.each(['light', 'dark', 'high contrast'] as const)('shows a tensor in numbers and as a picture, in %s', async theme => {
    await window.useTheme(theme);
    const page = await editor('safetensors · ');
    await page.getByRole('button', { name: 'blocks.0.attn.W_Q' }).click();
    await page.getByText('1 NaN, 1 +∞, 1 −∞: in no mean and no histogram.').waitFor();
    await page.getByRole('heading', { name: 'Slice [0, :, :]' }).waitFor();
    await page.getByText('24 × 12. Smallest').waitFor();
    await page.getByText('3 cells without a value, in grey.').waitFor();
    await page.locator('.figure-heatmap .heatmaplayer image').first().waitFor({ state: 'attached' });
    await page.locator('.figure-bars .bars .point').first().waitFor({ state: 'attached' });
    await window.screenshot(`checkpointEditor/${theme.replace(' ', '-')}`);
  });

  test('walks through its tensors by the keyboard', async () => {
    await window.useTheme('dark');
    const page = await editor('safetensors · ');
    const focused = () => page.evaluate(() => document.activeElement?.textContent);
    await page.getByRole('button', { name: 'blocks.0.attn.W_Q' }).press('End');
    await expect.poll(focused).toContain('step');
    await window.page.keyboard.press('ArrowUp');
    await expect.poll(focused).toContain('embed.W_E');
    await window.page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 2, name: 'embed.W_E' }).waitFor();
    await page.getByText('30 × 24. Smallest').waitFor();
  });

  test('is there again after a reload, with the tensor that was selected', async () => {
    await untilStored(window.page, 'the selected tensor', texts => texts.some(text => text.includes('model.safetensors') && /embed\.W_E/.test(text)));
    await window.reload();
    const page = await editor('safetensors · ');
    await page.getByRole('heading', { level: 2, name: 'embed.W_E' }).waitFor();
    await page.getByText('30 × 24. Smallest').waitFor();
  });

  test('is shown as it is once it has changed on disk', async () => {
    const page = await editor('safetensors · ');
    await page.locator('.tensor-statistics').getByText('−1', { exact: true }).or(page.locator('.tensor-statistics').getByText(/^−0\.9/)).first().waitFor();
    await writeFile(path.join(workspace, 'model.safetensors'), weights(50));
    await page.getByText('It has changed on disk since it was opened, and is shown as it is now.').waitFor();
    await page.locator('.tensor-statistics').getByText(/^−(49|50)/).first().waitFor();
  });

  test('of many gigabytes opens at once', async () => {
    const before = Date.now();
    await openFromExplorer('huge.safetensors');
    const page = await editor('8 GB');
    expect(Date.now() - before).toBeLessThan(15_000);
    await page.getByRole('button', { name: 'huge' }).click();
    await page.getByText('2,000,000 are shown, from this one on').or(page.getByLabel(/^Axis 0 from/)).first().waitFor();
    await page.getByText(/of 2,000,000,000 numbers, evenly spread/).first().waitFor();
    await page.getByText('256 × 256').first().waitFor();
    await window.screenshot('checkpointEditor/huge');
  });

  test('of PyTorch opens by choice', async () => {
    await openFromExplorer('float16.pt');
    await window.ask('View: Reopen Editor With...', 'Select editor');
    await window.quickInput.choose('Weights');
    const page = await editor('PyTorch · ');
    await page.getByText(/^TransformerLens, /).waitFor();
    await page.getByRole('button', { name: 'Import as Model' }).waitFor();
    await page.getByRole('button', { name: 'embed.W_E' }).click();
    await page.locator('.figure-heatmap .heatmaplayer image').first().waitFor({ state: 'attached' });
    await window.screenshot('checkpointEditor/torch');
  });

  test('that was cut short says so, and opens once it is whole', async () => {
    await openFromExplorer('download.safetensors');
    const page = await editor(/cut short|bytes/);
    await window.screenshot('checkpointEditor/truncated');
    await writeFile(path.join(workspace, 'download.safetensors'), weights(1));
    await page.getByText('64 tensors').first().waitFor();
    await rm(path.join(workspace, 'download.safetensors'));
  });
});
