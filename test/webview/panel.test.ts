import { describe, expect, test } from 'vitest';
import type { AnalysisInfo } from '../../src/protocol/analysis';
import type { ModelSource } from '../../src/protocol/checkpointFile';
import type { ToPanel } from '../../src/protocol/panel';
import { arrayUpdateAttention, smallHeatmap, table, trainingCurves } from './samples';
import { analysis, drawn, model, showFigures, themeNames, usePanels, words, type OpenPanel } from './support';

const panels = usePanels();

/** An analysis with a parameter of every kind. */
const parameters: AnalysisInfo = {
  ...analysis,
  params: {
    examples: { kind: 'integer', title: 'Examples', description: 'How many examples to average over', default: 16, minimum: 1, maximum: 1000 },
    threshold: { kind: 'number', title: 'Threshold', description: 'Weights below this are left out', default: 0.05 },
    average: { kind: 'boolean', title: 'Average', description: 'Average over the batch', default: true },
    part: { kind: 'choice', title: 'Part', description: 'Which circuit', default: 'QK', options: ['QK', 'OV', '<b>both</b>'] },
    label: { kind: 'text', title: 'Label', description: 'A note for the picture', default: '' },
    prompt: { kind: 'prompt', title: 'Prompt', description: 'Tokens to run on', default: '' },
    head: { kind: 'head', title: 'Head', description: 'The head to look at', default: '' },
  },
  scalars: { copying: 'Share of tokens whose own logit the head raises most', entropy: 'Mean entropy of the rows, in nats' },
};

const show = (over: Partial<Extract<ToPanel, { kind: 'show' }>> = {}): ToPanel => ({
  kind: 'show', state: { model: model.id, analysis: parameters.id, params: {} }, analysis: parameters, model, words,
  applicable: [parameters], checkpoints: [], ...over,
});
const result = (figures = [smallHeatmap, table]): ToPanel => ({
  kind: 'result', partial: false, result: { figures, scalars: { copying: 0.9931, entropy: 1.2e-7 } },
});

async function open(options: Parameters<typeof panels.open>[0] = {}, over: Parameters<typeof show>[0] = {}): Promise<OpenPanel> {
  const panel = await panels.open(options);
  await panel.next('ready');
  await panel.post(show({ checkpoints: [100, 200, 300], ...over }));
  await panel.post(result());
  await panel.page.locator('section.figure').nth(1).waitFor();
  await drawn(panel);
  return panel;
}

describe('what is shown', () => {
  test('the analysis, the model, where it stands, and the scalars', async () => {
    const { page } = await open({}, { model: { ...model, name: '<img src=x>', status: 'training', progress: { step: 1200, steps: 25_000 } } });
    await page.getByRole('heading', { level: 1, name: 'Attention' }).waitFor();
    await page.getByText('<img src=x>', { exact: true }).waitFor();
    await page.getByText('Training · 1,200 of 25,000 steps').waitFor();
    await expect.poll(() => page.locator('.scalar').allInnerTexts()).toEqual(expect.arrayContaining([expect.stringContaining('0.9931')]));
    await expect.poll(() => page.locator('dd.scalar-value').allInnerTexts()).toEqual(['0.9931', '1.2e−7']);
  });

  test.each<[ModelSource, string]>([
    [{ kind: 'file', file: '<b>grokked</b>.pt', format: 'torch', layout: 'transformer-lens', inferred: [] }, 'imported from <b>grokked</b>.pt'],
    [{ kind: 'processed', id: 'a1', name: 'grokked', steps: ['fold-layer-norm'] }, 'grokked, processed'],
  ])('of a model that was not trained here whence it comes, in place of its steps: %o', async (source, whence) => {
    const { page } = await open({}, { model: { ...model, source, progress: { step: 200, steps: 200 } }, state: { model: model.id, analysis: parameters.id, params: {}, checkpoint: 100 } });
    await expect.poll(() => page.locator('.status').innerText()).toBe(`${whence} · checkpoint 100`);
  });

  test('a figure is a region with a name and a description', async () => {
    const { page } = await open();
    const region = page.getByRole('region', { name: 'Patching each head at each position' });
    expect(await region.getAttribute('aria-describedby')).not.toBeNull();
    await region.getByText('Smallest −0.11 metric at (L0H2, b); largest 0.93 metric at (L0H0, =).').waitFor();
  });

  test('nothing, in words, when there are no figures', async () => {
    const panel = await open();
    await panel.post(result([]));
    await panel.page.getByText('There is nothing to show.').waitFor();
  });

  test('the state is kept for a reload', async () => {
    const panel = await open({}, { state: { model: model.id, analysis: 'attention', params: { examples: 4 }, checkpoint: 200 } });
    expect(await panel.kept()).toEqual({ model: model.id, analysis: 'attention', params: { examples: 4 }, checkpoint: 200 });
    await panel.page.getByText('checkpoint 200').waitFor();
  });
});

