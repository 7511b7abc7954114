import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aTry, eventually } from '../support/eventually';
import type { CodeWindow } from '../support/window';
import { open, timeToOpen, type Opened } from './opened';

/** Trained in about a second. */
const experiment = `{
  "name": "tiny",
  "task": "array-update",
  "model": { "n_layers": 1, "n_heads": 1, "d_model": 16, "d_head": 8, "attn_only": true },
  "training": { "steps": 60, "batch": 32, "evaluateEvery": 20, "evaluationExamples": 100, "checkpointEvery": 20 },
  "claims": [
    { "claim": "It learns a little", "analysis": "training-curves", "scalar": "testLoss", "expect": "<= 100" },
    { "claim": "It is better than guessing", "analysis": "training-curves", "scalar": "testAccuracy", "expect": ">= 1.5" }
  ]
}
`;

let window: CodeWindow;
let close: Opened['close'] | undefined;

beforeAll(async () => {
  ({ window, close } = await open({ files: { 'tiny.circuit.json': experiment, 'plain.circuit.json': '{ "task": "array-update" }' } }));
}, timeToOpen);

afterAll(() => close?.());

/** What a screen reader says of the rows of the Test Explorer: their words, and how they stand. */
async function tests(): Promise<readonly string[]> {
  const rows = window.page.locator('.test-explorer .monaco-list-row');
  return rows.evaluateAll(all => all.map(row => row.getAttribute('aria-label') ?? ''));
}

async function untilTestsSay(...patterns: readonly RegExp[]): Promise<void> {
  await eventually(`the tests to say ${patterns.join()}`, async () => {
    const said = await tests();
    return patterns.every(pattern => said.some(row => pattern.test(row))) ? true : undefined;
  }, 120_000);
}

async function lenses(): Promise<readonly string[]> {
  return window.page.locator('.codelens-decoration').allInnerTexts();
}

async function untilLensesSay(pattern: RegExp): Promise<void> {
  await eventually(`a lens to say ${pattern}`, async () => ((await lenses()).some(text => pattern.test(text)) ? true : undefined), 60_000);
}

describe('claims', () => {
  test('are tests under the file that makes them', async () => {
    await window.openFile('tiny.circuit.json');
    await window.palette('Testing: Focus on Test Explorer View');
    await untilTestsSay(/^tiny/);
    const file = window.page.locator('.test-explorer .monaco-list-row').filter({ hasText: 'tiny' }).first();
    // A click on the row itself would open the file.
    await eventually('the claims of the file', async () => {
      await file.locator('.monaco-tl-twistie.collapsed').click(aTry).catch(() => undefined);
      return (await tests()).some(row => row.includes('It learns a little')) || undefined;
    });
    await untilTestsSay(/It is better than guessing/);
    expect((await tests()).some(row => row.includes('plain'))).toBe(false);
    await untilLensesSay(/not measured/);
  });

  test('train what they are about when they are run, and one that is false is red with what was measured', async () => {
    await window.ask('Circuits: Verify Claims…', 'Experiments');
    await window.quickInput.accept();
    await untilTestsSay(/It learns a little.*(Passed|passed)/, /It is better than guessing.*(Failed|failed)/);
    await untilLensesSay(/✓ [\d.]+/);
    await untilLensesSay(/✗ [\d.]+, expected >= 1.5/);
    await pictures('red');
  }, 300_000);

  test('open what they are about', async () => {
    await window.page.locator('.codelens-decoration a').filter({ hasText: 'Open the Figure' }).first().click();
    const panel = await window.webview('Training curves: tiny');
    await panel.locator('.figure').first().waitFor();
    await pictures('figure');
  }, 120_000);

  test('are green once the text is mended and they are run again', async () => {
    await window.palette('View: Focus First Editor Group');
    await window.replaceText(experiment.replace('>= 1.5', '>= 0'));
    await window.save();
    await untilLensesSay(/not measured/);
    await window.page.locator('.codelens-decoration a').filter({ hasText: 'Run' }).last().click();
    await untilTestsSay(/It is better than guessing.*(Passed|passed)/);
    await untilLensesSay(/✓ 0(\.\d+)?/);
    await pictures('green');
  }, 300_000);
});

async function pictures(name: string): Promise<void> {
  for (const theme of ['light', 'dark'] as const) {
    await window.useTheme(theme);
    await window.screenshot(`claims/${name}-${theme}`);
  }
}
