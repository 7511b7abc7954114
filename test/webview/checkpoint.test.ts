import { describe, expect, test } from 'vitest';
import type { HeatmapFigure } from '../../src/protocol/figure';
import type { ToPanel } from '../../src/protocol/panel';
import { smallHeatmap } from './samples';
import { analysis, drawn, model, showFigures, themeNames, usePanels, type OpenPanel } from './support';

const panels = usePanels();
/** Unevenly spaced, as trainings save them. */
const checkpoints = [0, 100, 200, 400, 800, 1000];

const at = (checkpoint: number | undefined) => (checkpoint === undefined ? {} : { checkpoint });
const state = (checkpoint?: number) => ({ model: model.id, analysis: analysis.id, params: {}, ...at(checkpoint) });

async function open(checkpoint?: number, over: Partial<Extract<ToPanel, { kind: 'show' }>> = {}, options: Parameters<typeof panels.open>[0] = {}): Promise<OpenPanel> {
  const panel = await panels.open(options);
  await showFigures(panel, [smallHeatmap], { checkpoints, state: state(checkpoint), ...over });
  return panel;
}

const slider = ({ page }: OpenPanel) => page.getByRole('slider', { name: 'Checkpoint' });
const button = ({ page }: OpenPanel, name: string) => page.getByRole('button', { name, exact: true });
const place = async (panel: OpenPanel) => [await slider(panel).inputValue(), await slider(panel).getAttribute('aria-valuetext')];
const moved = async (panel: OpenPanel) => (await panel.next('move')).checkpoint;
/** The figures of a checkpoint, as told apart by their title. */
const figures = (checkpoint: number | undefined): ToPanel => ({
  kind: 'result', partial: false, result: { figures: [{ ...smallHeatmap, title: `At ${checkpoint ?? 'newest'}` } satisfies HeatmapFigure], scalars: {} }, ...at(checkpoint),
});

describe('the slider through training', () => {
  test('has a place for each checkpoint, and says which it is', async () => {
    const panel = await open(200);
    expect(await place(panel)).toEqual(['2', 'Step 200 of 1,000']);
    await panel.page.locator('.slider-value').getByText('Step 200 of 1,000').waitFor();
    await panel.post({ kind: 'state', state: state() });
    await panel.page.locator('.slider-value').getByText('Newest weights').waitFor();
    expect(await place(panel)).toEqual(['5', 'Newest weights']);
    expect(await panel.kept()).toEqual(state());
    expect(await panel.waiting('move')).toEqual([]);
  });

  test('is moved with the keyboard', async () => {
    const panel = await open();
    await slider(panel).focus();
    for (const [key, step] of [['ArrowLeft', 800], ['Home', 0], ['ArrowUp', 100], ['End', undefined]] as const) {
      await panel.page.keyboard.press(key);
      expect(await moved(panel)).toBe(step);
      expect(await panel.kept()).toEqual(state(step));
    }
    expect(await panel.waiting('change')).toEqual([]);
  });

  test('dragged tells where it is now and then, and where it came to rest; what is shown meanwhile leaves it where it is', async () => {
    const panel = await open(0);
    const { page } = panel;
    const box = await slider(panel).boundingBox();
    if (!box) throw new Error('there is no slider');
    const point = (share: number) => [box.x + 7 + (box.width - 14) * share, box.y + box.height / 2] as const;
    await page.mouse.move(...point(0));
    await page.mouse.down();
    await page.mouse.move(...point(0.2));
    expect(await moved(panel)).toBe(100);
    await page.mouse.move(...point(0.8), { steps: 5 });
    await panel.post(figures(100));
    await page.getByRole('heading', { name: 'At 100' }).waitFor();
    expect((await place(panel))[0]).toBe('4');
    await page.mouse.up();
    await page.waitForFunction(() => globalThis.fromPanel.some(message => message.kind === 'move' && message.checkpoint === 800));
    expect((await panel.waiting('move')).at(-1)).toEqual({ kind: 'move', checkpoint: 800 });
  });

  test('has buttons to either side, which end at its ends, and are announced', async () => {
    const panel = await open();
    expect(await button(panel, 'Later checkpoint').isDisabled()).toBe(true);
    await button(panel, 'Earlier checkpoint').click();
    expect(await moved(panel)).toBe(800);
    await panel.page.getByRole('status').filter({ hasText: 'Step 800 of 1,000' }).waitFor();
    await button(panel, 'Later checkpoint').click();
    expect(await moved(panel)).toBeUndefined();
  });

  test('goes to the checkpoint nearest to a step that is typed, and names what is no step', async () => {
    const panel = await open();
    const field = panel.page.getByRole('textbox', { name: 'Go to step' });
    await field.fill('many');
    await panel.page.keyboard.press('Enter');
    await panel.page.getByText('A step from 0 to 1,000').waitFor();
    expect(await panel.waiting('move')).toEqual([]);
    await field.fill('360');
    await panel.page.keyboard.press('Enter');
    expect(await moved(panel)).toBe(400);
    await expect.poll(() => field.inputValue()).toBe('');
    // The newest weights move with a training; this checkpoint does not.
    await field.fill('1,000');
    await panel.page.keyboard.press('Enter');
    expect(await moved(panel)).toBe(1000);
    expect(await place(panel)).toEqual(['5', 'Step 1,000 of 1,000']);
  });

  test('grows with a training: a checkpoint stays, the newest weights move on', async () => {
    const training = { ...model, status: 'training', progress: { step: 1200, steps: 2000 } } as const;
    const panel = await open(200);
    await panel.post({ kind: 'model', model: training, checkpoints: [...checkpoints, 1200] });
    await panel.page.locator('.slider-value').getByText('Step 200 of 2,000').waitFor();
    expect(await place(panel)).toEqual(['2', 'Step 200 of 2,000']);
    await panel.post({ kind: 'state', state: state() });
    await expect.poll(() => place(panel)).toEqual(['6', 'Newest weights']);
    await panel.post({ kind: 'model', model: training, checkpoints: [...checkpoints, 1200, 1400] });
    await expect.poll(() => place(panel)).toEqual(['7', 'Newest weights']);
    expect(await panel.waiting('move')).toEqual([]);
  });

  test.each([
    ['there is one checkpoint at most', { checkpoints: [100] }],
    ['the analysis shows all of the training', { analysis: { ...analysis, atCheckpoint: false } }],
  ])('is not there where %s', async (_, over) => {
    expect(await slider(await open(undefined, over)).isVisible()).toBe(false);
  });
});

