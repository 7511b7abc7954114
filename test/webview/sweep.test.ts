import { describe, expect, test } from 'vitest';
import type { SweepDetails, SweepRow } from '../../src/protocol/sweep';
import type { SweepPanelState } from '../../src/protocol/sweepPanel';
import { drawn, themeNames, usePanels, type OpenSweep } from './support';
import { countsOf, curveOf, seedRows, sweepOf, underWay, widthRows } from './sweepSamples';

const panels = usePanels();

async function open(
  sweep: SweepDetails = sweepOf(widthRows([8, 32, 128], [0, 1])), options: Parameters<typeof panels.openSweep>[0] = {}, state: Partial<SweepPanelState> = {},
): Promise<OpenSweep> {
  const panel = await panels.openSweep(options);
  await panel.next('ready');
  await panel.post({ kind: 'sweep', state: { sweep: sweep.id, ...state }, sweep });
  await panel.page.locator('tbody tr').first().waitFor();
  await drawn(panel);
  return panel;
}

/** Tells of changed rows, as the engine does. */
function change(panel: OpenSweep, before: SweepDetails, rows: readonly SweepRow[], over: Partial<SweepDetails> = {}): Promise<void> {
  const all = before.rows.map(row => rows.find(({ index }) => index === row.index) ?? row);
  const { rows: _, ...summary } = { ...before, counts: countsOf(all), ...over };
  return panel.post({ kind: 'change', change: { summary, rows } });
}

/** The texts of a column, from top to bottom, without the mark of the best run. */
function column({ page }: OpenSweep, title: string): Promise<string[]> {
  return page.evaluate(title => {
    const at = [...document.querySelectorAll('.sweep-table thead th')].findIndex(heading => heading.textContent === title);
    return [...document.querySelectorAll('.sweep-table tbody tr')].map(row => { const cell = row.children[at]; return cell instanceof HTMLElement ? cell.innerText.replace(/^best\s+/, '') : ''; });
  }, title);
}

const running = sweepOf(underWay, { status: 'running' });
/** A run in the middle of the table goes on. */
const further: SweepRow = { ...sampleRow(running, 7), progress: { step: 900, steps: 1000 }, metrics: { trainLoss: 0.0001, testLoss: 0.0002, testAccuracy: 0.99999 } };

function sampleRow({ rows }: SweepDetails, index: number): SweepRow {
  const row = rows[index];
  if (!row) throw new Error(`there is no run ${index}`);
  return row;
}

