import { describe, expect, test } from 'vitest';
import type { AttentionFigure } from '../../src/protocol/figure';
import { arrayUpdateAttention, arrayUpdateTokens, attention, listCopyAttention, manyHeads, modularAttention } from './samples';
import { model, showFigures, themeNames, usePanels, type OpenPanel } from './support';

const panels = usePanels();

async function open(figure: AttentionFigure = arrayUpdateAttention, options: Parameters<typeof panels.open>[0] = {}): Promise<OpenPanel> {
  const panel = await panels.open(options);
  await showFigures(panel, [figure]);
  return panel;
}

/** The middle of a cell of the large pattern, in the page. */
async function cellCentre({ page }: OpenPanel, row: number, column: number): Promise<{ x: number; y: number }> {
  const box = await page.locator('.matrix .pattern-ground').boundingBox();
  const count = await page.locator('.matrix canvas').evaluate(canvas => canvas instanceof HTMLCanvasElement ? canvas.width : 0);
  if (!box) throw new Error('there is no pattern');
  return { x: box.x + ((column + 0.5) * box.width) / count, y: box.y + ((row + 0.5) * box.height) / count };
}

async function hover(panel: OpenPanel, row: number, column: number): Promise<void> {
  const { x, y } = await cellCentre(panel, row, column);
  await panel.page.mouse.move(x, y);
}

const readout = ({ page }: OpenPanel) => page.locator('.readout').innerText();
const weightOf = (figure: AttentionFigure, head: number, row: number, column: number) =>
  (figure.heads[head]?.pattern[row * figure.tokens.length + column] ?? Number.NaN).toFixed(3);

describe('hovering a cell', () => {
  test('tells its weight beside the pointer and under the pattern', async () => {
    const panel = await open();
    await hover(panel, 9, 3);
    const weight = weightOf(arrayUpdateAttention, 0, 9, 3);
    expect(await panel.page.locator('.tooltip').innerText()).toBe(`48 → 33: ${weight}`);
    expect(await readout(panel)).toBe(`L0H0: 48 (position 9) → 33 (position 3): ${weight}`);
  });

  test('shows the sources of its destination on the tokens', async () => {
    const panel = await open();
    await hover(panel, 9, 3);
    const tokens = panel.page.locator('.token');
    await expect.poll(() => tokens.locator('.token-weight').allInnerTexts()).toEqual(arrayUpdateTokens.map((_, source) =>
      source > 9 ? 'masked' : Number(weightOf(arrayUpdateAttention, 0, 9, source)).toFixed(2)));
    expect(await tokens.nth(9).getAttribute('data-destination')).toBe('');
    expect(await tokens.nth(3).getAttribute('data-source')).toBe('');
    await panel.picture('attention-hover');
  });

  test('marks the same cell in the thumbnail of every head', async () => {
    const panel = await open();
    await hover(panel, 9, 3);
    const places = await panel.page.locator('.thumbnail .pattern-ground').evaluateAll(grounds => grounds.map(ground => {
      const [all, mark] = [ground.getBoundingClientRect(), ground.querySelector('.thumbnail-mark')?.getBoundingClientRect()];
      return mark && { row: Math.round(((mark.top - all.top) / all.height) * 11), column: Math.round(((mark.left - all.left) / all.width) * 11) };
    }));
    expect(places).toEqual([{ row: 9, column: 3 }, { row: 9, column: 3 }]);
  });

  test('works from a thumbnail and from a token as well', async () => {
    const panel = await open();
    const { page } = panel;
    await page.locator('.thumbnail .pattern-ground').nth(1).hover({ position: { x: 2, y: 2 } });
    expect(await page.locator('.tooltip').innerText()).toBe('L0H1 · BOS → BOS: 1.000');
    expect(await readout(panel)).toContain('BOS (position 0) → BOS (position 0)');
    await page.locator('.token').nth(9).hover();
    expect(await readout(panel)).toBe(`L0H0: 48 (position 9) → 33 (position 3): ${weightOf(arrayUpdateAttention, 0, 9, 3)}`);
  });

  test('leaves nothing behind when the pointer goes', async () => {
    const panel = await open();
    await hover(panel, 9, 3);
    await panel.page.mouse.move(5, 5);
    expect(await panel.page.locator('.tooltip').isVisible()).toBe(false);
    expect(await readout(panel)).toContain('Point at a cell');
    expect(await panel.page.locator('.token-weight').first().innerText()).toBe('');
  });
});

