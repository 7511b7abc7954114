import { spawn } from 'node:child_process';
import path from 'node:path';
import { expect } from 'vitest';
import { runProgram } from '../../../src/cli/program';
import { installationAt } from '../../../src/engine/engine';
import { Text } from './text';

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process; only its trainer has one of its own. */
export async function runHere(bundles: string, words: readonly string[]): Promise<Outcome> {
  const [out, err] = [new Text(), new Text()];
  const code = await runProgram(words, { interrupted: new AbortController().signal, installation: installationAt(bundles) }, { out, err });
  return { code, out: out.text, err: err.text };
}

/** The document of a command that must be done. */
export async function jsonHere(bundles: string, words: readonly string[]) {
  const { code, out, err } = await runHere(bundles, [...words, '--json']);
  expect(code, err).toBe(0);
  return JSON.parse(out);
}

/** Runs a command line in a process. `interrupt` stands for Ctrl-C. */
export function runProcess(
  bundles: string,
  words: readonly string[],
  { store, interrupt, environment }: { readonly store?: string; readonly interrupt?: AbortSignal; readonly environment?: Readonly<Record<string, string>> } = {},
): Promise<Outcome> {
  const { CIRCUITS_STORE: _, ...inherited } = process.env;
  const child = spawn(process.execPath, [path.join(bundles, 'cli.js'), ...words], {
    env: { ...inherited, ...environment, ...(store !== undefined && { CIRCUITS_STORE: store }) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err] = [new Text(), new Text()];
  child.stdout.pipe(out);
  child.stderr.pipe(err);
  interrupt?.addEventListener('abort', () => child.kill('SIGINT'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', code => resolve({ code, out: out.text, err: err.text }));
  });
}
