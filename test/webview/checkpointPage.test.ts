import { describe, expect, test } from 'vitest';
import type { CheckpointFile } from '../../src/protocol/checkpointFile';
import { bell, fileOf, modelTensors, wavesOf } from './checkpointSamples';
import { drawn, themeNames, usePanels, type OpenFile } from './support';

const panels = usePanels();

async function open(file: CheckpointFile = fileOf(), options: Parameters<typeof panels.openFile>[0] = {}): Promise<OpenFile> {
  const panel = await panels.openFile(options);
  await panel.next('ready');
  await panel.post({ kind: 'file', file, changed: false });
  await panel.page.getByRole('heading', { level: 1 }).waitFor();
  return panel;
}

/** Answers with statistics of all tensors that are asked for. */
async function measure(panel: OpenFile, over: Parameters<typeof bell>[1] = {}): Promise<readonly string[]> {
  const { tensors } = await panel.next('statistics');
  for (const tensor of tensors) await panel.post({ kind: 'statistics', tensor, statistics: bell(1000, over) });
  return tensors;
}

/** Selects a tensor and answers with its slice. */
async function select(panel: OpenFile, name: string): Promise<void> {
  await row(panel, name).click();
  const { slice } = await panel.next('slice');
  expect(slice.tensor).toBe(name);
  await panel.post({ kind: 'slice', asked: slice, slice: wavesOf(slice) });
  await panel.page.getByRole('application', { name: /, \d+ by \d+/ }).waitFor();
  await drawn(panel);
}

function row({ page }: OpenFile, name: string) {
  return page.getByRole('button', { name, exact: true });
}

function names({ page }: OpenFile): Promise<string[]> {
  return page.locator('.tensor-list .row-press').allInnerTexts();
}