describe('playing', () => {
  test('goes on whenever the figures of the last checkpoint were drawn, up to the newest weights', async () => {
    const panel = await open(200);
    await button(panel, 'Play').click();
    for (const step of [400, 800, undefined]) {
      expect(await moved(panel)).toBe(step);
      // Those of another checkpoint, still on their way, do not count.
      await panel.post(figures(100));
      await panel.page.getByRole('heading', { name: 'At 100' }).waitFor();
      await drawn(panel);
      expect(await panel.waiting('move')).toEqual([]);
      await panel.post(figures(step));
    }
    await button(panel, 'Play').waitFor();
    await panel.page.getByRole('status').filter({ hasText: 'Paused at: Newest weights' }).waitFor();
    expect(await panel.waiting('move')).toEqual([]);
  });

  test('asks for the next figures while the last are drawn; paused, it stands where it asked last', async () => {
    const panel = await open(0);
    await button(panel, 'Play').click();
    expect(await moved(panel)).toBe(100);
    expect(await place(panel)).toEqual(['0', 'Step 0 of 1,000']);
    await panel.post(figures(100));
    expect(await moved(panel)).toBe(200);
    await panel.page.getByRole('heading', { name: 'At 100' }).waitFor();
    expect(await place(panel)).toEqual(['1', 'Step 100 of 1,000']);
    expect(await panel.kept()).toEqual(state(0));
    await button(panel, 'Pause').click();
    await panel.page.getByRole('status').filter({ hasText: 'Paused at: Step 200 of 1,000' }).waitFor();
    expect(await place(panel)).toEqual(['2', 'Step 200 of 1,000']);
    expect(await panel.kept()).toEqual(state(200));
    await panel.post(figures(200));
    await panel.page.getByRole('heading', { name: 'At 200' }).waitFor();
    await drawn(panel);
    expect(await panel.waiting('move')).toEqual([]);
  });

  test('ends with a changed parameter, which counts where it would have gone', async () => {
    const loud = { kind: 'boolean', title: 'Loud', description: 'Whether it is', default: false } as const;
    const panel = await open(200, { analysis: { ...analysis, params: { loud } } });
    await button(panel, 'Play').click();
    expect(await moved(panel)).toBe(400);
    await panel.page.getByRole('checkbox', { name: 'Loud' }).click();
    expect(await panel.next('change')).toMatchObject({ params: { loud: true }, checkpoint: 400 });
    await button(panel, 'Play').waitFor();
    expect(await place(panel)).toEqual(['3', 'Step 400 of 1,000']);
  });

  test('goes on when the panel is linked', async () => {
    const panel = await open(200);
    await button(panel, 'Play').click();
    expect(await moved(panel)).toBe(400);
    await panel.post({ kind: 'state', state: { ...state(400), linked: true } });
    await panel.page.getByRole('button', { name: 'Link panels of this model', pressed: true }).waitFor();
    expect(await place(panel)).toEqual(['2', 'Step 200 of 1,000']);
    await panel.post(figures(400));
    expect(await moved(panel)).toBe(800);
  });

  test('shows the newest of the figures that come for one checkpoint while it waits to be shown', async () => {
    const panel = await open(400);
    await button(panel, 'Play').click();
    expect(await moved(panel)).toBe(800);
    await panel.post(figures(800));
    expect(await moved(panel)).toBeUndefined();
    await panel.post(figures(undefined));
    const fresh = figures(undefined);
    if (fresh.kind !== 'result') throw new Error('figures are a result');
    const [figure] = fresh.result.figures;
    await panel.post({ ...fresh, result: { figures: figure ? [{ ...figure, title: 'Fresh' }] : [], scalars: {} } });
    await panel.page.getByRole('status').filter({ hasText: 'Paused at: Newest weights' }).waitFor();
    expect(await panel.page.getByRole('heading', { level: 2 }).allInnerTexts()).toEqual(['Fresh']);
  });

  test('begins again once it is at its end', async () => {
    const panel = await open();
    await button(panel, 'Play').click();
    expect(await moved(panel)).toBe(0);
    await panel.post(figures(0));
    expect(await moved(panel)).toBe(100);
  });

  test('is silent about each step', async () => {
    const panel = await open(0);
    await button(panel, 'Play').click();
    await moved(panel);
    await panel.post({ kind: 'working' });
    await panel.post(figures(100));
    expect(await moved(panel)).toBe(200);
    expect(await panel.page.getByRole('status').innerText()).toBe('Playing.');
  });

  test.each<[string, (panel: OpenPanel) => Promise<void>]>([
    ['Pause', panel => button(panel, 'Pause').click()],
    ['a move of the slider', async panel => {
      await slider(panel).focus();
      await panel.page.keyboard.press('Home');
      expect(await moved(panel)).toBe(0);
    }],
    ['a move elsewhere', async panel => {
      await panel.post({ kind: 'state', state: state(800) });
      await panel.page.getByRole('status').filter({ hasText: 'Paused at: Step 800 of 1,000' }).waitFor();
    }],
    ['a problem', panel => panel.post({ kind: 'problem', message: 'The checkpoint at step 400 cannot be read.' })],
  ])('ends with %s', async (_, end) => {
    const panel = await open(200);
    await button(panel, 'Play').click();
    expect(await moved(panel)).toBe(400);
    await end(panel);
    await button(panel, 'Play').waitFor();
    await panel.post(figures(400));
    await panel.page.getByRole('heading', { name: 'At 400' }).waitFor();
    await drawn(panel);
    expect(await panel.waiting('move')).toEqual([]);
  });
});

