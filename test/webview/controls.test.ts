import { describe, expect, test } from 'vitest';
import type { AnalysisInfo } from '../../src/protocol/analysis';
import type { Figure } from '../../src/protocol/figure';
import type { Parameters } from '../../src/protocol/parameter';
import { network, table } from './samples';
import { analysis, drawn, model, showFigures, themeNames, usePanels, words, type OpenPanel } from './support';

const panels = usePanels();
const twoLayers = { ...model, n_layers: 2, n_heads: 1, attn_only: false };

const kinds = {
  position: { kind: 'position', title: 'Position', description: 'Where', default: '' },
  corruption: { kind: 'corruption', title: 'Corruption', description: 'What is changed', default: '' },
  receiver: { kind: 'head', title: 'Receiver', description: 'What is told', default: '', otherwise: 'Logits' },
  threshold: { kind: 'number', title: 'Threshold', description: 'Edges below it go', default: 0.25, minimum: 0, maximum: 1, slider: true },
  clean: { kind: 'prompt', title: 'Clean prompt', description: 'From', default: '' },
  corrupted: { kind: 'prompt', title: 'Corrupted prompt', description: 'To', default: '' },
  ablated: { kind: 'components', title: 'Ablated', description: 'What is taken out', default: '' },
  graph: { kind: 'graph', title: 'Graph', description: 'What is drawn', default: '' },
  sample: { kind: 'integer', title: 'Sample number', description: 'Which graph of the task', default: 0, minimum: 0, maximum: 2 },
  target: { kind: 'integer', title: 'Target', description: 'What is asked for', default: 2, minimum: 1 },
  path: { kind: 'path', title: 'Path', description: 'The product', default: 'W_E · OV(0.0)' },
} as const satisfies Parameters;

async function open(names: readonly (keyof typeof kinds)[], { params = {}, over = {}, theme = 'lightModern' as (typeof themeNames)[number], figures = [table] as readonly Figure[] } = {}): Promise<OpenPanel> {
  const shown: AnalysisInfo = { ...analysis, id: 'sample', params: Object.fromEntries(names.map(name => [name, kinds[name]])) };
  const panel = await panels.open({ theme });
  await showFigures(panel, figures, { analysis: shown, model: twoLayers, state: { model: model.id, analysis: shown.id, params }, ...over });
  return panel;
}

const sent = async (panel: OpenPanel) => (await panel.next('change')).params;

describe('names', () => {
  test('of positions are listed after the analysis\' own choice; a number is understood', async () => {
    const panel = await open(['position'], { params: { position: '2' } });
    const list = panel.page.getByRole('combobox', { name: 'Position' });
    expect(await list.locator('.selected-value').innerText()).toBe('=');
    await list.click();
    await expect.poll(() => panel.page.getByRole('option').allInnerTexts()).toEqual(['Chosen by the analysis', 'a', 'b', '=', 'answer']);
    await panel.page.getByRole('option', { name: 'b', exact: true }).click();
    expect(await sent(panel)).toEqual({ position: 'b' });
  });

  test('of heads begin with what is meant by none', async () => {
    const panel = await open(['receiver']);
    await panel.page.getByRole('combobox', { name: 'Receiver' }).click();
    await expect.poll(() => panel.page.getByRole('option').allInnerTexts()).toEqual(['Logits', 'L0H0', 'L1H0']);
    await panel.page.getByRole('option', { name: 'L1H0' }).click();
    expect(await sent(panel)).toEqual({ receiver: '1.0' });
  });

  test('of corruptions begin with the one that is meant by none', async () => {
    const panel = await open(['corruption'], { params: { corruption: 'another a' } });
    const list = panel.page.getByRole('combobox', { name: 'Corruption' });
    expect(await list.locator('.selected-value').innerText()).toBe('another a');
    await list.click();
    await expect.poll(() => panel.page.getByRole('option').allInnerTexts()).toEqual(['another a', 'another b']);
    await panel.page.getByRole('option', { name: 'another b' }).click();
    expect(await sent(panel)).toEqual({ corruption: 'another b' });
  });
});