describe('what the mask forbids', () => {
  test('is called masked, and is not drawn as a weight of 0', async () => {
    const panel = await open();
    await hover(panel, 3, 9);
    expect(await panel.page.locator('.tooltip').innerText()).toBe('33 → 48: masked');
    const [masked, zero] = await panel.page.locator('.matrix canvas').evaluate(canvas => {
      const context = canvas instanceof HTMLCanvasElement ? canvas.getContext('2d') : null;
      return [[9, 3], [5, 10]].map(([x = 0, y = 0]) => [...context?.getImageData(x, y, 1, 1).data ?? []]);
    });
    expect(masked?.[3]).toBe(0);
    expect(zero?.[3]).toBe(255);
  });

  test.each(themeNames)('is hatched wherever the mask says, and no weight of 0 is, in %s', async theme => {
    const panel = await open(listCopyAttention, { theme });
    await panel.picture(`attention-masked-${theme}`);
    const allowed = [...listCopyAttention.allowed].map(Boolean);
    expect((await lightnessOfCells(panel, '.matrix .pattern-ground', 5)).map(isFlat)).toEqual(allowed);
    const thumbnails = await panel.page.locator('.thumbnail .pattern-ground').count();
    expect(thumbnails).toBe(2);
    expect((await lightnessOfCells(panel, '.thumbnail .pattern-ground >> nth=1', 5)).map(isFlat)).toEqual(allowed);
    expect(isFlat((await lightnessOfCells(panel, '.legend-masked', 1))[0] ?? expect.fail('no legend'))).toBe(false);
  });

  test('is told from a weight of 0 by every way to read it', async () => {
    const panel = await open(listCopyAttention);
    const { page } = panel;
    const [hidden, zero] = ['SEP (position 2) → SEP (position 2): masked', 'SEP (position 2) → d1 (position 0): 0.000'];
    await hover(panel, 2, 2);
    expect(await readout(panel)).toBe(`L0H0: ${hidden}`);
    await expect.poll(() => page.locator('.token-weight').allInnerTexts()).toEqual(['0.00', '1.00', 'masked', 'masked', 'masked']);
    await hover(panel, 2, 0);
    expect(await readout(panel)).toBe(`L0H0: ${zero}`);
    await page.getByRole('application', { name: /^Pattern of L0H0, 5 by 5/ }).focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => page.locator('[aria-live]').allInnerTexts()).toContainEqual(expect.stringContaining(hidden));
    await page.getByRole('button', { name: /^Show as table/ }).click();
    await expect.poll(() => page.locator('.data-table tbody tr').nth(2).locator('th, td').allInnerTexts()).toEqual(['SEP (2)', '0', '1', 'masked', 'masked', 'masked']);
  });
});

/** The least and the greatest lightness within each cell of a pattern as it is on the screen, row by row. */
async function lightnessOfCells({ page }: OpenPanel, pattern: string, count: number): Promise<readonly (readonly [number, number])[]> {
  const bytes = await page.locator(pattern).screenshot({ animations: 'disabled' });
  return page.evaluate(async ({ base64, count }) => {
    const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(base64), character => character.charCodeAt(0))]));
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
    if (!context) throw new Error('there is no canvas');
    context.drawImage(bitmap, 0, 0);
    const [width, height] = [bitmap.width / count, bitmap.height / count];
    return Array.from({ length: count * count }, (_, cell): [number, number] => {
      // Away from the edges, where neighbours and outlines are.
      const [left, top] = [(cell % count) * width + 2, Math.floor(cell / count) * height + 2];
      const { data } = context.getImageData(Math.ceil(left), Math.ceil(top), Math.floor(width - 5), Math.floor(height - 5));
      const lightness = Array.from({ length: data.length / 4 }, (__, pixel) => ((data[pixel * 4] ?? 0) + (data[pixel * 4 + 1] ?? 0) + (data[pixel * 4 + 2] ?? 0)) / 3);
      return [Math.min(...lightness), Math.max(...lightness)];
    });
  }, { base64: bytes.toString('base64'), count });
}

const isFlat = ([least, greatest]: readonly [number, number]) => {
  // Hatching that is hardly there is no hatching.
  if (greatest - least > 1 && greatest - least < 30) throw new Error(`lightness differs by ${greatest - least} of 255`);
  return greatest - least <= 1;
};

