import { expect, onTestFinished, test, vi } from 'vitest';
import type * as vscode from 'vscode';
import { Emitter } from '../../../../src/common/event';
import { ClaimLensProvider } from '../../../../src/extension/claims/claimLensProvider';
import { ClaimOutcomes } from '../../../../src/extension/claims/claimOutcomes';
import { memory } from '../memory';

const registered = vi.hoisted(() => [] as unknown[]);

vi.mock('vscode', () => ({
  Range: class {},
  CodeLens: class {
    constructor(readonly range: unknown, readonly command: unknown) {}
  },
  workspace: { isTrusted: true, onDidGrantWorkspaceTrust: () => ({ dispose: () => undefined }) },
  languages: {
    registerCodeLensProvider: (files: unknown) => {
      registered.push(files);
      return { dispose: () => undefined };
    },
  },
}));

test('lenses over claims are for files that somebody edits, and drawn anew when another model is meant, not when one moves', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const changes = new Emitter<string>();
  let trains: string | undefined = 'one';
  const standings = { onChange: changes.event, of: () => ({ standing: { problems: [], ...(trains !== undefined && { trains: { id: trains } }) } }) };
  const provider = new ClaimLensProvider(standings as never, new ClaimOutcomes(memory()));
  onTestFinished(() => provider.dispose());
  let told = 0;
  provider.onDidChangeCodeLenses(() => told++);
  const text = '{ "claims": [ { "claim": "It learns", "expect": "> 0" } ] }';
  const draw = () => provider.provideCodeLenses({ uri: { toString: () => 'file:/a' }, getText: () => text, positionAt: () => 0 } as unknown as vscode.TextDocument);
  expect(draw()).not.toEqual([]);
  for (let step = 0; step < 10; step++) {
    changes.fire('file:/a');
    await vi.advanceTimersByTimeAsync(2000);
  }
  expect(told).toBe(0);
  trains = 'another';
  changes.fire('file:/a');
  await vi.advanceTimersByTimeAsync(2000);
  expect(told).toBe(1);
  const commands = () => draw().map(({ command }) => command?.command);
  expect(commands()).toContain('circuits.runClaim');
  // What is wrong cannot be measured, here as over the block of claims.
  trains = undefined;
  changes.fire('file:/a');
  await vi.advanceTimersByTimeAsync(2000);
  expect(told).toBe(2);
  expect(commands()).not.toContain('circuits.runClaim');
  const [files] = registered;
  expect(files).toContainEqual({ scheme: 'file', pattern: '**/*.circuit.json' });
  expect(files).not.toContainEqual(expect.objectContaining({ scheme: 'git' }));
});
