import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually';
import type { CodeWindow } from '../support/window';
import type { Circuits } from './circuits';
import { open, timeToOpen, type Opened } from './opened';

const model = 'watched';
const file = `${model}.circuit.json`;
/** It is right by a tenth at first and nearly always by step 140. */
const experiment = `{
  "name": "${model}",
  "task": { "name": "array-update", "length": 3, "numbers": 10 },
  "model": { "n_layers": 2, "n_heads": 1, "d_model": 64, "d_head": 64, "attn_only": true, "positional_embedding_type": "shortformer" },
  "training": { "steps": 600, "batch": 256, "learningRate": 0.002, "evaluateEvery": 20, "checkpointEvery": 20 },
  "breakpoints": [
    { "analysis": "training-curves", "scalar": "testAccuracy", "when": "> 0.6" }
  ]
}
`;

let window: CodeWindow;
let circuits: Circuits;
let close: Opened['close'] | undefined;

beforeAll(async () => {
  ({ window, circuits, close } = await open({ files: { [file]: experiment } }));
  await circuits.open();
}, timeToOpen);

afterAll(() => close?.());

/** The step that the row of the model says. */
async function step(): Promise<number> {
  const { description } = await circuits.models.row(model);
  return Number(/step ([\d,]+)\//.exec(description)?.[1]?.replaceAll(',', ''));
}

describe('a breakpoint of an experiment', () => {
  test('pauses the run when its accuracy crosses the bound, and says so where people look', async () => {
    await window.openFile(file);
    await window.ask('Circuits: Train This Experiment…', 'Train now');
    await window.quickInput.choose('Train Now');
    const paused = /"watched" paused at step \d+: test accuracy 0\.\d+ > 0\.6/;
    const toast = await window.notification(paused);
    expect(await toast.getByRole('button', { name: /^(Open Figure|Step to Next Checkpoint|Continue)$/ }).allInnerTexts())
      .toEqual(['Open Figure', 'Step to Next Checkpoint', 'Continue']);
    await circuits.untilModelSays(model, /^paused at a breakpoint · test accuracy 0\.\d+ > 0\.6 · step \d+\/600/);
    await window.page.getByText(/reached at step \d+: 0\.\d+/).waitFor();
    await window.screenshot('breakpoints/paused in light');
    await window.answer(paused, 'Open Figure');
    const panel = await window.webview(`Training curves: ${model}`);
    await panel.locator('.figure').first().waitFor();
    await window.useTheme('dark');
    await window.screenshot('breakpoints/figure in dark');
  });

  test('lets it be stepped to the next checkpoint', async () => {
    const before = await step();
    await circuits.models.inlineAction([model], 'Step to Next Checkpoint');
    await eventually('the next checkpoint', async () => ((await step()) === before + 20 ? true : undefined), 240_000);
    await circuits.untilModelSays(model, /^paused · step/);
  });

  test('is added from a panel, with the value that it shows', async () => {
    await window.showEditor(`Training curves: ${model}`);
    await window.quickInput.askedBy(() => window.page.getByRole('button', { name: 'Break When…' }).click(), 'What to look at');
    await eventually('what is measured now', async () => {
      const items = await window.quickInput.items();
      return items.some(({ label, description }) => label === 'testLoss' && /^now 0\.\d/.test(description)) || undefined;
    });
    await window.screenshot('breakpoints/scalars in dark');
    await window.quickInput.choose('testLoss');
    await window.quickInput.shows('When testLoss');
    await window.quickInput.choose('Crosses a Bound…');
    await window.quickInput.message('testLoss');
    expect(await window.quickInput.value()).toMatch(/^< 0\.\d/);
    await window.quickInput.type('0.05');
    await window.quickInput.message('A bound is a comparison');
    await window.quickInput.type('< 0.05');
    await window.quickInput.message('testLoss');
    await window.quickInput.accept();
    await window.quickInput.shows('What happens then');
    await window.quickInput.choose('Pause');
    await window.statusBarItem('pauses when test loss < 0.05').waitFor();
  });

  test('is reached in turn, and Continue lets the run finish', async () => {
    await window.useTheme('light');
    await circuits.models.inlineAction([model], 'Resume Training');
    const paused = /paused at step \d+: test loss 0\.\d+ < 0\.05/;
    await window.notification(paused);
    await window.screenshot('breakpoints/paused again in light');
    await window.answer(paused, 'Continue');
    await circuits.untilModelSays(model, /^loss .* · accuracy/);
  });
});

test('a breakpoint is written into an experiment from the lens over the others', async () => {
  await window.showEditor(file);
  await window.quickInput.askedBy(() => window.page.getByRole('button', { name: 'Add Breakpoint…' }).click(), 'Analysis');
  await window.quickInput.type('Training curves');
  await window.quickInput.choose('Training curves');
  await window.quickInput.shows('What to look at');
  await window.quickInput.choose('trainLoss');
  await window.quickInput.shows('When trainLoss');
  await window.quickInput.choose('Changes by…');
  await window.quickInput.message('trainLoss changes by');
  await window.quickInput.type('0.25');
  await window.quickInput.accept();
  await window.quickInput.shows('What happens then');
  await window.quickInput.choose('Keep a Snapshot');
  await window.page.locator('.view-line').filter({ hasText: '"changesBy": 0.25' }).waitFor();
  await window.screenshot('breakpoints/written in light');
  await window.useTheme('dark');
  await window.screenshot('breakpoints/written in dark');
});
