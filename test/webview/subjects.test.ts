import { describe, expect, test } from 'vitest';
import type { AnalysisInfo } from '../../src/protocol/analysis';
import type { BarsFigure, Figure, HeatmapFigure, Subject, TableFigure } from '../../src/protocol/figure';
import type { Parameters } from '../../src/protocol/parameter';
import { openingsOf } from '../../webview/subjects';
import { arrayUpdateAttention, circuit, headSweep, smallHeatmap, tokenCircuit } from './samples';
import { analysis, drawn, model, showFigures, themeNames, usePanels, words, type OpenPanel, type ThemeName } from './support';

const panels = usePanels();

const head = { kind: 'head', title: 'Head', description: '', default: '' } as const;
const position = { kind: 'position', title: 'Position', description: '', default: '' } as const;
const named = (id: string, title: string, params: Parameters): AnalysisInfo => ({ ...analysis, id, title, params });
const attention = named('attention', 'Attention', { head });
const ov = named('ov-circuit', 'OV circuit', { head });
const patching = named('activation-patching', 'Activation patching', { position, head });
const losses = named('training-curves', 'Training curves', {});
const applicable = [attention, ov, patching, losses];
const state = { model: model.id, analysis: attention.id, params: {} };

describe('a part of a model', () => {
  const titles = (subject: Subject, over = {}) => openingsOf(subject, { applicable, state, words, ...over }).map(({ title }) => title);

  test('opens in what asks for a head or a position', () => {
    expect(titles({ layer: 1, head: 0 })).toEqual(['Attention of L1H0', 'OV circuit of L1H0', 'Activation patching of L1H0']);
    expect(titles({ position: 1 })).toEqual(['Activation patching at b']);
    expect(titles({ layer: 1, head: 0, position: 1 })).toEqual(['Attention of L1H0', 'OV circuit of L1H0', 'Activation patching of L1H0 at b']);
    expect(titles({ layer: 1 })).toEqual([]);
  });

  test('fills the parameters by their kinds, whatever they are called', () => {
    const renamed = named('paths', 'Paths', { sender: head, amount: { kind: 'integer', title: '', description: '', default: 3 }, at: position });
    expect(openingsOf({ layer: 2, head: 11, position: 0 }, { applicable: [renamed], state, words }))
      .toEqual([{ title: 'Paths of L2H11 at a', analysis: 'paths', params: { sender: '2.11', at: '0' } }]);
  });

  test('opens in what is shown only where that changes something, and keeps what else is set', () => {
    const shown = (params: Record<string, string | number>) => ({ state: { ...state, analysis: patching.id, params }, applicable: [patching] });
    expect(titles({ layer: 1, head: 0, position: 1 }, shown({ head: 'L1H0', position: 'b' }))).toEqual([]);
    expect(titles({ layer: 1, head: 0, position: 1 }, shown({ head: '1.0', position: '1' }))).toEqual([]);
    expect(titles({ layer: 1, head: 0, position: 1 }, shown({ head: '1.0' }))).toEqual(['Activation patching of L1H0 at b']);
    const kept = openingsOf({ layer: 1, head: 0 }, { words, ...shown({ position: 'b', examples: 8 }) });
    expect(kept.map(({ params }) => params)).toEqual([{ position: 'b', examples: 8, head: '1.0' }]);
  });
});

const arrayWords = { ...words, positions: ['bos', 'a0', 'a1', 'a2', '↵', 'idx', 'elt', '↵ (7)', 'o0', 'o1', 'o2'] };

async function open(figures: readonly Figure[], theme: ThemeName = 'lightModern'): Promise<OpenPanel> {
  const panel = await panels.open({ theme });
  const shown = { ...state, analysis: losses.id };
  await showFigures(panel, figures, { analysis: losses, applicable, state: shown, model: { ...model, n_layers: 3, n_heads: 11 }, words: arrayWords });
  return panel;
}

async function clickCell({ page }: OpenPanel, { rows, columns }: HeatmapFigure, row: number, column: number): Promise<void> {
  const box = await page.locator('.chart').first().locator('.nsewdrag').boundingBox();
  if (!box) throw new Error('there is no chart');
  const [x, y] = [box.x + ((column + 0.5) * box.width) / columns, box.y + ((row + 0.5) * box.height) / rows];
  await page.mouse.move(x, y);
  await page.locator('.tooltip').first().waitFor();
  await page.mouse.click(x, y);
}

const menu = ({ page }: OpenPanel) => page.getByRole('button', { name: /^Open in…/ });
const items = ({ page }: OpenPanel) => page.getByRole('menuitem').allInnerTexts();
const markedLabels = async ({ page }: OpenPanel) => (await page.locator('.ytick text, .xtick text').allTextContents()).filter(text => text.startsWith('▸'));

