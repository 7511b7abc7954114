import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { TestProject } from 'vitest/node';
import { panelBuildOptions } from '../../webview/build.mjs';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the bundle of the panels' page lies, as in `dist/`. */
    readonly panelFolder: string;
  }
}

/** Builds the bundle once for all test files, and anew where they run again; returns what removes it. */
export default async function bundlePanel(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'circuits-panel-'));
  const bundle = async () => { await build({ ...panelBuildOptions, outdir: folder, logLevel: 'error' }); };
  await bundle();
  project.onTestsRerun(bundle);
  project.provide('panelFolder', folder);
  return () => rm(folder, { recursive: true, force: true });
}