describe('how a sweep stands', () => {
  test('its name, its state, how far it is, and its runs by how they stand', async () => {
    const { page } = await open(running);
    await page.getByRole('heading', { level: 1, name: 'width-sweep' }).waitFor();
    await page.getByText('Running · 6 of 12 runs finished').waitFor();
    await page.getByText('on this machine, 2 at a time').waitFor();
    expect(await page.getByRole('list', { name: 'Runs by status' }).getByRole('listitem').allInnerTexts()).toEqual(['6 finished', '2 training', '3 waiting', '1 failed']);
    // Six are done, and 0.28 + 0.26 + 0.12 of the others.
    expect(await page.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('55');
  });

  test('it is cancelled while it runs, and resumed once it has stopped', async () => {
    const panel = await open(running);
    const [cancel, resume] = ['Cancel the sweep', 'Resume the sweep'].map(name => panel.page.getByRole('button', { name }));
    await cancel?.click();
    expect(await panel.next('control')).toEqual({ kind: 'control', action: 'cancel' });
    expect(await resume?.count()).toBe(0);
    await change(panel, running, [], { status: 'stopped' });
    await resume?.click();
    expect(await panel.next('control')).toEqual({ kind: 'control', action: 'resume' });
    expect(await cancel?.count()).toBe(0);
    await panel.page.getByRole('status').getByText('The sweep has stopped.').waitFor();
  });

  test('what keeps it from going on is said, and taken back', async () => {
    const panel = await open(running);
    await change(panel, running, [], { problem: '"sbatch" was not found.' });
    await panel.page.getByRole('alert').getByText('"sbatch" was not found.').waitFor();
    await change(panel, running, []);
    await panel.page.getByText('"sbatch" was not found.').waitFor({ state: 'detached' });
  });

  test('a sweep that cannot be read is asked for again', async () => {
    const panel = await panels.openSweep();
    await panel.next('ready');
    await panel.post({ kind: 'problem', message: 'There is no sweep "s1".' });
    await panel.page.getByText('There is no sweep "s1".').waitFor();
    await panel.page.getByRole('button', { name: 'Try Again' }).click();
    await panel.next('ready');
    expect(await panel.violations()).toEqual([]);
  });
});

describe('the table of runs', () => {
  test('has the swept values and the measurements of every run, and why one failed', async () => {
    const panel = await open(running);
    expect(await panel.page.getByRole('columnheader').allInnerTexts()).toEqual(expect.arrayContaining([expect.stringContaining('d_model'), expect.stringContaining('Exact match')]));
    expect((await column(panel, 'd_model')).slice(0, 3)).toEqual(['8', '8', '16']);
    expect((await column(panel, 'Status'))[5]).toMatch(/^Failed\s.*diverged/);
    expect((await column(panel, 'Progress')).slice(6, 10)).toEqual(['100 %', '28 %', '26 %', '0 %']);
    // Never rounded up.
    await change(panel, running, [further]);
    await expect.poll(async () => (await column(panel, 'Test accuracy'))[7]).toBe('99.99 %');
  });

  test('sorts by every column, by its buttons; what is not measured comes last', async () => {
    const panel = await open(running);
    const { page } = panel;
    const sort = page.getByRole('columnheader', { name: 'Test loss' }).getByRole('button');
    await sort.focus();
    await page.keyboard.press('Enter');
    expect(await page.getByRole('columnheader', { name: 'Test loss' }).getAttribute('aria-sort')).toBe('ascending');
    const ascending = await column(panel, 'Run');
    expect(ascending.slice(0, 2)).toEqual(['7', '5']);
    expect(ascending.slice(-4)).toEqual(['6', '10', '11', '12']);
    expect(await panel.next('state')).toEqual({ kind: 'state', state: { sweep: 's1', sorting: { column: 'testLoss', direction: 'ascending' } } });
    await page.keyboard.press('Enter');
    expect((await column(panel, 'Run')).slice(-4)).toEqual(['6', '10', '11', '12']);
    expect(await panel.kept()).toEqual({ sweep: 's1', sorting: { column: 'testLoss', direction: 'descending' } });
    await page.keyboard.press('Enter');
    expect((await column(panel, 'Run'))).toEqual(running.rows.map(({ index }) => String(index + 1)));
    for (const title of await page.getByRole('columnheader').allInnerTexts()) await page.getByRole('columnheader', { name: title }).getByRole('button').click();
    expect(panel.complaints).toEqual([]);
  });

  test('marks the best run by the measure that the reader chose', async () => {
    const panel = await open();
    const best = () => panel.page.locator('tr[data-best]').evaluateAll(rows => rows.map(row => (row as HTMLElement).dataset['run']));
    expect(await best()).toEqual(['4']);
    await panel.page.getByText('Best by test loss: 0.01563 with d_model 128, seed 0 (run 5)').waitFor();
    await panel.page.getByRole('combobox', { name: 'Compare by' }).click();
    await panel.page.getByRole('option', { name: 'Exact match' }).click();
    expect(await panel.next('state')).toEqual({ kind: 'state', state: { sweep: 's1', metric: 'testExactMatch' } });
    await panel.page.getByText('Best by exact match: 98.43 % with d_model 128, seed 0 (run 5)').waitFor();
    await panel.page.getByRole('button', { name: 'Open the best run' }).click();
    expect(await panel.next('open')).toEqual({ kind: 'open', model: 'model-128-0' });
  });

  test('is walked by the keyboard, and Enter opens a run', async () => {
    const panel = await open(running);
    const { page } = panel;
    await page.locator('tbody .row-press').first().focus();
    for (const key of ['ArrowDown', 'ArrowDown', 'End', 'ArrowUp', 'Home', 'ArrowDown']) await page.keyboard.press(key);
    expect(await page.evaluate(() => document.activeElement?.closest('tr')?.dataset['run'])).toBe('1');
    expect(await page.locator('tbody .row-press[tabindex="0"]').count()).toBe(1);
    await page.keyboard.press('Enter');
    expect(await panel.next('open')).toEqual({ kind: 'open', model: 'model-8-1' });
    // A run that waits has nothing to show yet.
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await page.getByRole('status').getByText('This run has not begun.').waitFor();
    expect(await panel.waiting('open')).toEqual([]);
    await page.locator('tr[data-run="2"] td').nth(2).dblclick();
    expect(await panel.next('open')).toEqual({ kind: 'open', model: 'model-16-0' });
  });

  test('keeps the focus, the scroll position and the places of the rows while someone is among them', async () => {
    const panel = await open(running, { height: 500 }, { sorting: { column: 'testLoss', direction: 'ascending' } });
    const { page } = panel;
    await page.locator('tr[data-run="3"] .row-press').focus();
    const scrolled = await page.locator('.table-scroll').evaluate(scroller => {
      scroller.scrollTo({ top: 40 });
      return scroller.scrollTop;
    });
    expect(scrolled).toBeGreaterThan(0);
    const before = await column(panel, 'Run');
    await change(panel, running, [further]);
    await expect.poll(async () => (await column(panel, 'Test loss'))[before.indexOf('8')]).toBe('2e−4');
    expect((await column(panel, 'Run'))).toEqual(before);
    expect(await page.locator('.table-scroll').evaluate(scroller => scroller.scrollTop)).toBe(scrolled);
    expect(await page.evaluate(() => document.activeElement?.closest('tr')?.dataset['run'])).toBe('3');
    // Left alone, the rows go where they belong.
    await page.getByRole('combobox', { name: 'Compare by' }).focus();
    await expect.poll(async () => (await column(panel, 'Run'))[0]).toBe('8');
  });

  test('keeps the rows in their places under the pointer too', async () => {
    const panel = await open(running, {}, { sorting: { column: 'testLoss', direction: 'ascending' } });
    const { page } = panel;
    await page.locator('tr[data-run="3"] td').first().hover();
    await change(panel, running, [further]);
    await expect.poll(async () => (await column(panel, 'Test loss'))[6]).toBe('2e−4');
    expect((await column(panel, 'Run'))[0]).toBe('7');
    await page.getByRole('heading', { name: 'Runs' }).hover();
    await expect.poll(async () => (await column(panel, 'Run'))[0]).toBe('8');
  });

  test('shows ten thousand runs a page at a time, and changes them in place', async () => {
    const many = sweepOf(widthRows(Array.from({ length: 100 }, (_, i) => 8 + i), Array.from({ length: 100 }, (_, i) => i)), { status: 'running' });
    const panel = await open(many);
    const { page } = panel;
    await page.getByText('Runs 1 to 200 of 10,000').waitFor();
    expect(await page.locator('tbody tr').count()).toBe(200);
    // What is out of sight is not built, and a row that changes is not built anew.
    const built = await page.locator('tr[data-run="0"]').elementHandle();
    for (let round = 1; round <= 10; round++) {
      await change(panel, many, many.rows.slice(0, 300).map(row => ({ ...row, metrics: { testLoss: round / 100 + row.index } })));
    }
    await expect.poll(async () => (await column(panel, 'Test loss'))[0]).toBe('0.1');
    expect(await built?.evaluate(row => row.isConnected && row instanceof HTMLElement && row.dataset['run'])).toBe('0');
    expect(await page.locator('tbody tr').count()).toBe(200);
    await page.getByRole('button', { name: 'Next runs' }).click();
    await page.getByText('Runs 201 to 400 of 10,000', { exact: true }).first().waitFor();
    await page.locator('tbody .row-press').last().focus();
    await page.keyboard.press('ArrowDown');
    await page.getByText('Runs 401 to 600 of 10,000', { exact: true }).first().waitFor();
    expect(await page.evaluate(() => document.activeElement?.className)).toBe('row-press');
    expect(panel.complaints).toEqual([]);
  });

  test('is saved as CSV with every digit, and as Markdown', async () => {
    const panel = await open(running);
    const { page } = panel;
    await page.getByRole('button', { name: 'Export: Runs' }).click();
    await page.getByRole('menuitem', { name: 'CSV' }).click();
    const saved = await panel.next('save');
    expect(saved).toMatchObject({ name: 'width-sweep-runs', format: 'csv' });
    const lines = String(saved.content).split('\r\n');
    expect(lines[0]).toBe('run,model.d_model,seed,status,step,steps,trainLoss,testLoss,testAccuracy,testExactMatch,id,problem');
    expect(lines[2]).toBe('2,8,1,finished,1000,1000,0.125,0.26,0.875,0.75,model-8-1,');
    expect(lines).toHaveLength(14);
    await panel.post({ kind: 'export', export: { what: 'table', format: 'md' } });
    const written = await panel.next('save');
    expect(written).toMatchObject({ format: 'md' });
    expect(String(written.content).split('\n').slice(0, 3)).toEqual([
      '| run | model.d\\_model | seed | status | step | steps | trainLoss | testLoss | testAccuracy | testExactMatch | id | problem |',
      '| ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- | --- |',
      '| 1 | 8 | 0 | finished | 1,000 | 1,000 | 0.125 | 0.25 | 0.875 | 0.75 | model-8-0 |  |',
    ]);
  });
});

describe('what the runs arrived at', () => {
  test('is drawn against a swept field, a line for each of the others, with the best of each in words', async () => {
    const panel = await open();
    const { page } = panel;
    await page.getByRole('heading', { name: 'Test loss by d_model' }).waitFor();
    await page.getByText('seed 0: best 0.01563 at d_model 128. seed 1: best 0.02563 at d_model 128.').waitFor();
    await page.getByRole('combobox', { name: 'Along' }).click();
    await page.getByRole('option', { name: 'seed' }).click();
    expect(await panel.next('state')).toMatchObject({ state: { field: 'seed' } });
    await page.getByRole('heading', { name: 'Test loss by seed' }).waitFor();
    await page.getByText('d_model 8: best 0.25 at seed 0.').waitFor();
  });

  test('has only runs that have finished, and the next one as soon as it has', async () => {
    const panel = await open(running);
    await panel.page.getByText('seed 0: best 0.03125 at d_model 64. seed 1: best 0.135 at d_model 16.').waitFor();
    await change(panel, running, [{ ...further, status: 'finished' }]);
    await panel.page.getByText('seed 1: best 2e−4 at d_model 64.').waitFor();
  });

  test('has a logarithmic axis where the values of the field need one', async () => {
    const { page } = await open(sweepOf(widthRows([1, 8, 512], [0, 1])));
    expect(await page.getByRole('checkbox', { name: 'Log x' }).isChecked()).toBe(true);
  });

  test('is saved as every other figure is', async () => {
    const panel = await open();
    for (const format of ['png', 'svg', 'csv', 'json'] as const) {
      await panel.post({ kind: 'export', export: { what: 'figure', format } });
      expect(await panel.next('save')).toMatchObject({ format, name: 'width-sweep-Test-loss-by-d_model' });
    }
  });

  test('has categories by their names where values are no numbers', async () => {
    const tasks = ['max', 'median', { name: 'sort', count: 5 }];
    const rows = tasks.flatMap((task, i) => [16, 64].map((width, j): SweepRow => ({
      ...sampleRow(running, 0), index: 2 * i + j, values: { task, 'model.d_model': width }, metrics: { testLoss: 1 / width + i },
    })));
    const panel = await open(sweepOf(rows), {}, { field: 'task' });
    await drawn(panel);
    await expect.poll(() => panel.page.locator('.xtick text').allTextContents()).toEqual(['max', 'median', 'sort']);
    expect(await panel.page.getByRole('checkbox', { name: 'Log x' }).count()).toBe(0);
    await panel.page.getByText('d_model 16: best 0.0625 at task max.').waitFor();
    await panel.page.getByRole('button', { name: /^Show as table/ }).click();
    await panel.page.getByRole('rowheader', { name: 'median' }).waitFor();
    await panel.picture('sweep-categories');
  });
});

describe('how the runs went', () => {
  test('is chosen by the keyboard, read for the runs that have begun, and drawn as soon as it is there', async () => {
    const panel = await open(running);
    const { page } = panel;
    await page.getByRole('combobox', { name: 'Along' }).focus();
    for (const key of ['Enter', 'End', 'Enter']) await page.keyboard.press(key);
    expect(await panel.next('state')).toEqual({ kind: 'state', state: { sweep: 's1', field: 'training steps' } });
    expect(await panel.next('curves')).toEqual({ kind: 'curves', metric: 'testLoss', runs: [0, 1, 2, 3, 4, 5, 6, 7, 8] });
    await panel.post({ kind: 'curves', metric: 'testLoss', curves: [curveOf(0, [[0, 4], [1000, 0.25]]), curveOf(7, [[0, 4], [280, 1.5]])] });
    await page.getByRole('heading', { name: 'Test loss through training' }).waitFor();
    await page.getByText('d_model 8, seed 0: 4 to 0.25 at Step 1,000. Smallest 0.25 at 1,000. d_model 64, seed 1: 4 to 1.5 at Step 280. Smallest 1.5 at 280.').waitFor();
    expect(await page.getByRole('checkbox', { name: 'Log y' }).isChecked()).toBe(true);
  });

  test('is what seeds are first looked at by, in the measurement that the reader chose', async () => {
    const panel = await open(sweepOf(seedRows(3)));
    expect(await panel.next('curves')).toMatchObject({ metric: 'testLoss' });
    await panel.page.getByRole('combobox', { name: 'Compare by' }).click();
    await panel.page.getByRole('option', { name: 'Test accuracy' }).click();
    expect(await panel.next('curves')).toEqual({ kind: 'curves', metric: 'testAccuracy', runs: [0, 1, 2] });
    // An answer that was overtaken is none.
    await panel.post({ kind: 'curves', metric: 'testLoss', curves: [curveOf(0, [[0, 9]])] });
    await panel.post({ kind: 'curves', metric: 'testAccuracy', curves: [0, 1, 2].map(run => curveOf(run, [[0, 0], [50, 0.5]])) });
    await panel.page.getByRole('heading', { name: 'Test accuracy through training' }).waitFor();
    expect(await panel.page.getByRole('heading', { name: 'Test loss through training' }).count()).toBe(0);
    expect(await panel.page.getByRole('checkbox', { name: 'Log y' }).isChecked()).toBe(false);
    for (const format of ['png', 'svg', 'csv', 'json'] as const) {
      await panel.post({ kind: 'export', export: { what: 'figure', format } });
      expect(await panel.next('save')).toMatchObject({ format, name: 'width-sweep-Test-accuracy-through-training' });
    }
  });

  test('is read again for the runs that have gone on, and for no others', async () => {
    const panel = await open(running, {}, { field: 'training steps' });
    const { runs } = await panel.next('curves');
    await change(panel, running, [further]);
    expect(await panel.waiting('curves')).toEqual([]);
    await panel.post({ kind: 'curves', metric: 'testLoss', curves: runs.map(run => curveOf(run, [[0, 4], [100, 3]])) });
    expect(await panel.next('curves')).toEqual({ kind: 'curves', metric: 'testLoss', runs: [further.index] });
    await panel.post({ kind: 'curves', metric: 'testLoss', curves: [curveOf(further.index, [[0, 4], [900, 0.0002]])] });
    await expect.poll(async () => {
      await panel.post({ kind: 'export', export: { what: 'figure', format: 'csv' } });
      return String((await panel.next('save')).content);
    }).toMatch(/900,.*0\.0002/);
    expect(await panel.waiting('curves')).toEqual([]);
  });

  test('starts over with an engine that has started again', async () => {
    const sweep = sweepOf(seedRows(2));
    const panel = await open(sweep);
    expect(await panel.next('curves')).toMatchObject({ runs: [0, 1] });
    await panel.post({ kind: 'sweep', state: { sweep: sweep.id }, sweep });
    expect(await panel.next('curves')).toMatchObject({ runs: [0, 1] });
  });

  test.each(themeNames)('of twenty runs in %s names each where the reader points', async theme => {
    const panel = await open(sweepOf(seedRows(20)), { theme, height: 900 });
    const { page } = panel;
    await panel.next('curves');
    await panel.post({ kind: 'curves', metric: 'testLoss', curves: seedRows(20).map(({ index }) => curveOf(index, recovery(index))) });
    await page.getByRole('heading', { name: 'Test loss through training' }).waitFor();
    await drawn(panel);
    expect(await page.locator('.legend').count()).toBe(0);
    const chart = page.getByRole('application', { name: /^Test loss through training/ });
    await chart.focus();
    for (const key of ['ArrowRight', 'ArrowDown', 'ArrowDown', 'ArrowRight']) await page.keyboard.press(key);
    await page.getByRole('status').getByText(/^seed 2: .* at Step 25$/).waitFor();
    await page.locator('.hoverlayer').getByText('seed 2').waitFor();
    expect(await standingOut(page)).toEqual([2]);
    await chart.blur();
    expect(await standingOut(page)).toHaveLength(20);
    // The line of seed 6 ends at the right, and low.
    const box = await page.locator('.scatterlayer > .trace').nth(6).locator('.js-line').boundingBox();
    if (!box) throw new Error('there is no line');
    await page.mouse.move(box.x + box.width - 2, box.y + box.height - 1);
    await page.locator('.hoverlayer').getByText('seed 6').waitFor();
    expect(await standingOut(page)).toEqual([6]);
    await panel.picture(`sweep-curves-${theme}`);
    expect(await panel.violations()).toEqual([]);
    expect(panel.complaints).toEqual([]);
  });
});

/** Places of the lines that have not faded. */
function standingOut(page: OpenSweep['page']): Promise<number[]> {
  return page.locator('.scatterlayer > .trace').evaluateAll(lines => lines.flatMap((line, i) => line.classList.contains('faded') ? [] : [i]));
}

/** A loss that falls from a height of its own to a floor of its own. */
function recovery(run: number): [step: number, value: number][] {
  const [height, floor] = [10 ** ((7 * run % 20) / 6 - 2), 10 ** (-3 - (3 * run % 20) / 8)];
  return Array.from({ length: 17 }, (_, i) => [25 * i, floor + height * Math.exp(-i * (1 + run % 5) / 3) * (1 + 0.2 * Math.sin(i * run))]);
}

test('text of an experiment is text', async () => {
  const panel = await open(sweepOf([{ ...sampleRow(running, 5), values: { 'task.name': '<img src=x onerror=alert(1)>', seed: 0 }, problem: '<b>bold</b>' }], { name: '<i>sweep</i>' }));
  await panel.page.getByText('<b>bold</b>', { exact: true }).waitFor();
  expect(await panel.page.locator('main img, main b, main h1 i').count()).toBe(0);
  expect(panel.complaints).toEqual([]);
});

describe.each(themeNames)('in %s', theme => {
  test.each([1000, 600])('reads well %i pixels wide', async width => {
    const panel = await open(running, { theme, width, height: 900 });
    await panel.picture(`sweep-${theme}-${width}`);
    expect(await panel.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    expect(await panel.violations()).toEqual([]);
    expect(panel.complaints).toEqual([]);
  });
});