describe('a heatmap of heads', () => {
  test('picks the head of the cell that is clicked, marks it, and opens it elsewhere', async () => {
    const panel = await open([headSweep]);
    await clickCell(panel, headSweep, 1, 6);
    expect(await panel.next('select')).toEqual({ kind: 'select', layer: 1, head: 0 });
    await expect.poll(() => markedLabels(panel)).toEqual(['▸ L1H0']);
    await menu(panel).click();
    await expect.poll(() => items(panel)).toEqual(['Attention of L1H0', 'OV circuit of L1H0', 'Activation patching of L1H0 at elt']);
    await panel.page.getByRole('menuitem', { name: 'Activation patching' }).click();
    expect(await panel.next('open')).toEqual({ kind: 'open', analysis: 'activation-patching', params: { head: '1.0', position: '6' } });
    await clickCell(panel, headSweep, 0, 2);
    expect(await panel.next('select')).toEqual({ kind: 'select', layer: 0, head: 0 });
    await expect.poll(() => markedLabels(panel)).toEqual(['▸ L0H0']);
  });

  test('does so by keyboard alone, and nothing once it is let go', async () => {
    const panel = await open([headSweep]);
    const { page } = panel;
    await page.getByRole('application').focus();
    for (const key of ['ArrowDown', 'ArrowDown', 'Enter', 'Tab']) await page.keyboard.press(key);
    expect(await panel.next('select')).toMatchObject({ layer: 1, head: 0 });
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toMatch(/^Open in…: head L1H0, position bos/);
    await page.keyboard.press('Enter');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    expect(await panel.next('open')).toEqual({ kind: 'open', analysis: 'ov-circuit', params: { head: '1.0' } });
    await page.getByRole('application').focus();
    await page.keyboard.press('Escape');
    expect(await menu(panel).count()).toBe(0);
  });

  test('has no menu in the figures that only follow, and none where nothing can be opened', async () => {
    const panel = await open([headSweep, { ...headSweep, title: 'Another' }, smallHeatmap]);
    await clickCell(panel, headSweep, 0, 0);
    await panel.page.getByText('(locked)').nth(1).waitFor();
    await expect.poll(() => menu(panel).count()).toBe(1);
    const plain = await open([smallHeatmap]);
    await clickCell(plain, smallHeatmap, 0, 0);
    await plain.page.getByText('(locked)').waitFor();
    expect(await menu(plain).count()).toBe(0);
    expect(await plain.waiting('select')).toEqual([]);
  });

  test('of one head all through has the head of its figure', async () => {
    const panel = await open([tokenCircuit]);
    await clickCell(panel, tokenCircuit, 3, 3);
    expect(await panel.next('select')).toEqual({ kind: 'select', layer: 1, head: 0 });
    await menu(panel).click();
    await expect.poll(() => items(panel)).toEqual(['Attention of L1H0', 'OV circuit of L1H0', 'Activation patching of L1H0']);
  });

  test('of layers by heads outlines the cell of the picked head', async () => {
    const scores: HeatmapFigure = {
      ...headSweep, rows: 2, columns: 3, values: new Float32Array(6), title: 'Scores',
      x: { title: 'head', labels: ['0', '1', '2'], subjects: [{ head: 0 }, { head: 1 }, { head: 2 }] },
      y: { title: 'layer', labels: ['0', '1'], subjects: [{ layer: 0 }, { layer: 1 }] },
    };
    const panel = await open([scores]);
    await panel.post({ kind: 'select', selection: { model: model.id, layer: 1, head: 2 } });
    await panel.page.waitForFunction(() => document.querySelectorAll('.shapelayer path').length === 2);
    expect(await markedLabels(panel)).toEqual([]);
  });
});

