import { describe, expect, test } from 'vitest';
import { coloursFor, colourTable, luminance, parseHex, readableOn, tableIndex, tableSize } from '../../webview/colours';
import darkModern from './themes/darkModern.json';
import highContrast from './themes/highContrast.json';
import lightModern from './themes/lightModern.json';

type Colour = readonly number[];

/** CIE lightness, 0 to 100. */
function lightness(colour: Colour): number {
  const y = luminance(colour);
  return y > 216 / 24389 ? 116 * Math.cbrt(y) - 16 : (y * 24389) / 27;
}

function contrast(a: Colour, b: Colour): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

const linear = (channel: number) => channel / 255 <= 0.04045 ? channel / 255 / 12.92 : ((channel / 255 + 0.055) / 1.055) ** 2.4;
const encoded = (share: number) => 255 * (share <= 0.0031308 ? 12.92 * share : 1.055 * share ** (1 / 2.4) - 0.055);

/** How colours look without one kind of cone (Machado, Oliveira and Fernandes 2009, severity 1). */
const visions = {
  'full colour vision': [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};

function seen(colour: Colour, vision: readonly Colour[]): number[] {
  const channels = colour.map(linear);
  return vision.map(row => encoded(Math.min(1, Math.max(0, row.reduce((sum, share, i) => sum + share * (channels[i] ?? 0), 0)))));
}

const row = (table: Uint8ClampedArray, index: number) => [...table.subarray(index * 3, index * 3 + 3)];
const themes = [
  { name: 'light', dark: false, backgrounds: [lightModern.variables['--vscode-editor-background']] },
  { name: 'dark', dark: true, backgrounds: [darkModern.variables['--vscode-editor-background'], highContrast.variables['--vscode-editor-background']] },
];

describe.each(themes)('in $name themes', ({ dark, backgrounds }) => {
  const { sequential, diverging, series } = coloursFor({ dark });

  test.each(Object.entries(visions))('the sequential scale only gains contrast with the page, in %s', (_, vision) => {
    const steps = Array.from({ length: tableSize }, (_, i) => lightness(seen(row(colourTable(sequential), i), vision)));
    const sign = dark ? 1 : -1;
    for (let i = 8; i < tableSize; i += 8) expect(sign * ((steps[i] ?? 0) - (steps[i - 8] ?? 0))).toBeGreaterThan(0);
    expect(Math.abs((steps.at(-1) ?? 0) - (steps[0] ?? 0))).toBeGreaterThan(70);
  });

  test.each(Object.entries(visions))('the diverging scale is faintest at 0 and tells its two sides apart, in %s', (_, vision) => {
    const table = colourTable(diverging);
    const steps = Array.from({ length: tableSize }, (_, i) => lightness(seen(row(table, i), vision)));
    const sign = dark ? 1 : -1;
    for (let i = 136; i < tableSize; i += 8) expect(sign * ((steps[i] ?? 0) - (steps[i - 8] ?? 0))).toBeGreaterThan(0);
    for (let i = 119; i >= 0; i -= 8) expect(sign * ((steps[i] ?? 0) - (steps[i + 8] ?? 0))).toBeGreaterThan(0);
    if (vision === visions.tritanopia) return;
    const [negative, positive] = [seen(row(table, 40), vision), seen(row(table, tableSize - 41), vision)];
    expect(Math.hypot(...negative.map((channel, i) => channel - (positive[i] ?? 0)))).toBeGreaterThan(60);
  });

  test('lines stand out from the page (WCAG 1.4.11) and from each other', () => {
    for (const colour of series.map(parseHex)) {
      for (const background of backgrounds) expect(contrast(colour, parseHex(background))).toBeGreaterThan(3);
    }
    for (const vision of [visions.protanopia, visions.deuteranopia]) {
      const [first = [], second = []] = series.map(colour => seen(parseHex(colour), vision));
      expect(Math.hypot(...first.map((channel, i) => channel - (second[i] ?? 0)))).toBeGreaterThan(80);
    }
  });

  test('text reads on every colour of both scales (WCAG 1.4.3)', () => {
    for (const table of [colourTable(sequential), colourTable(diverging)]) {
      for (let i = 0; i < tableSize; i++) expect(contrast(parseHex(readableOn(table, i)), row(table, i))).toBeGreaterThan(4.5);
    }
  });
});

test('a table runs from the first stop to the last, and shares beyond 0 and 1 stay at its ends', () => {
  const table = colourTable(['#000000', '#ff0000', '#ffffff']);
  expect([row(table, 0), row(table, 255)]).toEqual([[0, 0, 0], [255, 255, 255]]);
  expect([-1, 0, 0.5, 1, 7].map(tableIndex)).toEqual([0, 0, 128, 255, 255]);
});
