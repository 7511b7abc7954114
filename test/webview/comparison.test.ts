import { describe, expect, test } from 'vitest';
import { compare } from '../../src/analysis/compare';
import type { AnalysisResult } from '../../src/protocol/analysis';
import type { Figure } from '../../src/protocol/figure';
import type { PanelState, ToPanel } from '../../src/protocol/panel';
import { arrayUpdateAttention, modularAttention, smallHeatmap, table, trainingCurves } from './samples';
import { analysis, drawn, model, themeNames, usePanels, words, type OpenPanel } from './support';

const panels = usePanels();
const names = ['step 2,000', 'step 100'] as const;
const state: PanelState = { model: model.id, analysis: analysis.id, params: {}, checkpoint: 2000, against: { model: model.id, checkpoint: 100 } };
const described = { ...analysis, scalars: { copying: 'Share of tokens whose own logit the head raises most' } };
const show = (over: Partial<PanelState> = {}): ToPanel => ({
  kind: 'show', state: { ...state, ...over }, analysis: described, model, words, applicable: [described], checkpoints: [100, 2000],
});
const result = (figures: readonly Figure[], copying: number): AnalysisResult => ({ figures, scalars: { copying } });
const earlier = { ...smallHeatmap, values: smallHeatmap.values.map((value, at) => value * (at % 3 === 0 ? -0.5 : 0.25)) };
const later = result([smallHeatmap, modularAttention, trainingCurves(), table], 0.9931);
const compared = compare(later, result([earlier, modularAttention, trainingCurves(10_000), table], 0.25), names);

async function open(answer: AnalysisResult = compared, options: Parameters<typeof panels.open>[0] = {}, over: Partial<PanelState> = {}): Promise<OpenPanel> {
  const panel = await panels.open(options);
  await panel.next('ready');
  await panel.post(show(over));
  await panel.post({ kind: 'result', partial: false, result: answer });
  await panel.page.locator('section.figure').first().waitFor();
  await drawn(panel);
  return panel;
}
const titles = ({ page }: OpenPanel) => page.locator('section.figure').evaluateAll(sections => sections.map(section =>
  [section.querySelector('h2')?.textContent, section.querySelector('.figure-of:not([hidden])')?.textContent].filter(Boolean).join(', ')));

