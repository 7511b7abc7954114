import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anEffect, aTry, eventually } from '../support/eventually';
import type { CodeWindow, Theme } from '../support/window';
import type { Circuits } from './circuits';
import { open, timeToOpen, type Opened } from './opened';

const model = 'array-update';
const steps = ['train', 'browse', 'attention', 'patch', 'claim'] as const;

let workspace: string;
let window: CodeWindow;
let circuits: Circuits;
let server: Opened['server'];
let close: Opened['close'] | undefined;

beforeAll(async () => {
  ({ workspace, window, circuits, server, close } = await open());
}, timeToOpen);

afterAll(() => close?.());

const rowOf = (step: string) => window.page.locator(`.getting-started-step[data-step-id$="#getStarted#${step}"]`);

/** Changes the theme while no webview is there that is drawn anew for it. */
async function useTheme(theme: Theme): Promise<void> {
  await eventually('all editors to close', async () => {
    await window.palette('View: Close All Editors');
    await window.page.locator('.tabs-container .tab').first().waitFor({ state: 'detached', ...anEffect });
    return true;
  });
  await window.useTheme(theme);
}

async function openWalkthrough(): Promise<void> {
  await window.palette('Circuits: Get Started');
  await rowOf('train').waitFor();
}

async function openStep(step: string): Promise<void> {
  const opened = window.page.locator(`.getting-started-step.expanded[data-step-id$="#getStarted#${step}"]`);
  await eventually(`the step ${step} to open`, async () => {
    if (!(await opened.isVisible())) await rowOf(step).click(aTry);
    await opened.waitFor(aTry);
    return true;
  });
}

/** The steps that the walkthrough has checked. */
async function done(): Promise<readonly string[]> {
  const checked = await Promise.all(steps.map(async step => [step, await rowOf(step).getAttribute('aria-checked')] as const));
  return checked.flatMap(([step, is]) => (is === 'true' ? [step] : []));
}

async function untilDone(...expected: readonly string[]): Promise<void> {
  await eventually(`${expected.join(', ')} to be done`, async () => ((await done()).join() === expected.join() ? true : undefined));
}

/** The picture of the open step, drawn. */
async function untilDrawn(): Promise<void> {
  await eventually('the picture of the step', async () => {
    for (const frame of window.page.frames()) {
      const svg = frame.locator('body > svg[viewBox]');
      if (await svg.count().catch(() => 0) === 1 && await svg.isVisible()) return true;
    }
    return undefined;
  });
}

describe('the walkthrough', () => {
  test.each(['light', 'dark', 'high contrast'] satisfies Theme[])('has a picture for each step in %s', async theme => {
    // Where there is little room, VS Code leaves the pictures out.
    await window.page.setViewportSize({ width: 1700, height: 900 });
    await useTheme(theme);
    await openWalkthrough();
    for (const step of steps) {
      await openStep(step);
      await untilDrawn();
      await window.screenshot(`firstRun/${step} in ${theme}`);
    }
    expect(await done()).toEqual([]);
  });

  test('its button begins a training, and the step is complete when a model is trained', async () => {
    await useTheme('light');
    await openWalkthrough();
    await openStep('train');
    await window.quickInput.askedBy(() => rowOf('train').getByRole('button', { name: 'Train Model' }).click(), 'Train Model');
    await window.quickInput.cancel();
    expect(await done()).toEqual([]);
    await circuits.train(model, 30);
    await untilDone('train');
  });

  test('a model is browsed, its attention looked at, an activation patched, and a claim copied', async () => {
    await openStep('browse');
    await rowOf('browse').getByRole('button', { name: 'Show Models' }).click();
    await circuits.models.row(model, 'Layer 0', 'L0H0');
    await untilDone('train', 'browse');
    await circuits.models.click(model, 'Layer 0', 'L0H0');
    await circuits.attention(model);
    await openWalkthrough();
    await untilDone('train', 'browse', 'attention');
    await openStep('patch');
    await rowOf('patch').getByRole('button', { name: 'Open Activation Patching' }).click();
    const panel = await window.webview(`Activation patching: ${model}`);
    await Promise.all([window.statusBarItem('Copied a claim').waitFor(), circuits.fromMenu(panel, 'Export', 'Copy as claim')]);
    expect(JSON.parse(await window.page.evaluate(() => navigator.clipboard.readText()))).toMatchObject({ analysis: 'activation-patching' });
    await openWalkthrough();
    await untilDone(...steps);
    await window.screenshot('firstRun/all steps done');
  });
});