describe('parameters', () => {
  test('each kind has a control, and a change is sent with every value that was set', async () => {
    const panel = await open({}, { state: { model: model.id, analysis: 'attention', params: { part: 'OV' } } });
    const { page } = panel;
    await page.getByRole('textbox', { name: 'Examples' }).fill('32');
    await page.keyboard.press('Enter');
    expect(await panel.next('change')).toEqual({ kind: 'change', params: { part: 'OV', examples: 32 } });
    await page.getByRole('checkbox', { name: 'Average' }).click();
    expect(await panel.next('change')).toMatchObject({ params: { average: false } });
    await page.getByRole('textbox', { name: 'Prompt' }).fill('1 2 =');
    await page.keyboard.press('Tab');
    expect(await panel.next('change')).toMatchObject({ params: { prompt: '1 2 =' } });
    await page.getByRole('combobox', { name: 'Head' }).click();
    await page.getByRole('option', { name: 'L0H1' }).click();
    expect(await panel.next('change')).toMatchObject({ params: { head: '0.1' } });
    await page.getByRole('combobox', { name: 'Part' }).focus();
    await page.keyboard.press('ArrowDown');
    expect(await panel.next('change')).toEqual({
      kind: 'change', params: { part: '<b>both</b>', examples: 32, average: false, prompt: '1 2 =', head: '0.1' },
    });
    expect(await panel.waiting('change')).toEqual([]);
    expect(await panel.kept()).toMatchObject({ params: { part: '<b>both</b>' } });
    expect(panel.complaints).toEqual([]);
  });

  test('a number that does not fit is named beside its field and not sent', async () => {
    const panel = await open();
    const { page } = panel;
    const field = page.getByRole('textbox', { name: 'Examples' });
    for (const text of ['0', '2.5', 'many', '']) {
      await field.fill(text);
      await page.keyboard.press('Enter');
      await page.getByText('A whole number from 1 to 1000').waitFor();
    }
    expect(await panel.waiting('change')).toEqual([]);
    await field.fill('5');
    await page.keyboard.press('Enter');
    expect(await panel.next('change')).toMatchObject({ params: { examples: 5 } });
    await page.keyboard.press('ArrowUp');
    expect(await panel.next('change')).toMatchObject({ params: { examples: 6 } });
  });

  test('what the extension shows next reaches the controls without being sent back', async () => {
    const panel = await open();
    const { page } = panel;
    await panel.post(show({ state: { model: model.id, analysis: 'attention', params: { examples: 7, average: false, head: 'L0H1', part: 'OV' } } }));
    const value = (role: 'textbox' | 'combobox', name: string) => page.getByRole(role, { name });
    await page.waitForFunction(() => document.querySelector('vscode-checkbox')?.getAttribute('aria-checked') === 'false');
    expect(await value('textbox', 'Examples').inputValue()).toBe('7');
    expect(await value('combobox', 'Head').locator('.selected-value').innerText()).toBe('L0H1');
    expect(await value('combobox', 'Part').locator('.selected-value').innerText()).toBe('OV');
    expect(await panel.waiting('change')).toEqual([]);
  });
});