describe('a file', () => {
  test('says what it is, and can be imported where it can become a model', async () => {
    const panel = await open();
    const { page } = panel;
    await page.getByRole('heading', { level: 1, name: 'grokking.safetensors' }).waitFor();
    // 14,464 + 3 · 16,384 … of W_U, W_Q, W_O, mask, IGNORE, W_in, b_in, W_E and nothing.
    await page.getByText('safetensors · 912 kB · 9 tensors · 127,882 numbers · float32, bool, bfloat16, int64').waitFor();
    await page.getByText('TransformerLens, 1 layer').waitFor();
    await page.getByRole('button', { name: 'Import as Model' }).click();
    await panel.next('import');
  });

  test('that cannot become a model says why, and is not offered to be imported', async () => {
    const { page } = await open(fileOf(modelTensors, { recognised: { problem: 'It lacks embed.W_E.' } }));
    await page.getByText('It cannot become a model. It lacks embed.W_E.').waitFor();
    expect(await page.getByRole('button', { name: 'Import as Model' }).count()).toBe(0);
  });

  test('has names and texts that are text, however long', async () => {
    const panel = await open(fileOf([{ name: '<img src=x onerror=alert(1)>\u202etxt', dtype: 'float32', shape: [1] }], { metadata: [['note', `<b>bold</b>${'x'.repeat(100_000)}`]] }));
    await panel.page.getByText(/^<b>bold<\/b>x+… \(98,011 characters more\)$/).waitFor();
    expect(await panel.page.locator('main img, main b').count()).toBe(0);
    expect(await panel.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(1000);
    expect(panel.complaints).toEqual([]);
  });

  test('that cannot be read is tried again, and shown once it can be', async () => {
    const panel = await panels.openFile();
    await panel.next('ready');
    await panel.post({ kind: 'problem', message: 'model.safetensors is cut short.', final: false });
    await panel.page.getByRole('alert').getByText('model.safetensors is cut short.').waitFor();
    expect(await panel.violations()).toEqual([]);
    await panel.page.getByRole('button', { name: 'Try Again' }).click();
    await panel.next('again');
    await panel.post({ kind: 'file', file: fileOf(), changed: false });
    await panel.page.getByText('9 tensors', { exact: true }).waitFor();
    expect(await panel.page.getByText('is cut short').count()).toBe(0);
  });

  test('that no other try can mend has no button for one', async () => {
    const panel = await panels.openFile();
    await panel.next('ready');
    await panel.post({ kind: 'problem', message: 'Only files on this machine are shown.', final: true });
    await panel.page.getByText('Only files on this machine are shown.').waitFor();
    expect(await panel.page.getByRole('button').count()).toBe(0);
  });

  test('that has changed is measured anew, with the same tensor selected', async () => {
    const panel = await open();
    await measure(panel);
    await select(panel, 'embed.W_E');
    await panel.post({ kind: 'file', file: fileOf(modelTensors.map(tensor => tensor.name === 'embed.W_E' ? { ...tensor, shape: [20, 8] } : tensor)), changed: true });
    await panel.page.getByText('It has changed on disk since it was opened').waitFor();
    expect((await panel.next('statistics')).tensors[0]).toBe('embed.W_E');
    expect((await panel.next('slice')).slice).toEqual({ tensor: 'embed.W_E', index: [], rows: { from: 0, count: 20 }, columns: { from: 0, count: 8 } });
    await panel.page.getByText('bfloat16 · [20, 8] · 160 numbers').waitFor();
    // A tensor that is gone is shown no more.
    await panel.post({ kind: 'file', file: fileOf(modelTensors.filter(({ name }) => name !== 'embed.W_E')), changed: true });
    await panel.page.getByText('Select a tensor to see its numbers.').waitFor();
  });
});

describe('the list of tensors', () => {
  test('is in the order of the layers, and filtered by parts of names', async () => {
    const layers = Array.from({ length: 12 }, (_, layer) => ({ name: `blocks.${layer}.ln1.w`, dtype: 'float32', shape: [8] }) as const);
    const panel = await open(fileOf([...layers].sort((a, b) => a.name < b.name ? -1 : 1)));
    expect(await names(panel)).toEqual(layers.map(({ name }) => name));
    const filter = panel.page.getByRole('textbox', { name: 'Filter' });
    await filter.fill('blocks.1 LN');
    await expect.poll(() => names(panel)).toEqual(['blocks.1.ln1.w', 'blocks.10.ln1.w', 'blocks.11.ln1.w']);
    await panel.page.getByText('3 of 12').waitFor();
    expect(await panel.kept()).toEqual({ filter: 'blocks.1 LN' });
    await filter.fill('nothing');
    await panel.page.getByText('0 of 12').waitFor();
    expect(await names(panel)).toEqual([]);
    expect(await panel.violations()).toEqual([]);
  });

  test('of PyTorch is in the order of the file', async () => {
    const panel = await open(fileOf(modelTensors, { format: 'torch' }));
    expect((await names(panel)).slice(0, 2)).toEqual(['unembed.W_U', 'blocks.0.attn.W_Q']);
  });

  test('has small histograms and numbers, and says what is not finite, empty, or could not be read', async () => {
    const panel = await open();
    const { page } = panel;
    const { tensors } = await panel.next('statistics');
    expect([...tensors].sort()).toEqual(modelTensors.map(({ name }) => name).sort());
    const cells = (name: string) => page.getByRole('row').filter({ has: page.getByRole('button', { name, exact: true }) });
    await panel.post({ kind: 'statistics', tensor: 'embed.W_E', statistics: bell(1000, { nan: 2, negativeInfinities: 1 }) });
    await cells('embed.W_E').getByText('2 NaN, 1 −∞').waitFor();
    expect(await cells('embed.W_E').locator('td').allInnerTexts()).toEqual(expect.arrayContaining(['−0.4', '0.00125', '0.4']));
    expect(await cells('embed.W_E').locator('.sparkline path').getAttribute('d')).not.toMatch(/NaN|Infinity/);
    const nothing = { elements: 3, sampled: 3, nan: 3, positiveInfinities: 0, negativeInfinities: 0, zeros: 0, histogram: [] };
    await panel.post({ kind: 'statistics', tensor: 'blocks.0.attn.mask', statistics: nothing });
    await cells('blocks.0.attn.mask').getByText('3 NaN').waitFor();
    await panel.post({ kind: 'statistics', tensor: 'step', statistics: { ...nothing, elements: 0, sampled: 0, nan: 0 } });
    await cells('step').getByText('empty').waitFor();
    await panel.post({ kind: 'noStatistics', tensor: 'unembed.W_U', message: 'It is cut short.' });
    await cells('unembed.W_U').getByText('It is cut short.').waitFor({ state: 'attached' });
    expect(panel.complaints).toEqual([]);
  });

  test('is walked by the keyboard, one stop of the Tab key, and Enter shows a tensor', async () => {
    const panel = await open();
    const { page } = panel;
    const at = () => page.evaluate(() => document.activeElement?.textContent);
    await page.getByRole('textbox', { name: 'Filter' }).focus();
    await page.keyboard.press('Tab');
    expect(await at()).toBe('blocks.0.attn.IGNORE');
    expect(await page.locator('.tensor-list .row-press[tabindex="0"]').count()).toBe(1);
    for (const key of ['ArrowDown', 'End', 'ArrowUp', 'ArrowUp']) await page.keyboard.press(key);
    expect(await at()).toBe('embed.W_E');
    await page.keyboard.press('Enter');
    expect((await panel.next('slice')).slice.tensor).toBe('embed.W_E');
    await page.getByRole('heading', { level: 2, name: 'embed.W_E' }).waitFor();
    expect(await page.locator('.row-press[aria-current]').allInnerTexts()).toEqual(['embed.W_E']);
    await page.getByRole('status').getByText('embed.W_E is shown.').waitFor({ state: 'attached' });
    expect(await panel.kept()).toEqual({ tensor: 'embed.W_E' });
  });

  test('of sixty thousand tensors builds those in sight alone, asks for theirs alone, and keeps the keyboard among them', async () => {
    const panel = await panels.openFile();
    const { page } = panel;
    // Made in the page, which it would take the test longer to reach than to draw.
    await page.evaluate(file => {
      const tensors = Array.from({ length: 60_000 }, (_, at) => ({ name: `t.${at}`, dtype: 'float32', shape: [2, 2] }));
      window.postMessage({ kind: 'file', changed: false, file: { ...file, tensors } }, '*');
    }, fileOf([]));
    await row(panel, 't.0').waitFor();
    expect((await panel.next('statistics')).tensors.length).toBeLessThan(40);
    expect(await page.locator('.tensor-list tbody tr').count()).toBeLessThan(60);
    await page.getByRole('button', { name: 't.0', exact: true }).focus();
    await page.keyboard.press('End');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('t.59999');
    await expect.poll(async () => (await panel.waiting('statistics')).at(-1)?.tensors.includes('t.59999')).toBe(true);
    // What has the focus goes out of sight, and the keys go on from there.
    await page.locator('.tensor-list .table-scroll').evaluate(scroller => scroller.scrollTo({ top: 900_000 }));
    await row(panel, 't.30000').waitFor();
    expect(await page.locator('.tensor-list .row-press').count()).toBeLessThan(60);
    await page.keyboard.press('ArrowUp');
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe('t.59998');
    // Screen readers learn how many there are, and where each is.
    expect(await page.getByRole('table', { name: 'Tensors' }).getAttribute('aria-rowcount')).toBe('60001');
    expect(await page.getByRole('row').filter({ has: row(panel, 't.59998') }).getAttribute('aria-rowindex')).toBe('60000');
    await page.getByRole('textbox', { name: 'Filter' }).fill('t.4242');
    await page.getByText('11 of 60,000').waitFor();
    expect(await panel.violations()).toEqual([]);
    expect(panel.complaints).toEqual([]);
  });
});

describe('a tensor', () => {
  test('is shown as a matrix at an index of each leading axis, which the reader changes', async () => {
    const panel = await open();
    await select(panel, 'blocks.0.attn.W_Q');
    const { page } = panel;
    await page.getByRole('heading', { name: 'Slice [0, :, :]' }).waitFor();
    const axis = page.getByRole('textbox', { name: 'Axis 0 (0 to 3)' });
    await axis.focus();
    await page.keyboard.press('ArrowUp');
    const { slice } = await panel.next('slice');
    expect(slice).toEqual({ tensor: 'blocks.0.attn.W_Q', index: [1], rows: { from: 0, count: 128 }, columns: { from: 0, count: 32 } });
    expect(await panel.kept()).toEqual({ tensor: 'blocks.0.attn.W_Q', index: [1], row: 0, column: 0 });
    await panel.post({ kind: 'slice', asked: slice, slice: wavesOf(slice) });
    await page.getByRole('heading', { name: 'Slice [1, :, :]' }).waitFor();
    await axis.fill('4');
    await page.keyboard.press('Tab');
    await page.getByRole('alert').getByText('A whole number from 0 to 3').waitFor();
    expect(await panel.waiting('slice')).toEqual([]);
    // An answer to what is not looked at any more is none.
    await panel.post({ kind: 'slice', asked: { ...slice, index: [3] }, slice: wavesOf(slice) });
    await panel.post({ kind: 'noSlice', asked: slice, message: 'The file has become shorter.' });
    await page.getByText('The file has become shorter.').waitFor();
    expect(await page.getByRole('heading', { name: 'Slice [3, :, :]' }).count()).toBe(0);
  });

  test('that is large is shown a window at a time, with the names of its own rows and columns', async () => {
    const panel = await open(fileOf([{ name: 'big', dtype: 'float32', shape: [50_257, 768] }]));
    const { page } = panel;
    await select(panel, 'big');
    await page.getByRole('textbox', { name: 'Axis 0 from (0 to 50,001)' }).fill('50001');
    await page.keyboard.press('Tab');
    const { slice } = await panel.next('slice');
    expect(slice).toMatchObject({ rows: { from: 50_001, count: 256 }, columns: { from: 0, count: 256 } });
    await panel.post({ kind: 'slice', asked: slice, slice: wavesOf(slice) });
    const chart = page.getByRole('application', { name: /^Values, 256 by 256/ });
    await chart.focus();
    await page.keyboard.press('PageDown');
    await page.keyboard.press('PageDown');
    await page.getByText('axis 0 50256, axis 1 0:').first().waitFor();
  });

  test('has cells that are no numbers, which say so and have no colour', async () => {
    const panel = await open();
    const { page } = panel;
    await row(panel, 'blocks.0.attn.mask').click();
    const { slice } = await panel.next('slice');
    const values = Float32Array.of(0, 0, 2, 0, 5, 6, 7, 8, 9);
    await panel.post({ kind: 'slice', asked: slice, slice: { rows: 3, columns: 3, values, notFinite: [{ at: 0, value: 'NaN' }, { at: 3, value: '-Infinity' }] } });
    const chart = page.getByRole('application', { name: /^Values, 3 by 3/ });
    await drawn(panel);
    await page.getByText('2 cells without a value, in grey.').waitFor();
    await chart.focus();
    await page.keyboard.press('ArrowDown');
    await page.getByText('axis 0 0, axis 1 0: NaN').first().waitFor();
    await page.keyboard.press('ArrowDown');
    await page.getByText('axis 0 1, axis 1 0: −Infinity').first().waitFor();
    await page.getByRole('button', { name: 'Export: Values' }).click();
    await page.getByRole('menuitem', { name: 'CSV' }).click();
    const saved = await panel.next('save');
    expect(saved).toMatchObject({ format: 'csv', name: 'grokking.safetensors-blocks.0.attn.mask-Values' });
    expect(String(saved.content).split('\r\n').slice(1, 3)).toEqual(['0,NaN,0,2', '1,−Infinity,5,6']);
    expect(panel.complaints).toEqual([]);
  });

  test('of integers shows each of their digits, in texts, in the table and in what is exported', async () => {
    const panel = await open(fileOf([{ name: 'steps', dtype: 'int64', shape: [1, 2] }]));
    const { page } = panel;
    await panel.next('statistics');
    await row(panel, 'steps').click();
    const { slice } = await panel.next('slice');
    const precise = Float64Array.of(16_777_217, -9_007_199_254_740_991);
    await panel.post({ kind: 'slice', asked: slice, slice: { rows: 1, columns: 2, values: Float32Array.from(precise), precise, notFinite: [] } });
    await panel.post({ kind: 'statistics', tensor: 'steps', statistics: { ...bell(3, { minimum: 16_777_217, maximum: 16_777_219, mean: 16_777_218 }), histogram: [1, 1, 1] } });
    await drawn(panel);
    await page.getByText('Smallest −9,007,199,254,740,991 at (0, 1); largest 16,777,217 at (0, 0).').waitFor();
    await page.getByRole('application', { name: /^Values/ }).focus();
    await page.keyboard.press('ArrowDown');
    await page.getByText('axis 0 0, axis 1 0: 16,777,217').first().waitFor();
    await page.getByRole('button', { name: 'Show as table: Values' }).click();
    await page.getByRole('cell', { name: '−9,007,199,254,740,991' }).waitFor();
    await page.getByRole('button', { name: 'Export: Values' }).click();
    await page.getByRole('menuitem', { name: 'CSV' }).click();
    expect(String((await panel.next('save')).content)).toContain('0,16777217,-9007199254740991');
    expect((await page.locator('.tensor-statistics').innerText()).split('\n').slice(0, 6)).toEqual(['Minimum', '16,777,217', 'Mean', '1.678e7', 'Maximum', '16,777,219']);
    expect(await page.locator('.tensor-list tbody tr[data-place] td').allInnerTexts()).toEqual(expect.arrayContaining(['1.68e7', '1.68e7', '1.68e7']));
    expect(await page.locator('.tensor-list td[title="16,777,219"]').count()).toBe(1);
    await page.getByRole('button', { name: 'Show as table: Histogram' }).click();
    await page.getByRole('rowheader', { name: '16,777,218' }).waitFor();
    expect(panel.complaints).toEqual([]);
  });

  test('has statistics and a larger histogram once they are known, and says what they leave out', async () => {
    const panel = await open();
    const { page } = panel;
    await panel.next('statistics');
    await select(panel, 'blocks.0.mlp.b_in');
    await panel.post({ kind: 'statistics', tensor: 'blocks.0.mlp.b_in', statistics: bell(60_000_000, { sampled: 4_000_000, nan: 7, zeros: 3_999_999 }) });
    await page.getByText('7 NaN: in no mean and no histogram.').waitFor();
    const found = await page.locator('.tensor-statistics').innerText();
    expect(found.split('\n')).toEqual([
      'Minimum', '−0.4', 'Mean', '0.00125', 'Maximum', '0.4', 'Standard deviation', '0.08', 'Zeros', '3,999,999 (99.99 %)', 'NaN', '7',
      'Measured on', '4,000,000 of 60,000,000 numbers, evenly spread',
    ]);
    await page.getByRole('heading', { name: 'Histogram' }).waitFor();
    await page.getByText('of 4,000,000 that are evenly spread over the tensor.').waitFor();
    await page.getByRole('button', { name: 'Show as table: Histogram' }).click();
    // The middle of the first of 64 bins from -0.4 to 0.4.
    await page.getByRole('rowheader', { name: '−0.394' }).waitFor();
  });

  test('that is empty, or a single number, is shown as such', async () => {
    const panel = await open();
    const { page } = panel;
    await row(panel, 'step').click();
    await page.getByText('It is empty: there is nothing to show of it.').waitFor();
    expect(await panel.waiting('slice')).toEqual([]);
    await select(panel, 'blocks.0.attn.IGNORE');
    await page.getByText('float32 · scalar · 1 number').waitFor();
    await page.getByText('1 × 1. Smallest').waitFor();
    expect(panel.complaints).toEqual([]);
  });

  test('is there again after a reload, where it was looked at, as far as that is still there', async () => {
    const panel = await open(fileOf(), { kept: { tensor: 'blocks.0.attn.W_Q', index: [2], filter: 'W_', row: 7, column: -1 } });
    expect((await panel.next('slice')).slice).toMatchObject({ tensor: 'blocks.0.attn.W_Q', index: [2] });
    expect(await panel.page.getByRole('textbox', { name: 'Filter' }).inputValue()).toBe('W_');
    // What was kept may be of another version, or another file.
    const other = await open(fileOf(), { kept: { tensor: 'embed.W_E', index: 'all', row: 900 } });
    expect((await other.next('slice')).slice).toMatchObject({ tensor: 'embed.W_E', index: [], rows: { from: 0, count: 114 } });
    expect(other.complaints).toEqual([]);
  });
});

describe.each(themeNames)('in %s', theme => {
  test.each([1400, 700])('reads well %i pixels wide', async width => {
    const panel = await open(fileOf(), { theme, width, height: 900 });
    await measure(panel, { nan: 3 });
    await select(panel, 'blocks.0.attn.W_Q');
    await panel.picture(`file-${theme}-${width}`);
    expect(await panel.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    expect(await panel.violations()).toEqual([]);
    expect(panel.complaints).toEqual([]);
  });
});