describe('a slider', () => {
  test('is moved with the keyboard, and says its value', async () => {
    const panel = await open(['threshold']);
    const handle = panel.page.getByRole('slider', { name: 'Threshold' });
    await handle.focus();
    await panel.page.keyboard.press('ArrowRight');
    expect(await sent(panel)).toEqual({ threshold: 0.26 });
    expect(await handle.getAttribute('aria-valuetext')).toBe('0.26');
    await panel.page.keyboard.press('End');
    expect(await sent(panel)).toEqual({ threshold: 1 });
    await panel.page.locator('.slider-value').getByText('1', { exact: true }).waitFor();
  });

  test('dragged tells where it is now and then, and where it came to rest', async () => {
    const panel = await open(['threshold']);
    const { page } = panel;
    const box = await page.getByRole('slider').boundingBox();
    if (!box) throw new Error('there is no slider');
    const at = (share: number) => [box.x + 7 + (box.width - 14) * share, box.y + box.height / 2] as const;
    await page.mouse.move(...at(0.25));
    await page.mouse.down();
    const started = Date.now();
    for (let step = 1; step <= 50; step++) await page.mouse.move(...at(0.25 + 0.01 * step));
    await page.mouse.up();
    const seconds = (Date.now() - started) / 1000;
    await page.waitForFunction(() => globalThis.fromPanel.some(message => message.kind === 'change' && message.params['threshold'] === 0.75));
    const changes = await panel.waiting('change');
    expect(changes.at(-1)).toMatchObject({ params: { threshold: 0.75 } });
    expect(changes.length).toBeGreaterThan(0);
    // Eight a second, one at the start and one at the end.
    expect(changes.length).toBeLessThanOrEqual(8 * seconds + 2);
  });

  test('follows what the extension shows, without telling it back', async () => {
    const panel = await open(['threshold'], { params: { threshold: 0.5 } });
    expect(await panel.page.getByRole('slider').inputValue()).toBe('0.5');
    expect(await panel.waiting('change')).toEqual([]);
  });
});

describe('components', () => {
  const chips = (panel: OpenPanel) => panel.page.getByRole('group', { name: 'Ablated' }).getByRole('button');

  test('are chips in the order of the model, and become a list', async () => {
    const panel = await open(['ablated'], { params: { ablated: 'L1H0, MLP 0' } });
    await expect.poll(() => chips(panel).allInnerTexts()).toEqual(['L0H0', 'MLP 0', 'L1H0', 'MLP 1']);
    expect(await chips(panel).evaluateAll(all => all.map(chip => chip.getAttribute('aria-pressed')))).toEqual(['false', 'true', 'true', 'false']);
    await chips(panel).filter({ hasText: 'L0H0' }).click();
    expect(await sent(panel)).toEqual({ ablated: '0.0, mlp 0, 1.0' });
  });

  test('of a layer are one stop of the Tab key, and the arrows walk along them', async () => {
    const panel = await open(['ablated']);
    await chips(panel).filter({ hasText: 'L0H0' }).focus();
    await panel.page.keyboard.press('ArrowRight');
    await panel.page.keyboard.press('Space');
    expect(await sent(panel)).toEqual({ ablated: 'mlp 0' });
    await panel.page.keyboard.press('Tab');
    expect(await panel.page.evaluate(() => document.activeElement?.textContent)).toBe('L1H0');
  });

  test('fold away by layer where there are very many', async () => {
    const panel = await open(['ablated'], { params: { ablated: '3.7' }, over: { model: { ...model, n_layers: 12, n_heads: 12, attn_only: false } } });
    await panel.page.getByText('Layer 3: 1 of 13').waitFor();
    expect(await panel.page.getByRole('button', { name: 'L3H7' }).isVisible()).toBe(true);
    expect(await panel.page.getByRole('button', { name: 'L4H7' }).isVisible()).toBe(false);
    await panel.page.getByText('Layer 4: none of 13').click();
    await panel.page.getByRole('button', { name: 'L4H7' }).click();
    expect(await sent(panel)).toEqual({ ablated: '3.7, 4.7' });
  });
});

