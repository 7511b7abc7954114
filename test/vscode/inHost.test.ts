import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createVSIX } from '@vscode/vsce';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually';
import type { CodeWindow } from '../support/window';
import { bundleForHost } from './inHost/bundle.mjs';
import { open, timeToOpen, type Opened } from './opened';

let folder: string;
let outcome: string;
let window: CodeWindow;
let close: Opened['close'] | undefined;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'circuits-in-host-'));
  outcome = path.join(folder, 'outcome');
  ({ window, close } = await open({ extensions: [await runnerPackage()], environment: { IN_HOST_OUTCOME: outcome } }));
}, timeToOpen);

afterAll(async () => {
  await close?.();
  await rm(folder, { recursive: true, force: true });
});

describe('inside the extension host', () => {
  test('the extension activates quickly without its engine, and registers its commands', async () => {
    await window.palette('In Host: Run');
    const said = await eventually('the outcome of the suite', async () => (await readFile(outcome, 'utf8')) || undefined);
    expect(said).toBe('passed');
  });
});

/** The suite packaged as an extension with one command. */
async function runnerPackage(): Promise<string> {
  const packagePath = path.join(folder, 'runner.vsix');
  await bundleForHost('test/vscode/inHost/runner.ts', path.join(folder, 'runner.js'));
  const manifest = {
    name: 'in-host',
    publisher: 'circuit-explorer',
    version: '0.0.0',
    engines: { vscode: '^1.105.0' },
    main: './runner.js',
    contributes: { commands: [{ command: 'inHost.run', title: 'Run', category: 'In Host' }] },
  };
  await writeFile(path.join(folder, 'package.json'), JSON.stringify(manifest));
  await createVSIX({ cwd: folder, packagePath, allowMissingRepository: true, skipLicense: true, dependencies: false });
  return packagePath;
}