test('the sample workspace opens in a window of its own, and what is there stays', async () => {
  const folder = path.join(server.userDataFolder, 'User/globalStorage/circuit-explorer.circuit-explorer/circuits-sample');
  const openSample = async () => {
    const opened = window.page.context().waitForEvent('page');
    await window.ask('Circuits: Open Sample Workspace', 'Open Sample Workspace');
    await window.quickInput.choose('Keep It with the Extension');
    const page = await opened;
    await page.locator('.explorer-folders-view').getByRole('treeitem', { name: 'array.circuit.json' }).waitFor();
    return page;
  };
  const page = await openSample();
  // The README is shown at once.
  await page.getByRole('tab', { name: /Preview\]? README\.md/ }).waitFor();
  await page.screenshot({ path: path.join(import.meta.dirname, '../../test-results/firstRun/sample workspace.png') });
  await page.close();
  expect((await readdir(folder)).sort()).toEqual([
    'README.md', 'array.circuit.json', 'hooks.py', 'parity.circuit.json', 'parity.ts', 'task-module.d.ts',
  ].sort());
  await writeFile(path.join(folder, 'hooks.py'), 'mine = 1\n');
  await (await openSample()).close();
  expect(await readFile(path.join(folder, 'hooks.py'), 'utf8')).toBe('mine = 1\n');
});

describe('a task module', () => {
  const inWorkspace = (name: string) => path.join(workspace, name);

  test('is made with its typings and its experiment, and both are opened', async () => {
    await window.ask('Circuits: New Task Module…', 'New Task Module');
    await circuits.saveAs(/parity\.ts$/, inWorkspace('bits.ts'));
    await window.page.getByRole('tab', { name: 'bits.circuit.json', selected: true }).first().waitFor();
    expect((await readdir(workspace)).sort()).toEqual(['bits.circuit.json', 'bits.ts', 'task-module.d.ts']);
    await window.screenshot('firstRun/new task module');
  });

  test('is trained', async () => {
    await window.ask('Circuits: Train This Experiment…', 'Train now');
    await window.quickInput.choose('Train Now');
    await circuits.open();
    await circuits.untilModelSays('bits', /accuracy 100 %$/);
  });

  test('that throws is marked at its line and in the experiment, until it is mended', async () => {
    // One group has one active tab.
    await window.palette('View: Join All Editor Groups');
    const good = await readFile(inWorkspace('bits.ts'), 'utf8');
    const bad = good.replace('const places', 'throw new Error("No bits today.");\n    const places');
    await window.showEditor('bits.ts');
    await window.palette('View: Focus Active Editor Group');
    await window.replaceText(bad);
    await window.save();
    const line = bad.split('\n').findIndex(text => text.includes('No bits today')) + 1;
    await eventually('the problem in both files', async () => {
      const found = (await window.problems()).filter(({ message }) => message.includes('No bits today'));
      return found.some(problem => problem.line === line) && found.length === 2 ? true : undefined;
    });
    await window.screenshot('firstRun/a module that throws');
    await window.showEditor('bits.ts');
    await window.palette('View: Focus Active Editor Group');
    await window.replaceText(good);
    await window.save();
    await window.page.locator('.markers-panel').getByText('No bits today').first().waitFor({ state: 'detached' });
  });
});