describe('a path', () => {
  const product = (panel: OpenPanel) => panel.page.getByRole('textbox', { name: 'As text' }).inputValue();
  const offer = (panel: OpenPanel, group: string, name: string) =>
    panel.page.getByRole('toolbar', { name: `Append of ${group}` }).getByRole('button', { name, exact: true });

  test('grows by a click, and says what its rows and columns are', async () => {
    const panel = await open(['path']);
    await panel.page.getByText('A row for each token, a column for each direction of the residual stream.').waitFor();
    await offer(panel, 'L1H0', 'OV(1.0)').click();
    expect(await sent(panel)).toEqual({ path: 'W_E · OV(0.0) · OV(1.0)' });
    await offer(panel, 'model', 'W_U').click();
    expect(await sent(panel)).toEqual({ path: 'W_E · OV(0.0) · OV(1.0) · W_U' });
    await panel.page.getByText('A row for each token, a column for each logit.').waitFor();
  });

  test('offers what fits only turned turned, and what does not fit with its reason', async () => {
    const panel = await open(['path']);
    await offer(panel, 'model', 'W_Eᵀ').click();
    expect(await sent(panel)).toEqual({ path: 'W_E · OV(0.0) · W_Eᵀ' });
    const misfit = offer(panel, 'L0H0', 'OV(0.0)');
    expect(await misfit.getAttribute('aria-disabled')).toBe('true');
    expect(await misfit.getAttribute('title')).toBe('OV(0.0) goes between the residual stream and the residual stream; the product ends in the vocabulary.');
    await misfit.click({ force: true });
    await panel.page.locator('.path-shape').getByText('the product ends in the vocabulary.').waitFor();
    expect(await panel.waiting('change')).toEqual([]);
  });

  test('is turned and shortened on its chips, and not sent while it does not fit', async () => {
    const panel = await open(['path'], { params: { path: 'W_pos · QK(1.0) · OV(0.0) · W_Eᵀ' } });
    await panel.page.getByRole('button', { name: 'Transpose OV(0.0), factor 3' }).click();
    expect(await sent(panel)).toEqual({ path: 'W_pos · QK(1.0) · OV(0.0)ᵀ · W_Eᵀ' });
    expect(await panel.page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Transpose OV(0.0), factor 3');
    await panel.page.getByRole('button', { name: 'Transpose W_pos, factor 1' }).click();
    await panel.page.getByRole('alert').getByText('Factor 2 of the path does not fit: QK(1.0) begins in the residual stream, but W_posᵀ before it ends in the positions.').waitFor();
    expect(await panel.waiting('change')).toEqual([]);
    await panel.page.getByRole('button', { name: 'Remove W_posᵀ, factor 1' }).click();
    expect(await sent(panel)).toEqual({ path: 'QK(1.0) · OV(0.0)ᵀ · W_Eᵀ' });
  });

  test('may be typed; what cannot be read is named', async () => {
    const panel = await open(['path']);
    const field = panel.page.getByRole('textbox', { name: 'As text' });
    await field.fill('W_pos QK(1.0) OV(0.0)^T W_E^T');
    await panel.page.keyboard.press('Enter');
    expect(await sent(panel)).toEqual({ path: 'W_pos · QK(1.0) · OV(0.0)ᵀ · W_Eᵀ' });
    expect(await product(panel)).toBe('W_pos · QK(1.0) · OV(0.0)ᵀ · W_Eᵀ');
    await field.fill('W_E · OV(x)');
    await panel.page.keyboard.press('Enter');
    await panel.page.getByRole('alert').getByText('Factor 2 of the path, "OV(x)": OV is of a head').waitFor();
    expect(await panel.waiting('change')).toEqual([]);
  });

  test('is built with the keyboard from nothing', async () => {
    const panel = await open(['path'], { params: { path: 'W_E' } });
    await panel.page.getByRole('button', { name: 'Remove W_E, factor 1' }).focus();
    await panel.page.keyboard.press('Enter');
    await panel.page.getByText('Nothing yet').waitFor();
    expect(await panel.page.evaluate(() => document.activeElement?.textContent)).toBe('W_E');
    await panel.page.keyboard.press('End');
    await panel.page.keyboard.press('Enter');
    expect(await sent(panel)).toEqual({ path: 'W_U' });
    expect(panel.complaints).toEqual([]);
  });

  test('has no MLP where the model has none', async () => {
    const panel = await open(['path'], { over: { model: { ...twoLayers, attn_only: true } } });
    await expect.poll(() => panel.page.getByRole('toolbar', { name: /^Append of/ }).count()).toBe(3);
  });
});

describe('a prompt', () => {
  test('has its words under the names of their positions, and an unknown one is named and not sent', async () => {
    const panel = await open(['clean']);
    const { page } = panel;
    const field = page.getByRole('textbox', { name: 'Clean prompt' });
    await field.pressSequentially('1 quux =');
    const list = page.getByRole('list', { name: 'Words of Clean prompt' });
    await expect.poll(() => list.getByRole('listitem').allInnerTexts()).toEqual(['a\n1', 'b\nquux\n(unknown)', '=\n=']);
    await page.getByText('There is no token "quux"').waitFor();
    await page.keyboard.press('Enter');
    expect(await panel.waiting('change')).toEqual([]);
    await field.fill('1 2 =');
    await page.keyboard.press('Enter');
    expect(await sent(panel)).toEqual({ clean: '1 2 =' });
  });

  test('beside another shows where the two differ, and says so', async () => {
    const panel = await open(['clean', 'corrupted'], { params: { clean: '1 2 =', corrupted: '1 4 =' } });
    const { page } = panel;
    await page.getByText('Differs from “Clean prompt” at b.').waitFor();
    await expect.poll(() => page.locator('.prompt-word[data-differs]').allInnerTexts()).toEqual(['b\n2\n(differs)', 'b\n4\n(differs)']);
    await page.getByRole('textbox', { name: 'Clean prompt' }).fill('1 4');
    await page.getByText('3 words, but “Clean prompt” has 2: the two must be of one length.').waitFor();
    await page.getByRole('textbox', { name: 'Clean prompt' }).fill('1 4 =');
    await page.getByText('The same as “Clean prompt”.').waitFor();
    await page.getByRole('textbox', { name: 'Clean prompt' }).fill('');
    await page.waitForFunction(() => !document.querySelector('[data-differs]'));
  });

  test('longer than the model reads is refused in words', async () => {
    const panel = await open(['clean']);
    await panel.page.getByRole('textbox', { name: 'Clean prompt' }).fill('1 1 1 1 1');
    await panel.page.getByText(`The prompt has 5 tokens; this model reads at most ${words.positions.length}.`).waitFor();
  });
});

describe.each(themeNames)('in %s', theme => {
  test('every control is understood by assistive technology', async () => {
    const panel = await open(['position', 'corruption', 'threshold', 'clean', 'corrupted', 'ablated', 'path'], {
      theme, params: { clean: '1 2 =', corrupted: '1 4 quux', ablated: '1.0', path: 'W_pos · QK(1.0) · OV(0.0)ᵀ' },
    });
    await drawn(panel);
    await panel.picture(`controls-${theme}`);
    expect(await panel.violations()).toEqual([]);
    expect(panel.complaints).toEqual([]);
  });
});

describe('a graph', () => {
  const sized = { words: { ...words, graph: { vertices: 6, maximumEdges: 4 } } };
  const vertex = (panel: OpenPanel, number: number) => panel.page.getByRole('button', { name: `vertex ${number},` });
  const field = (panel: OpenPanel) => panel.page.getByRole('textbox', { name: 'Edges' });
  const says = (panel: OpenPanel, text: string) => panel.page.locator('.parameter-graph .field-note').getByText(text).waitFor();

  test('is drawn: two vertices that are chosen are joined, and the next time parted', async () => {
    const panel = await open(['graph'], { params: { graph: '1-3 3-4' }, over: sized });
    expect(await vertex(panel, 3).getAttribute('aria-label')).toBe('vertex 3, joined to 1 and 4');
    expect(await vertex(panel, 5).getAttribute('aria-label')).toBe('vertex 5, joined to nothing');
    await vertex(panel, 4).click();
    expect(await vertex(panel, 4).getAttribute('aria-pressed')).toBe('true');
    await vertex(panel, 2).click();
    expect(await sent(panel)).toEqual({ graph: '1-3 3-4 2-4' });
    await says(panel, '4 and 2 are joined.');
    expect(await panel.page.locator('.graph-line').count()).toBe(3);
    await vertex(panel, 1).click();
    await vertex(panel, 3).click();
    expect(await sent(panel)).toEqual({ graph: '3-4 2-4' });
    expect(await field(panel).inputValue()).toBe('3-4 2-4');
  });

  test('parts vertices that are joined twice', async () => {
    const panel = await open(['graph'], { params: { graph: '1-3 3-1 3-4' }, over: sized });
    await vertex(panel, 1).click();
    await vertex(panel, 3).click();
    expect(await sent(panel)).toEqual({ graph: '3-4' });
  });

  test('is one stop of the Tab key; arrows walk along the vertices, Enter chooses, Escape lets go', async () => {
    const panel = await open(['graph'], { over: sized });
    const { keyboard } = panel.page;
    await vertex(panel, 1).focus();
    await keyboard.press('Enter');
    await keyboard.press('Escape');
    expect(await vertex(panel, 1).getAttribute('aria-pressed')).toBe('false');
    await keyboard.press('ArrowRight');
    await keyboard.press('Enter');
    await keyboard.press('End');
    await keyboard.press('Enter');
    expect(await sent(panel)).toEqual({ graph: '2-6' });
    await keyboard.press('Tab');
    expect(await panel.page.evaluate(() => document.activeElement?.textContent)).toBe('Clear');
  });

  test('may be typed, in either way of writing', async () => {
    const panel = await open(['graph'], { over: sized });
    await field(panel).fill('1 3, 3 4');
    await expect.poll(() => panel.page.locator('.graph-line').count()).toBe(2);
    await panel.page.keyboard.press('Enter');
    expect(await sent(panel)).toEqual({ graph: '1-3 3-4' });
  });

  test.each([
    ['1-3 4', 'The end 4 has no partner'],
    ['1-7', 'There is no vertex 7: this model reads vertices 1 to 6.'],
    ['1-2 2-3 3-4 4-5 5-6', 'The graph has 5 edges; this model reads at most 4.'],
  ])('"%s" is explained and not sent', async (text, problem) => {
    const panel = await open(['graph'], { over: sized });
    await field(panel).fill(text);
    await panel.page.keyboard.press('Enter');
    await panel.page.getByRole('alert').getByText(problem).waitFor();
    expect(await panel.waiting('change')).toEqual([]);
  });

  test('that is full takes no other edge, and says so', async () => {
    const panel = await open(['graph'], { params: { graph: '1-2 2-3 3-4 4-5' }, over: sized });
    await vertex(panel, 5).click();
    await vertex(panel, 6).click();
    await says(panel, 'The graph has 5 edges; this model reads at most 4.');
    expect(await panel.waiting('change')).toEqual([]);
    expect(await field(panel).inputValue()).toBe('1-2 2-3 3-4 4-5');
  });

  test('is cleared to be drawn anew, which asks for nothing yet, or sampled', async () => {
    const panel = await open(['graph'], { params: { graph: '1-3 3-4' }, over: sized });
    await panel.page.getByRole('button', { name: 'Clear: Graph' }).click();
    await expect.poll(() => panel.page.locator('.graph-line').count()).toBe(0);
    expect(await field(panel).inputValue()).toBe('');
    expect(await panel.waiting('change')).toEqual([]);
    await panel.page.getByRole('button', { name: 'Sample: Graph' }).click();
    expect(await sent(panel)).toEqual({ graph: '' });
  });

  test('whose last edge is parted asks for nothing, as no edges would be a sampled graph', async () => {
    const panel = await open(['graph'], { params: { graph: '1-3' }, over: sized });
    await vertex(panel, 1).click();
    await vertex(panel, 3).click();
    await says(panel, '1 and 3 are parted. No edges. Choose two vertices to join them, or to part them.');
    expect(await field(panel).inputValue()).toBe('');
    await vertex(panel, 5).click();
    await vertex(panel, 2).click();
    expect(await sent(panel)).toEqual({ graph: '2-5' });
    expect(await panel.waiting('change')).toEqual([]);
  });

  describe('that was sampled', () => {
    const sampledGraph = (...edges: readonly (readonly [number, number])[]) => ({ figures: [network(5, edges, [1, 3, 4])] });
    const shows = (panel: OpenPanel, ...edges: readonly (readonly [number, number])[]) => panel.post({
      kind: 'result', partial: false, result: { ...sampledGraph(...edges), scalars: {} },
    });
    const reads = (panel: OpenPanel, text: string) => expect.poll(() => field(panel).inputValue()).toBe(text);
    const sample = (panel: OpenPanel) => panel.page.getByRole('button', { name: 'Sample: Graph' });

    test('is drawn to be changed, and changed keeps the target that it had', async () => {
      const panel = await open(['graph', 'sample', 'target'], { over: sized, ...sampledGraph([1, 3], [3, 4]) });
      await reads(panel, '1-3 3-4');
      await says(panel, 'Sampled from the task. Choose two vertices to join them, or to part them.');
      expect(await vertex(panel, 3).getAttribute('aria-label')).toBe('vertex 3, joined to 1 and 4');
      expect(await panel.waiting('change')).toEqual([]);
      await vertex(panel, 3).click();
      await vertex(panel, 5).click();
      expect(await sent(panel)).toEqual({ graph: '1-3 3-4 3-5', target: 4 });
      // Its target is the user's from now on.
      await vertex(panel, 1).click();
      await vertex(panel, 2).click();
      expect(await sent(panel)).toEqual({ graph: '1-3 3-4 3-5 1-2', target: 4 });
      await panel.page.getByRole('textbox', { name: 'Target' }).fill('5');
      await panel.page.keyboard.press('Enter');
      await vertex(panel, 1).click();
      await vertex(panel, 2).click();
      await expect.poll(async () => (await panel.waiting('change')).map(({ params }) => params)).toEqual([
        { graph: '1-3 3-4 3-5 1-2', target: 5 }, { graph: '1-3 3-4 3-5', target: 5 },
      ]);
    });

    test('is followed by another, and after the last by the first', async () => {
      const panel = await open(['graph', 'sample'], { over: sized, params: { sample: 1 }, ...sampledGraph([1, 3], [3, 4]) });
      await sample(panel).click();
      expect(await sent(panel)).toEqual({ sample: 2 });
      await says(panel, 'A graph is sampled.');
      await shows(panel, [2, 4]);
      await reads(panel, '2-4');
      await sample(panel).click();
      expect(await sent(panel)).toEqual({ sample: 0 });
      // By chance the same: it is drawn again all the same.
      await reads(panel, '');
      await shows(panel, [2, 4]);
      await reads(panel, '2-4');
    });

    test('is not drawn over what is made of it', async () => {
      const panel = await open(['graph', 'sample'], { over: sized, ...sampledGraph([1, 3], [3, 4]) });
      await reads(panel, '1-3 3-4');
      await panel.page.getByRole('button', { name: 'Clear: Graph' }).click();
      await reads(panel, '');
      // As while a training goes on.
      await shows(panel, [1, 3], [3, 4]);
      await drawn(panel);
      expect(await field(panel).inputValue()).toBe('');
      await vertex(panel, 5).click();
      await vertex(panel, 6).click();
      expect(await sent(panel)).toEqual({ graph: '5-6' });
      await shows(panel, [1, 3]);
      await drawn(panel);
      expect(await field(panel).inputValue()).toBe('5-6');
    });

    test('takes the place of one that was drawn', async () => {
      const panel = await open(['graph', 'sample'], { over: sized, params: { graph: '2-5' }, ...sampledGraph([2, 5]) });
      await sample(panel).click();
      expect(await sent(panel)).toEqual({ graph: '' });
      await shows(panel, [1, 3], [3, 4]);
      await reads(panel, '1-3 3-4');
      await says(panel, 'Sampled from the task.');
    });

    test('is the only one of an analysis that numbers none', async () => {
      const panel = await open(['graph'], { over: sized, ...sampledGraph([1, 3]) });
      expect(await sample(panel).isDisabled()).toBe(true);
      await vertex(panel, 3).click();
      await vertex(panel, 4).click();
      expect(await sent(panel)).toEqual({ graph: '1-3 3-4' });
      expect(await sample(panel).isDisabled()).toBe(false);
    });
  });

  test('of a task that reads no graphs is text alone', async () => {
    const panel = await open(['graph']);
    await field(panel).fill('1-99');
    await panel.page.keyboard.press('Enter');
    expect(await sent(panel)).toEqual({ graph: '1-99' });
    expect(await panel.page.locator('.graph-canvas').count()).toBe(0);
  });

  test.each(themeNames)('can be read in %s', async theme => {
    const panel = await open(['graph'], { theme, params: { graph: '1-3 3-4 2-4 5-9 9-15 4-12 1-8 3-11 3-11' }, over: { words: { ...words, graph: { vertices: 15, maximumEdges: 15 } } } });
    await vertex(panel, 4).click();
    await vertex(panel, 7).hover();
    await panel.picture(`control-graph-${theme}`);
    expect(panel.complaints).toEqual([]);
    expect(await panel.violations()).toEqual([]);
  });
});
