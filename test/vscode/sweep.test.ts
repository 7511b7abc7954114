import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually';
import type { CodeWindow } from '../support/window';
import type { Circuits } from './circuits';
import { open, timeToOpen, type Opened } from './opened';
import { untilStored } from './stored';

/** Four runs of about a second. */
const experiment = `{
  "name": "tiny",
  "task": "array-update",
  "model": { "n_layers": 1, "n_heads": 1, "d_model": 16, "d_head": 8, "attn_only": true },
  "training": { "steps": 60, "batch": 32, "evaluateEvery": 20, "evaluationExamples": 100 },
  "sweep": { "model.d_model": [8, 16], "seed": [0, 1] },
}
`;
const title = 'Sweep: tiny';

let workspace: string;
let window: CodeWindow;
let circuits: Circuits;
let close: Opened['close'] | undefined;

beforeAll(async () => {
  const files = { 'tiny.circuit.json': experiment, 'plain.circuit.json': experiment.replace(/ {2}"sweep".*\n/, '') };
  ({ workspace, window, circuits, close } = await open({ files }));
  await circuits.open();
}, timeToOpen);

afterAll(() => close?.());

describe('a sweep', () => {
  test('is offered for the experiments that have one', async () => {
    const experiments = window.tree('Experiments');
    expect(await experiments.contextMenuTitles('tiny')).toContain('Sweep…');
    expect(await experiments.contextMenuTitles('plain')).not.toContain('Sweep…');
  });

  test('is started from the palette, and all its runs finish in its panel', async () => {
    await window.ask('Circuits: Sweep…', 'Sweep');
    expect((await window.quickInput.items()).map(({ label }) => label)).not.toContain('plain');
    await window.quickInput.choose('tiny');
    await window.quickInput.shows('Start the sweep');
    expect((await window.quickInput.items())[0]).toMatchObject({ label: 'Start Sweep', description: '4 runs' });
    await window.quickInput.choose('Start Sweep');
    await window.statusBarItem(/tiny \d\/4/).waitFor();
    const panel = await window.webview(title);
    await panel.getByText('Finished · 4 runs').waitFor({ timeout: 120_000 });
    await panel.getByRole('heading', { name: 'Test loss by d_model' }).waitFor();
    await window.statusBarItem(/tiny \d\/4/).waitFor({ state: 'detached' });
    await window.screenshot('vscode/sweep');
  });

  test('sorts its runs and opens one of them', async () => {
    const panel = await window.webview(title);
    const heading = panel.getByRole('columnheader', { name: 'Test loss' });
    await heading.getByRole('button').click();
    await expect.poll(() => heading.getAttribute('aria-sort')).toBe('ascending');
    await panel.locator('tbody tr').first().locator('.best-mark').waitFor();
    await panel.locator('tr[data-run="0"] .row-press').click();
    const curves = await window.webview('Training curves: tiny: d_model 8, seed 0');
    await curves.locator('.figure').first().waitFor();
    await window.page.getByRole('treeitem', { name: /tiny: d_model 8, seed 0/, selected: true }).waitFor();
  });

  test('saves its table', async () => {
    await window.showEditor(title);
    // A page that has just been shown takes the focus, and with it what the palette has opened.
    await (await window.webview(title)).getByRole('heading', { name: 'Runs' }).click();
    await window.ask('Circuits: Export Sweep…', 'What to export');
    await window.quickInput.choose('Runs as CSV');
    await window.quickInput.shows('Save');
    const file = path.join(workspace, 'runs.csv');
    await circuits.saveAs(/tiny-runs\.csv$/, file);
    const lines = (await eventually('the table on disk', () => readFile(file, 'utf8'))).trimEnd().split('\r\n');
    expect(lines.map(line => line.split(',').slice(0, 4).join())).toEqual([
      'run,model.d_model,seed,status', '1,8,0,finished', '2,8,1,finished', '3,16,0,finished', '4,16,1,finished',
    ]);
  });

  test('is there again after a reload, sorted as it was, and can be opened by its name', async () => {
    await untilStored(window.page, 'the sorted panel', texts => texts.some(text => text.includes(title) && /direction\W+ascending/.test(text)));
    await window.reload();
    await window.showEditor(title);
    const panel = await window.webview(title);
    await panel.getByText('Finished · 4 runs').waitFor();
    await expect.poll(() => panel.getByRole('columnheader', { name: 'Test loss' }).getAttribute('aria-sort')).toBe('ascending');
    await window.palette('View: Close All Editors');
    await window.ask('Circuits: Open Sweep…', 'Open Sweep');
    expect((await window.quickInput.items())[0]).toMatchObject({ label: 'tiny', description: '4 runs finished' });
    await window.quickInput.choose('tiny');
    await (await window.webview(title)).getByText('Finished · 4 runs').waitFor();
  });
});