describe('work under way', () => {
  test('shows how far it is, is announced, and can be cancelled', async () => {
    const panel = await open();
    const { page } = panel;
    await page.getByRole('checkbox', { name: 'Average' }).click();
    await panel.post({ kind: 'working', fraction: 0.4, message: 'Running 200 of 500 examples' });
    await page.getByText('Running 200 of 500 examples').waitFor();
    expect(await page.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('40');
    expect(await page.getByRole('status').innerText()).toBe('Working…');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await panel.next('cancel');
    await panel.post(result());
    await page.getByRole('status').filter({ hasText: 'Done. 2 figures.' }).waitFor();
    expect(await page.getByRole('progressbar').isVisible()).toBe(false);
  });

  test('by itself, as in a panel that follows a training, is not announced', async () => {
    const panel = await open();
    const { page } = panel;
    await page.getByRole('status').filter({ hasText: 'Done.' }).waitFor();
    await page.evaluate(() => { document.querySelector('[role=status]')?.replaceChildren(); });
    await panel.post({ kind: 'working' });
    await panel.post(result([smallHeatmap]));
    await page.waitForFunction(() => document.querySelectorAll('section.figure').length === 1);
    expect(await page.getByRole('status').innerText()).toBe('');
  });

  test('partial results replace the figures and the work goes on', async () => {
    const panel = await open();
    await panel.post({ kind: 'working', fraction: 0.5 });
    await panel.post({ kind: 'result', partial: true, result: { figures: [{ ...smallHeatmap, title: 'Half of it' }], scalars: {} } });
    await panel.page.getByRole('heading', { name: 'Half of it' }).waitFor();
    await panel.page.getByRole('progressbar').waitFor();
  });
});

describe('a problem', () => {
  test('is an alert above the figures, which stay, and can be tried again', async () => {
    const panel = await open();
    const { page } = panel;
    await panel.post({ kind: 'problem', message: 'The token "quux" is not in the vocabulary; the nearest is "<b>".' });
    await page.getByRole('alert').getByText('The token "quux" is not in the vocabulary; the nearest is "<b>".').waitFor();
    await expect.poll(() => page.locator('section.figure').count()).toBe(2);
    await page.getByRole('button', { name: 'Try Again' }).click();
    await panel.next('change');
    await panel.post({ kind: 'working' });
    await page.waitForFunction(() => !document.querySelector('.problem'));
  });

  test('in the page itself is shown and reported', async () => {
    const panel = await open();
    await panel.page.evaluate(() => { setTimeout(() => { throw new Error('a defect'); }, 0); });
    expect(await panel.next('failed')).toMatchObject({ message: expect.stringContaining('a defect') as unknown });
    await panel.page.getByRole('alert').getByText('a defect').waitFor();
  });
});

describe('the page', () => {
  test.each(themeNames)('in %s has controls that assistive technology understands, working and failed', async theme => {
    const panel = await open({ theme });
    await panel.post({ kind: 'working', message: 'Running 200 of 500 examples' });
    await panel.page.getByRole('progressbar').waitFor();
    await panel.picture(`panel-working-${theme}`);
    expect(await panel.violations()).toEqual([]);
    await panel.post({ kind: 'problem', message: 'The checkpoint at step 200 cannot be read: the file is cut short. Choose another one.' });
    await panel.page.getByRole('alert').getByText('cut short').waitFor();
    await panel.picture(`panel-problem-${theme}`);
    expect(await panel.violations()).toEqual([]);
    expect(panel.complaints).toEqual([]);
  });

  test.each([320, 480, 1600])('fits a width of %i pixels', async width => {
    const panel = await open({ width, height: 900 });
    await panel.post(result([arrayUpdateAttention, trainingCurves(), smallHeatmap, table] as never));
    await panel.page.locator('section.figure').nth(3).waitFor();
    await drawn(panel);
    await panel.picture(`panel-${width}`);
    expect(await panel.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  });

  test('takes a new theme as it comes', async () => {
    const panel = await open();
    const colours = () => panel.page.evaluate(() => document.querySelector('.main-svg')?.getAttribute('style'));
    expect(await colours()).toContain('rgb(255, 255, 255)');
    await panel.setTheme('darkModern');
    await panel.page.waitForFunction(() => document.querySelector('.main-svg')?.getAttribute('style')?.includes('rgb(31, 31, 31)'));
    expect(panel.complaints).toEqual([]);
  });

  test('knows high contrast on white, which VS Code also calls high contrast', async () => {
    const panel = await panels.open();
    await showFigures(panel, [arrayUpdateAttention]);
    const firstPixel = () => panel.page.locator('.matrix canvas').evaluate(canvas =>
      canvas instanceof HTMLCanvasElement ? [...canvas.getContext('2d')?.getImageData(0, 0, 1, 1).data ?? []] : []);
    const onWhite = await firstPixel();
    await panel.setTheme('highContrast');
    await expect.poll(firstPixel).not.toEqual(onWhite);
    await panel.page.evaluate(() => { document.body.className = 'vscode-high-contrast-light vscode-high-contrast'; });
    await expect.poll(firstPixel).toEqual(onWhite);
  });

  test('moves nothing for those who asked for less motion', async () => {
    const panel = await open({ reducedMotion: true }, { model: { ...model, status: 'training' } });
    await panel.post({ kind: 'working' });
    await panel.page.getByRole('progressbar').waitFor();
    const endless = await panel.page.evaluate(() => document.getAnimations().filter(animation => animation.effect?.getTiming().iterations === Infinity).length);
    expect(endless).toBe(0);
  });

  test('opens on its own before there is anything to show', async () => {
    const panel = await panels.open();
    await panel.next('ready');
    expect(await panel.violations()).toEqual([]);
    await showFigures(await panels.open(), [table]);
    expect(panel.complaints).toEqual([]);
  });
});
