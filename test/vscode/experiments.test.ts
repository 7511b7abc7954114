import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anEffect, aTry, eventually } from '../support/eventually';
import type { CodeWindow } from '../support/window';
import type { Circuits } from './circuits';
import { open, timeToOpen, type Opened } from './opened';

/** A training of a few seconds, with a name that another file claims too. */
const twin = `{
  "name": "twin",
  "task": "array-update",
  "model": { "n_layers": 1, "n_heads": 1, "d_model": 16, "d_head": 8, "attn_only": true },
  "training": { "steps": 60, "batch": 32, "evaluateEvery": 20, "evaluationExamples": 100 },
  "claims": [{ "claim": "It learns", "analysis": "training-curve", "scalar": "testLoss", "expect": "< 3" }],
}
`;

let workspace: string;
let window: CodeWindow;
let circuits: Circuits;
let close: Opened['close'] | undefined;

beforeAll(async () => {
  const files = { 'twin.circuit.json': twin, 'other.circuit.json': twin.replace('training-curve', 'training-curves').replace('60', '61') };
  ({ workspace, window, circuits, close } = await open({ files }));
  await circuits.open();
}, timeToOpen);

afterAll(() => close?.());

/** The lens with these words, once it is drawn over the text. */
function lens(words: RegExp | string) {
  return window.page.locator('.codelens-decoration').locator('a, span').filter({ hasText: words }).last();
}

/** Presses the lens with these words, which are others once it has done what it says. */
async function pressLens(words: RegExp): Promise<void> {
  let isPressed = false;
  await eventually(`the lens ${words} to be pressed`, async () => {
    if (isPressed && !(await lens(words).isVisible())) return true;
    await lens(words).click(aTry);
    isPressed = true;
    await lens(words).waitFor({ state: 'detached', ...anEffect });
    return true;
  });
}

async function untilRowSays(name: string, pattern: RegExp): Promise<void> {
  await eventually(`the row ${name} to say ${pattern}`, async () => (pattern.test((await window.tree('Experiments').row(name)).description) ? true : undefined));
}

/** Replaces the text of the editor, and looks at its beginning: lenses are drawn where they are in sight. */
async function write(text: string): Promise<void> {
  await window.replaceText(text);
  await window.page.keyboard.press('ControlOrMeta+Home');
}

describe('an experiment in the editor', () => {
  test('begins as a sample under a name of its own, with lenses over its blocks', async () => {
    await window.ask('Circuits: New Experiment…', 'Experiment to start from');
    const shown = (await window.quickInput.items()).filter(({ detail }) => detail !== '');
    expect(shown[0]).toMatchObject({ label: 'array-update', detail: expect.stringMatching(/^Two attention-only layers/) });
    await window.screenshot('experiments/samples');
    await window.quickInput.type('modular-addition-small');
    await window.quickInput.choose('modular-addition-small');
    await window.quickInput.shows('New Experiment');
    await circuits.saveAs(/my-modular-addition-small\.circuit\.json$/, path.join(workspace, 'clock'));
    await window.page.getByRole('tab', { name: 'clock.circuit.json', selected: true }).waitFor();
    const text = await readFile(path.join(workspace, 'clock.circuit.json'), 'utf8');
    expect(JSON.parse(text)).toMatchObject({ name: 'clock', training: { steps: 10000 } });
    await lens('not trained').waitFor();
    await lens(/^.{0,3}Train$/).waitFor();
    await untilRowSays('clock', /^not trained$/);
    // So that it is trained within seconds.
    await write(text.replace('"steps": 10000', '"steps": 3000'));
    await window.save();
    await window.screenshot('experiments/begun');
  });

  test('is trained by its lens, which says how far it is, and what came of it', async () => {
    await pressLens(/^.{0,3}Train$/);
    await lens(/training \d+ %/).waitFor();
    await lens('Pause').waitFor();
    await window.screenshot('experiments/training');
    await lens(/trained · loss [\d.e+-]+ · accuracy [\d.]+ %/).waitFor({ timeout: 240_000 });
    await untilRowSays('clock', /^accuracy/);
    await window.screenshot('experiments/trained light');
    await window.useTheme('dark');
    await lens(/trained · loss/).waitFor();
    await window.screenshot('experiments/trained dark');
    await window.useTheme('light');
  });

  test('is stale once it is changed, and as it was when it is changed back', async () => {
    const file = path.join(workspace, 'clock.circuit.json');
    const text = await readFile(file, 'utf8');
    await window.openFile('clock.circuit.json');
    await window.palette('View: Focus Active Editor Group');
    await write(text.replace('"steps": 3000', '"steps": 3100'));
    await lens('changed since it was trained').waitFor();
    await untilRowSays('clock', /^changed since it was trained$/);
    await window.screenshot('experiments/stale');
    await write(text);
    await lens(/trained · loss/).waitFor();
    await window.save();
  });

  test('an analysis that does not exist is marked exactly, and its quick fix mends it', async () => {
    await window.openFile('twin.circuit.json');
    const found = await eventually('both problems', async () => {
      const all = await window.problems();
      return [/^There is no analysis/, /is also that of/].every(pattern => all.some(({ message }) => pattern.test(message))) ? all : undefined;
    });
    const line = twin.split('\n')[5] ?? '';
    expect(found).toContainEqual({
      severity: 'error', line: 6, column: line.indexOf('"training-curve"') + 1, message: expect.stringMatching(/^There is no analysis "training-curve"; the nearest (is|are) "training-curves"/),
    });
    expect(found).toContainEqual(expect.objectContaining({ severity: 'warning', line: 2, message: expect.stringContaining('is also that of other.circuit.json') }));
    await window.screenshot('experiments/problems');
    const row = window.page.locator('.markers-panel [role=treeitem][aria-level="2"]').filter({ hasText: 'training-curve' }).first();
    await eventually('the cursor at the problem', async () => {
      await row.dblclick(aTry);
      await window.statusBarItem(/^Ln 6, /).waitFor(aTry);
      return true;
    });
    await window.quickFix('Change to "training-curves"', async () => {
      await window.save();
      return (await readFile(path.join(workspace, 'twin.circuit.json'), 'utf8')).includes('"training-curves"');
    }, 'experiments/quick fix');
    await lens('not trained').waitFor();
  });

  test('what is half typed is marked by nobody but VS Code, and keeps its lenses', async () => {
    await window.palette('View: Focus Active Editor Group');
    await write(twin.slice(0, twin.indexOf(', "scalar"')));
    await lens(/not trained|problem/).waitFor();
    await window.screenshot('experiments/half typed');
    await write(twin.replace('training-curve', 'training-curves').replace('"twin"', '"single"'));
    await window.save();
    await lens('not trained').waitFor();
  });

  test('a file that goes while it is trained leaves its model, and nothing is thrown', async () => {
    const file = path.join(workspace, 'long.circuit.json');
    await writeFile(file, twin.replace('"twin"', '"long"').replace('training-curve', 'training-curves').replace('60', '1000000'));
    const experiments = window.tree('Experiments');
    await experiments.inlineAction(['long'], 'Train This Experiment Now');
    await untilRowSays('long', /^\d+ %/);
    await window.screenshot('experiments/row');
    await rm(file);
    await eventually('the row to go', async () => ((await experiments.rows()).some(({ label }) => label === 'long') ? undefined : true));
    await circuits.models.inlineAction(['long'], 'Stop Training');
    await circuits.untilModelSays('long', /^stopped/);
    expect(await circuits.log()).not.toContain('[error]');
  });
});