describe('the picked head', () => {
  const bars: BarsFigure = {
    kind: 'bars', title: 'Copying', x: { title: 'head', labels: ['L0H0', 'L1H0'], subjects: [{ layer: 0, head: 0 }, { layer: 1, head: 0 }] },
    y: { title: 'score' }, series: [{ name: 'score', values: Float64Array.from([0.1, 0.9]) }],
  };
  const table: TableFigure = {
    kind: 'table', title: 'Heads', columns: [{ title: 'Head', numeric: false }, { title: 'Score', numeric: true }],
    rows: [['L0H0', 0.9], ['L1H0', 0.1]], subjects: [{ layer: 0, head: 0 }, { layer: 1, head: 0 }],
  };

  test('is marked in bars, tables and graphs alike, without colour', async () => {
    const panel = await open([bars, table, circuit]);
    await panel.post({ kind: 'select', selection: { model: model.id, layer: 1, head: 0 } });
    await expect.poll(() => markedLabels(panel)).toEqual(['▸ L1H0']);
    await expect.poll(() => panel.page.locator('tr[data-picked] th').allInnerTexts()).toEqual(['L1H0']);
    expect(await panel.page.getByRole('button', { name: 'L1H0', exact: true }).getAttribute('aria-current')).toBe('true');
    expect(await panel.page.locator('.graph-node.picked text').allTextContents()).toEqual(['L1H0']);
    expect(await panel.waiting('select')).toEqual([]);
  });

  test('is picked on a bar with the keyboard', async () => {
    const panel = await open([bars]);
    await panel.page.getByRole('application').focus();
    for (const key of ['ArrowRight', 'ArrowRight', 'Enter']) await panel.page.keyboard.press(key);
    expect(await panel.page.getByRole('status').innerText()).toBe('L1H0, score: 0.9, locked');
    expect(await panel.next('select')).toEqual({ kind: 'select', layer: 1, head: 0 });
    await panel.page.keyboard.press('Tab');
    await panel.page.keyboard.press('Enter');
    await expect.poll(() => items(panel)).toEqual(['Attention of L1H0', 'OV circuit of L1H0', 'Activation patching of L1H0']);
  });

  test('is picked on a row, which stays itself when the table is sorted', async () => {
    const panel = await open([table]);
    const { page } = panel;
    await page.getByRole('button', { name: 'L1H0', exact: true }).focus();
    await page.keyboard.press('Enter');
    expect(await panel.next('select')).toEqual({ kind: 'select', layer: 1, head: 0 });
    await page.getByRole('columnheader', { name: 'Score' }).getByRole('button').click();
    await expect.poll(() => page.locator('tbody th').allInnerTexts()).toEqual(['L1H0', 'L0H0']);
    expect(await page.getByRole('button', { name: 'L1H0', exact: true }).getAttribute('aria-pressed')).toBe('true');
    await menu(panel).click();
    await expect.poll(async () => (await items(panel))[1]).toBe('OV circuit of L1H0');
    await page.keyboard.press('Escape');
    await page.getByRole('cell', { name: '0.9' }).click();
    expect(await panel.next('select')).toEqual({ kind: 'select', layer: 0, head: 0 });
  });

  test('is picked on a node', async () => {
    const panel = await open([circuit]);
    await panel.page.locator('.graph-node').filter({ hasText: 'L1H10' }).click();
    expect(await panel.next('select')).toEqual({ kind: 'select', layer: 1, head: 10 });
    await panel.page.locator('.graph-node.picked text').getByText('L1H10', { exact: true }).waitFor();
    await menu(panel).click();
    await expect.poll(async () => (await items(panel))[0]).toBe('Attention of L1H10');
    await panel.picture('circuit-locked');
  });

  test('is the one whose attention is locked, at the destination', async () => {
    const panel = await open([arrayUpdateAttention]);
    await panel.page.getByRole('application', { name: /^Pattern of L0H0/ }).focus();
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', 'Enter']) await panel.page.keyboard.press(key);
    expect(await panel.next('select')).toEqual({ kind: 'select', layer: 0, head: 0 });
    await menu(panel).click();
    await panel.page.getByRole('menuitem', { name: 'Activation patching of L0H0 at a1' }).click();
    expect(await panel.next('open')).toEqual({ kind: 'open', analysis: 'activation-patching', params: { head: '0.0', position: '2' } });
  });
});

describe('claims', () => {
  test('are copied from a figure where there is a number to assert', async () => {
    const panel = await open([smallHeatmap, headSweep]);
    const { page } = panel;
    await page.getByRole('button', { name: `Export: ${headSweep.title}` }).click();
    await expect.poll(() => items(panel)).toEqual(['PNG', 'SVG', 'CSV', 'JSON', 'Copy as TransformerLens code']);
    await page.keyboard.press('Escape');
    await panel.post({ kind: 'result', partial: false, result: { figures: [smallHeatmap, headSweep], scalars: { recovered: 0.93 }, finding: 'composes through the keys' } });
    await page.locator('.finding').getByText('composes through the keys').waitFor();
    await page.getByRole('button', { name: `Export: ${headSweep.title}` }).click();
    await page.getByRole('menuitem', { name: 'Copy as claim' }).click();
    expect(await panel.next('claim')).toEqual({ kind: 'claim', figure: 1 });
  });
});

describe('TransformerLens code', () => {
  test('is copied from any figure of the model, measured or not', async () => {
    const panel = await open([smallHeatmap, headSweep]);
    const { page } = panel;
    await page.getByRole('button', { name: `Export: ${headSweep.title}` }).click();
    await page.getByRole('menuitem', { name: 'Copy as TransformerLens code' }).click();
    expect(await panel.next('code')).toEqual({ kind: 'code', figure: 1 });
  });
});

describe.each(themeNames)('in %s', theme => {
  test('a locked cell, its menu and the picked head are visible and understood', async () => {
    const panel = await open([headSweep, tokenCircuit], theme);
    await clickCell(panel, headSweep, 1, 6);
    await menu(panel).click();
    await expect.poll(() => markedLabels(panel)).toEqual(['▸ L1H0']);
    await drawn(panel);
    await panel.picture(`locked-${theme}`);
    expect(await panel.violations()).toEqual([]);
    expect(panel.complaints).toEqual([]);
  });
});