describe('locking', () => {
  test('a click keeps the cell until another is clicked, or the same again', async () => {
    const panel = await open();
    const { x, y } = await cellCentre(panel, 9, 3);
    await panel.page.mouse.click(x, y);
    await hover(panel, 5, 2);
    expect(await readout(panel)).toContain('48 (position 9) → 33 (position 3)');
    expect(await readout(panel)).toContain('(locked)');
    const other = await cellCentre(panel, 5, 2);
    await panel.page.mouse.click(other.x, other.y);
    const moved = `L0H0: 1 (position 5) → 7 (position 2): ${weightOf(arrayUpdateAttention, 0, 5, 2)}`;
    expect(await readout(panel)).toBe(`${moved} (locked)`);
    await panel.page.mouse.click(other.x, other.y);
    expect(await readout(panel)).toBe(moved);
  });

  test('Escape lets go', async () => {
    const panel = await open();
    const { x, y } = await cellCentre(panel, 9, 3);
    await panel.page.mouse.click(x, y);
    await panel.page.mouse.move(5, 5);
    expect(await readout(panel)).toContain('(locked)');
    await panel.page.keyboard.press('Escape');
    expect(await readout(panel)).toContain('Point at a cell');
  });

  test('stays through new numbers, in place', async () => {
    const panel = await open();
    const { x, y } = await cellCentre(panel, 9, 3);
    await panel.page.mouse.click(x, y);
    const canvas = await panel.page.locator('.matrix canvas').elementHandle();
    const later = attention(arrayUpdateTokens, [{ layer: 0, head: 0 }, { layer: 0, head: 1 }]);
    await panel.post({ kind: 'result', partial: false, result: { figures: [later], scalars: {} } });
    await panel.page.getByText(weightOf(later, 0, 9, 3)).first().waitFor();
    expect(await readout(panel)).toContain('(locked)');
    expect(await canvas?.evaluate(element => element.isConnected)).toBe(true);
    expect(await panel.page.evaluate(() => document.activeElement?.className)).toContain('matrix');
  });

  test('ends with the cell, when a shorter prompt no longer has it', async () => {
    const panel = await open();
    const { x, y } = await cellCentre(panel, 9, 3);
    await panel.page.mouse.click(x, y);
    await panel.post({ kind: 'result', partial: false, result: { figures: [modularAttention], scalars: {} } });
    await panel.page.getByText('Attention from =').waitFor();
    expect(await readout(panel)).toContain('Point at a cell');
    expect(panel.complaints).toEqual([]);
  });
});

describe('the keyboard', () => {
  test('moves the cell, locks it, lets go, and says where it is', async () => {
    const panel = await open();
    const { page } = panel;
    await page.getByRole('application', { name: /^Pattern of L0H0, 11 by 11/ }).focus();
    for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowRight']) await page.keyboard.press(key);
    const place = '7 (position 2) → 12 (position 1)';
    expect(await readout(panel)).toContain(place);
    expect(await page.getByRole('status').innerText()).toContain(place);
    await page.keyboard.press('Enter');
    expect(await page.getByRole('status').innerText()).toMatch(/locked$/);
    await hover(panel, 9, 3);
    expect(await readout(panel)).toContain(place);
    await page.keyboard.press('End');
    expect(await readout(panel)).toContain('7 (position 2) → 33 (position 10): masked');
    await page.keyboard.press('Escape');
    expect(await page.getByRole('status').innerText()).toBe('Unlocked.');
  });

  test('reaches the comparison, the table, the export, the heads and the pattern in turn', async () => {
    const panel = await open();
    const reached: string[] = [];
    for (let i = 0; i < 5; i++) {
      await panel.page.keyboard.press('Tab');
      reached.push(await panel.page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent?.trim() ?? ''));
    }
    expect(reached.map(name => name.split(/[,:]/)[0])).toEqual(['Compare with…', 'Show as table', 'Export', 'L0H0', 'Pattern of L0H0']);
  });
});