test('a chart that is out of sight is drawn anew when it comes into sight', async () => {
  const panel = await open(100, {}, { height: 300 });
  const { page } = panel;
  const four = (size: number): ToPanel => {
    const figure: HeatmapFigure = { ...smallHeatmap, values: smallHeatmap.values.map(value => value * size) };
    return { kind: 'result', partial: false, result: { figures: [figure, figure, figure, figure], scalars: {} }, checkpoint: 100 };
  };
  await panel.post(four(1));
  await page.locator('section.figure').nth(3).waitFor();
  await drawn(panel);
  const [first, last] = [0, 3].map(index => page.locator('section.figure').nth(index).locator('.textpoint'));
  await panel.post(four(2));
  await first?.filter({ hasText: '1.9' }).waitFor();
  expect(await last?.allTextContents()).toContain('0.93');
  await last?.first().scrollIntoViewIfNeeded();
  await last?.filter({ hasText: '1.9' }).waitFor();
  expect(panel.complaints).toEqual([]);
});

test('panels are linked by a button, which shows it once they are', async () => {
  const panel = await open(200);
  const link = button(panel, 'Link panels of this model');
  expect(await link.getAttribute('aria-pressed')).toBe('false');
  await link.click();
  expect(await panel.next('link')).toEqual({ kind: 'link', linked: true });
  await panel.post({ kind: 'state', state: { ...state(200), linked: true } });
  await panel.page.waitForFunction(() => document.querySelector('.checkpoint > [aria-pressed=true]'));
  expect(await panel.kept()).toEqual({ ...state(200), linked: true });
  await link.click();
  expect(await panel.next('link')).toEqual({ kind: 'link', linked: false });
});

describe.each(themeNames)('in %s', theme => {
  test('is understood by assistive technology, at any width', async () => {
    for (const width of [1000, 600, 320]) {
      const panel = await open(400, { state: { ...state(400), linked: true } }, { theme, width });
      await button(panel, 'Play').click();
      await panel.picture(`checkpoint-${theme}-${width}`);
      expect(await panel.violations()).toEqual([]);
      expect(await panel.page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
      expect(panel.complaints).toEqual([]);
    }
  });
});
