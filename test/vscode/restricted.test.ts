import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCodeServer, type CodeServer } from '../support/codeServer.mjs';
import { ensureExtensionPackage } from '../support/products.mjs';
import { CodeWindow } from '../support/window';
import { Circuits } from './circuits';

let workspace: string;
let server: CodeServer;
let window: CodeWindow;
let circuits: Circuits;

beforeAll(async () => {
  workspace = await mkdtemp(path.join(tmpdir(), 'circuits-restricted-'));
  await writeFile(path.join(workspace, 'foreign.circuit.json'), '{ "task": "no-such-task", "model": {}, "training": {} }');
  server = await startCodeServer({ extensions: [await ensureExtensionPackage()], workspaceTrust: true });
  window = await CodeWindow.open(server, { folder: workspace });
  circuits = new Circuits(window, server);
}, 600_000);

afterAll(async () => {
  await window?.dispose();
  await server?.dispose();
  await rm(workspace, { recursive: true, force: true });
});

test('in Restricted Mode bundled experiments are trained and models are browsed', async () => {
  await window.statusBarItem('Restricted Mode').waitFor();
  await circuits.open();
  await circuits.train('array-update', 20);
  await circuits.untilModelSays('array-update', /^loss/);
  await circuits.models.click('array-update', 'Layer 0', 'L0H0');
  await circuits.attention('array-update');
  await window.screenshot('vscode/restricted');
});

test('files of the workspace are checked, which runs nothing of theirs', async () => {
  await window.openFile('foreign.circuit.json');
  expect((await window.problems()).map(({ severity }) => severity)).toContain('error');
});

test('but they are not trained', async () => {
  await window.palette('Circuits: Train Model…');
  await window.quickInput.shows('Train Model');
  expect((await window.quickInput.items()).map(({ label }) => label)).toEqual(['array-update', 'modular-subtraction']);
  await window.quickInput.cancel();
  await window.palette('Circuits: Train This Experiment…');
  await window.notification('Trust the workspace to train its experiments');
});