describe('picking a head', () => {
  test('by a click tells the extension and shows it large', async () => {
    const panel = await open();
    await panel.page.getByRole('radio', { name: 'L0H1' }).click();
    expect(await panel.next('select')).toEqual({ kind: 'select', layer: 0, head: 1 });
    await panel.page.getByRole('heading', { name: 'L0H1' }).waitFor();
    expect(await panel.page.getByRole('radio', { name: 'L0H1' }).getAttribute('aria-checked')).toBe('true');
    await hover(panel, 9, 5);
    expect(await panel.page.locator('.tooltip').innerText()).toBe(`48 → 1: ${weightOf(arrayUpdateAttention, 1, 9, 5)}`);
  });

  test('with the arrow keys goes across heads and down layers', async () => {
    const panel = await open(manyHeads);
    await panel.page.getByRole('radio', { name: 'L0H0', exact: true }).focus();
    await panel.page.keyboard.press('ArrowRight');
    expect(await panel.next('select')).toEqual({ kind: 'select', layer: 0, head: 1 });
    await panel.page.keyboard.press('ArrowDown');
    expect(await panel.next('select')).toEqual({ kind: 'select', layer: 1, head: 1 });
    await panel.page.keyboard.press('ArrowLeft');
    await panel.page.keyboard.press('ArrowLeft');
    expect(await panel.next('select')).toEqual({ kind: 'select', layer: 1, head: 0 });
    expect(await panel.waiting('select')).toEqual([]);
    await panel.page.getByRole('heading', { name: 'L1H0' }).waitFor();
  });

  test('anywhere else shows it here, without an echo', async () => {
    const panel = await open();
    await panel.post({ kind: 'select', selection: { model: model.id, layer: 0, head: 1 } });
    await panel.page.getByRole('heading', { name: 'L0H1' }).waitFor();
    await panel.page.getByText('L0H1 is strongest').waitFor();
    await panel.post({ kind: 'select', selection: { model: 'another model', layer: 0, head: 0 } });
    await panel.post({ kind: 'select', selection: { model: model.id, layer: 7, head: 7 } });
    await panel.page.getByRole('heading', { name: 'L0H0' }).waitFor();
    expect(await panel.waiting('select')).toEqual([]);
  });

  test('is remembered from the moment that the panel opens', async () => {
    const panel = await panels.open();
    await showFigures(panel, [arrayUpdateAttention], { selection: { model: model.id, layer: 0, head: 1 } });
    await panel.page.getByRole('heading', { name: 'L0H1' }).waitFor();
  });
});

describe('tokens', () => {
  test('are text, whatever they look like', async () => {
    const words = ['<img src=x onerror=alert(1)>', '&lt;b&gt;', ' the', '"quoted"', '\n', '😀'];
    const panel = await open(attention(words, [{ layer: 0, head: 0 }]));
    await hover(panel, 1, 0);
    expect(await panel.page.locator('.tooltip').innerText()).toContain('&lt;b&gt; → <img src=x onerror=alert(1)>: ');
    expect(await panel.page.locator('main img').count()).toBe(0);
    await expect.poll(() => panel.page.locator('.token-word').allInnerTexts()).toEqual(['<img␣src=x␣…', '&lt;b&gt;', '␣the', '"quoted"', '↵', '😀']);
    expect(panel.complaints).toEqual([]);
  });

  test('by the hundred stay legible and within the page', async () => {
    const many = attention(Array.from({ length: 300 }, (_, i) => `word${i}`), [0, 1, 2].map(head => ({ layer: 0, head })));
    const panel = await open(many);
    await panel.picture('attention-300-tokens');
    await panel.page.getByRole('application', { name: /300 by 300/ }).focus();
    await panel.page.keyboard.press('End');
    await panel.page.keyboard.press('End');
    expect(await readout(panel)).toContain('word0 (position 0) → word299 (position 299): masked');
    expect(await panel.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(1000);
  });

  test('may be missing', async () => {
    const panel = await open(attention([], [{ layer: 0, head: 0 }]));
    await panel.page.getByText('There is nothing to attend to.').waitFor();
    expect(panel.complaints).toEqual([]);
  });
});

describe.each(themeNames)('in %s', theme => {
  test('a locked cell and its links are visible', async () => {
    const panel = await open(manyHeads, { theme, width: 1200 });
    const { x, y } = await cellCentre(panel, 14, 13);
    await panel.page.mouse.click(x, y);
    await panel.picture(`attention-locked-${theme}`);
    expect(await panel.violations()).toEqual([]);
    expect(panel.complaints).toEqual([]);
  });
});

test('shown as a table, it has the weights of the head that is picked', async () => {
  const panel = await open(modularAttention);
  const { page } = panel;
  await page.getByRole('button', { name: 'Show as table: Attention from =' }).click();
  const rows = page.locator('.data-table tbody tr');
  await expect.poll(() => rows.nth(1).locator('th, td').allInnerTexts()).toEqual(['b (1)', weightOf(modularAttention, 0, 1, 0), weightOf(modularAttention, 0, 1, 1), 'masked'].map(text => text.replace(/(\.\d*?)0+$/, '$1')));
  await panel.post({ kind: 'select', selection: { model: model.id, layer: 0, head: 3 } });
  await page.getByRole('columnheader', { name: /L0H3/ }).waitFor();
  expect(await page.locator('.attention').isVisible()).toBe(false);
});
