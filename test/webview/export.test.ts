import { describe, expect, test } from 'vitest';
import type { Figure } from '../../src/protocol/figure';
import { exportFormats, type ExportFormat } from '../../src/protocol/panel';
import { arrayUpdateAttention, bars, everyKind, graph, modularAttention, smallHeatmap, table, trainingCurves } from './samples';
import { mkdirSync, writeFileSync } from 'node:fs';
import { showFigures, themeNames, usePanels, type OpenPanel } from './support';

const panels = usePanels();

async function open(figures: readonly Figure[], options: Parameters<typeof panels.open>[0] = {}): Promise<OpenPanel> {
  const panel = await panels.open(options);
  await showFigures(panel, figures);
  return panel;
}

async function exported(panel: OpenPanel, figure: number, format: ExportFormat): Promise<string | Uint8Array> {
  await panel.post({ kind: 'export', format, figure });
  const message = await panel.next('save');
  expect(message.format).toBe(format);
  return message.content;
}

/** Reads CSV as RFC 4180 has it: an independent check of what is written. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1)?.push(quoted === undefined ? plain ?? '' : quoted.replaceAll('""', '"'));
    if (end === '\r\n') rows.push([]);
  }
  return rows.slice(0, -1);
}

/** Width and height in the header of a PNG. */
function pngSize(bytes: Uint8Array): { width: number; height: number } {
  expect([...bytes.subarray(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

/**
 * What a browser makes of an SVG: whether it parses, its size, its texts, and anything in it that could run or load. In a
 * page of its own, because the panel's policy would hold for what is parsed in it.
 */
async function inspectSvg({ page }: OpenPanel, svg: string) {
  const viewer = await page.context().newPage();
  return viewer.evaluate(svg => {
    const root = new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement;
    return {
      name: root.nodeName,
      width: Number(root.getAttribute('width')),
      height: Number(root.getAttribute('height')),
      texts: [...root.querySelectorAll('text')].map(text => text.textContent ?? ''),
      foreign: [...root.querySelectorAll('script, foreignObject, a')].length
        + [...root.querySelectorAll('*')].filter(node => [...node.attributes].some(({ name, value }) => name.startsWith('on') || /^https?:/.test(value) && !name.startsWith('xmlns'))).length,
    };
  }, svg);
}

describe('the menu', () => {
  test('opens, walks and picks by keyboard, and gives the focus back', async () => {
    const panel = await open([smallHeatmap]);
    const { page } = panel;
    await page.getByRole('button', { name: `Export: ${smallHeatmap.title}` }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('menu').waitFor();
    await expect.poll(() => page.getByRole('menuitem').allInnerTexts()).toEqual(['PNG', 'SVG', 'CSV', 'JSON', 'Copy as TransformerLens code']);
    expect(await panel.violations()).toEqual([]);
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    expect(await panel.next('save')).toMatchObject({ format: 'csv', name: 'array-update-Patching-each-head-at-each-position' });
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('VSCODE-BUTTON');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Escape');
    expect(await page.getByRole('menu').isVisible()).toBe(false);
    expect(panel.complaints).toEqual([]);
  });
});

describe.each(everyKind.map((figure, index) => ({ kind: figure.kind, figure, index })))('a $kind', ({ figure }) => {
  test('is saved in every format', async () => {
    const panel = await open([figure]);
    const svg = String(await exported(panel, 0, 'svg'));
    const { name, texts, foreign, ...size } = await inspectSvg(panel, svg);
    expect(name).toBe('svg');
    expect(texts).toContain(figure.title);
    expect(foreign).toBe(0);

    const png = await exported(panel, 0, 'png');
    if (typeof png === 'string') throw new Error('a PNG is bytes');
    expect(pngSize(png)).toEqual({ width: size.width * 2, height: size.height * 2 });
    mkdirSync('test-results/webview', { recursive: true });
    writeFileSync(`test-results/webview/export-${figure.kind}.png`, png);

    const rows = parseCsv(String(await exported(panel, 0, 'csv')));
    expect(rows.length).toBeGreaterThan(2);
    expect(new Set(rows.map(row => row.length)).size).toBe(1);

    const json: unknown = JSON.parse(String(await exported(panel, 0, 'json')));
    expect(json).toMatchObject({ kind: figure.kind, title: figure.title });
    expect(panel.complaints).toEqual([]);
  });
});

describe('CSV', () => {
  test('of a heatmap has its labels, its numbers to the last digit, and blanks where there are none', async () => {
    const panel = await open([smallHeatmap]);
    const rows = parseCsv(String(await exported(panel, 0, 'csv')));
    expect(rows).toEqual([
      ['head \\ position', 'a', 'b', '='],
      ['L0H0', '0.01', '0.12', '0.93'],
      ['L0H1', '-0.04', '0', '0.31'],
      ['L0H2', '0.2', '-0.11', '0.71'],
      ['L0H3', '', '0.03', '0.08'],
    ]);
  });

  test('of attention has every allowed weight of every head, and sums to 1 by row', async () => {
    const panel = await open([arrayUpdateAttention]);
    const [header, ...rows] = parseCsv(String(await exported(panel, 0, 'csv')));
    expect(header).toEqual(['Layer', 'Head', 'Destination', 'Destination token', 'Source', 'Source token', 'Weight']);
    expect(rows).toHaveLength(2 * (11 * 12) / 2);
    const sum = rows.filter(row => row[1] === '1' && row[2] === '9').reduce((total, row) => total + Number(row[6]), 0);
    expect(sum).toBeCloseTo(1, 6);
    for (const row of rows) {
      const [, head, destination, , source, , weight] = row.map(Number);
      expect(Math.fround(weight ?? 0)).toBe(arrayUpdateAttention.heads[head ?? 0]?.pattern[(destination ?? 0) * 11 + (source ?? 0)]);
    }
  });

  test('of lines joins series that were measured at different steps', async () => {
    const panel = await open([{
      ...trainingCurves(), series: [
        { name: 'a, "quoted"', x: Float64Array.from([0, 2]), y: Float64Array.from([1e-8, 1 / 3]) },
        { name: 'b', x: Float64Array.from([1, 2]), y: Float64Array.from([5, 6]) },
      ],
    }]);
    expect(parseCsv(String(await exported(panel, 0, 'csv')))).toEqual([
      ['step', 'a, "quoted"', 'b'], ['0', '1e-8', ''], ['1', '', '5'], ['2', '0.3333333333333333', '6'],
    ]);
  });
});

describe('a picture', () => {
  test('of attention shows every head and the labels of the one that is picked', async () => {
    const panel = await open([modularAttention]);
    await panel.page.getByRole('radio', { name: 'L0H2' }).click();
    const { texts } = await inspectSvg(panel, String(await exported(panel, 0, 'svg')));
    expect(texts.filter(text => text === 'L0H2')).toHaveLength(2);
    expect(texts).toEqual(expect.arrayContaining(['L0H0', 'L0H1', 'L0H3', 'a', 'b', '=', 'source →', '← destination']));
  });

  test('has the pixels that the page has', async () => {
    const panel = await open([modularAttention]);
    const png = await exported(panel, 0, 'png');
    const colours = await panel.page.evaluate(async bytes => {
      const bitmap = await createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'image/png' }));
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      const context = canvas.getContext('2d');
      context?.drawImage(bitmap, 0, 0);
      const page = document.querySelector('.matrix canvas');
      const shown = page instanceof HTMLCanvasElement ? [...page.getContext('2d')?.getImageData(0, 1, 1, 1).data ?? []] : [];
      const pixels = context?.getImageData(0, 0, bitmap.width, bitmap.height).data ?? [];
      let found = 0;
      for (let i = 0; i < pixels.length; i += 4) if (shown.every((value, channel) => pixels[i + channel] === value)) found++;
      return { found, corner: [...context?.getImageData(1, 1, 1, 1).data ?? []] };
    }, png);
    // The weight from the second position to the first: a large cell of 56 × 56 and a small one of 24 × 24, at 2 pixels each.
    expect(colours.found).toBeGreaterThan((56 * 2) ** 2);
    expect(colours.corner).toEqual([255, 255, 255, 255]);
  });

  test('can be made of a chart that is shown as a table', async () => {
    const panel = await open([bars]);
    await panel.page.getByRole('button', { name: `Show as table: ${bars.title}` }).click();
    const { texts } = await inspectSvg(panel, String(await exported(panel, 0, 'svg')));
    expect(texts).toContain('frequency');
  });

  test('never carries markup that was in the data', async () => {
    const hostile = '<script>alert(1)</script><image href="https://example.com/x"/>';
    const panel = await open([
      { ...smallHeatmap, title: hostile, x: { title: hostile, labels: [hostile, hostile, hostile] } },
      { ...table, title: hostile, rows: [[hostile, hostile, 1, 2]] },
      { ...graph, title: hostile, nodes: graph.nodes.map(node => ({ ...node, label: hostile })) },
      { ...modularAttention, title: hostile, tokens: [hostile, hostile, hostile] },
    ]);
    for (let figure = 0; figure < 4; figure++) {
      const { name, foreign, texts } = await inspectSvg(panel, String(await exported(panel, figure, 'svg')));
      expect({ name, foreign }).toEqual({ name: 'svg', foreign: 0 });
      expect(texts).toContain(hostile);
    }
  });

  test.each(themeNames)('follows the theme: %s', async theme => {
    const panel = await open([arrayUpdateAttention, graph], { theme });
    for (const [index, name] of ['attention', 'graph'].entries()) {
      const png = await exported(panel, index, 'png');
      if (typeof png !== 'string') writeFileSync(`test-results/webview/export-${name}-${theme}.png`, png);
    }
    expect(panel.complaints).toEqual([]);
  });
});

test('a figure that is not there is reported, whatever the format', async () => {
  const panel = await open([table]);
  for (const format of exportFormats) {
    await panel.post({ kind: 'export', format, figure: 3 });
    expect(await panel.next('failed')).toEqual({ kind: 'failed', message: 'There is no figure 3 to export; there are 1.' });
  }
});