describe('a comparison', () => {
  test('has each figure beside the other, with their names, and the scalars of both', async () => {
    const panel = await open();
    const { page } = panel;
    await page.getByRole('group', { name: 'Comparison' }).getByText('Compared with step 100').waitFor();
    expect(await titles(panel)).toEqual([smallHeatmap, modularAttention, trainingCurves(), table].flatMap(({ title }) => [`${title}, step 2,000`, `${title}, step 100`]));
    expect(await page.locator('.scalar').innerText()).toContain('step 100: 0.25 · difference 0.7431');
    const [one, other] = await page.locator('section.figure').evaluateAll(sections => sections.map(section => section.getBoundingClientRect()));
    expect([one?.top === other?.top, (one?.right ?? 0) <= (other?.left ?? 0)]).toEqual([true, true]);
  });

  test('links the cells of both', async () => {
    const { page } = await open();
    const [one, other] = [page.locator('section.figure-heatmap').first(), page.locator('section.figure-heatmap').nth(1)];
    await one.getByRole('application').or(one.locator('.chart [tabindex="0"]')).first().focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    const cell = await one.locator('.readout').innerText();
    expect(cell).toMatch(/: [−\d.]/);
    const [place] = cell.split(':');
    await expect.poll(() => other.locator('.readout').innerText()).toContain(place ?? '');
  });

  test('shows differences in their place, by the arrow keys, and keeps that for a reload', async () => {
    const panel = await open();
    const { page } = panel;
    await page.getByRole('radio', { name: 'Side by side' }).focus();
    await page.keyboard.press('ArrowRight');
    expect(await panel.next('view')).toEqual({ kind: 'view', view: 'difference' });
    expect(await panel.kept()).toEqual({ ...state, view: 'difference' });
    await expect.poll(() => titles(panel)).toEqual([
      `${smallHeatmap.title}: difference`, ...[0, 1, 2, 3].map(head => `L0H${head}: ${modularAttention.title}: difference`), `${trainingCurves().title}: both`, `${table.title}: difference`,
    ]);
    await page.getByText('step 2,000 less step 100.').first().waitFor();
    await panel.post(show({ view: 'difference' }));
    await expect.poll(() => page.getByRole('radio', { name: 'Difference' }).isChecked()).toBe(true);
  });

  test('says where there is no difference, and which figures only one of them has', async () => {
    const turned: Figure = { ...smallHeatmap, x: { ...smallHeatmap.x, title: 'other', labels: smallHeatmap.x.labels?.map(label => `${label}'`) ?? [] } };
    const panel = await open(compare(result([smallHeatmap, arrayUpdateAttention], 1), result([turned, table], 1), names), {}, { view: 'difference' });
    const { page } = panel;
    expect(await page.locator('.pair-note:not([hidden])').allInnerTexts()).toEqual([
      'There is no difference to draw: the two do not range over the same things.',
      'There is no figure like this of step 100.',
      'There is no figure like this of step 2,000.',
    ]);
    expect(await titles(panel)).toEqual([`${smallHeatmap.title}, step 2,000`, `${smallHeatmap.title}, step 100`, `${arrayUpdateAttention.title}, step 2,000`, `${table.title}, step 100`]);
  });

  test('says what is wrong with the other, beside the figures of the model itself', async () => {
    const problem = 'There is no checkpoint at step 100; the nearest is 200.';
    const { page } = await open({ ...later, comparison: { names, problem } });
    await page.getByRole('alert').getByText(problem).waitFor();
    expect(await page.locator('section.figure').count()).toBe(4);
    expect(await page.getByRole('radiogroup', { name: 'Show' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Stop comparing' }).waitFor();
  });

  test('is chosen, changed and stopped by buttons, and says so', async () => {
    const panel = await open();
    const { page } = panel;
    const status = () => page.getByRole('status').innerText();
    await expect.poll(status).toBe('Done. 4 figures, compared with step 100.');
    await page.getByRole('button', { name: 'Change…' }).click();
    await panel.next('compare');
    await page.getByRole('button', { name: 'Stop comparing' }).click();
    await panel.next('stopComparing');
    await expect.poll(() => titles(panel)).toEqual([smallHeatmap, modularAttention, trainingCurves(), table].map(({ title }) => title));
    expect(await panel.kept()).not.toHaveProperty('against');
    // The focus goes to the button that stands for it now.
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Compare with…');
    await page.keyboard.press('Enter');
    await panel.next('compare');
  });

  test('exports and claims of the figure itself, and exports each of the others under its own name', async () => {
    const panel = await open();
    const { page } = panel;
    await page.getByRole('button', { name: `Export: ${smallHeatmap.title}, step 100` }).click();
    expect(await page.getByRole('menuitem').allInnerTexts()).toEqual(['PNG', 'SVG', 'CSV', 'JSON']);
    await page.getByRole('menuitem', { name: 'JSON' }).click();
    expect((await panel.next('save')).name).toMatch(/-step-100$/);
    await page.getByRole('button', { name: `Export: ${trainingCurves().title}`, exact: true }).click();
    await page.getByRole('menuitem', { name: 'Copy as claim' }).click();
    expect(await panel.next('claim')).toEqual({ kind: 'claim', figure: 2 });
    await panel.post({ kind: 'export', format: 'csv', figure: 1 });
    expect((await panel.next('save')).name).toContain('step-2-000');
  });

  test('goes on in place while one of them moves through training', async () => {
    const panel = await open();
    const first = await panel.page.locator('section.figure').first().elementHandle();
    await panel.post({ kind: 'result', partial: false, checkpoint: 1000, result: compare(later, result([earlier], 0.5), ['step 1,000', 'step 100']) });
    await expect.poll(() => panel.page.locator('.figure-of').first().innerText()).toBe('step 1,000');
    expect(await first?.evaluate(element => element.isConnected)).toBe(true);
  });

  test('stands above each other in a narrow panel, without scrolling sideways', async () => {
    const panel = await open(compared, { width: 600, height: 3600 });
    const [one, other] = await panel.page.locator('section.figure').evaluateAll(sections => sections.map(section => section.getBoundingClientRect()));
    expect((one?.bottom ?? 0) <= (other?.top ?? 0)).toBe(true);
    expect(await panel.page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
    await panel.picture('comparison-narrow');
    expect(panel.complaints).toEqual([]);
  });

  describe.each(themeNames)('in %s', theme => {
    test.each(['sides', 'difference'] as const)('can be read by everybody: %s', async view => {
      const other = { ...modularAttention, heads: modularAttention.heads.map((head, at) => ({ ...head, pattern: modularAttention.heads[3 - at]?.pattern ?? head.pattern })) };
      const both = compare(result([smallHeatmap, modularAttention, trainingCurves()], 0.9931), result([earlier, other, trainingCurves(10_000)], 0.25), names);
      const panel = await open(both, { theme, width: 1200, height: 2000 }, { view });
      await panel.picture(`comparison-${view}-${theme}`);
      expect(await panel.violations()).toEqual([]);
      expect(panel.complaints).toEqual([]);
    });
  });
});
