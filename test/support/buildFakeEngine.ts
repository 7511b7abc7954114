import { build } from 'esbuild';
import path from 'node:path';

/** Bundles the fake engine as the real one is, into `folder`; returns its file. */
export async function buildFakeEngine(folder: string): Promise<string> {
  const outfile = path.join(folder, 'engine.js');
  await build({
    entryPoints: [path.join(import.meta.dirname, 'fakeEngine.ts')],
    outfile, bundle: true, platform: 'node', format: 'cjs', target: 'node20', logLevel: 'error',
  });
  return outfile;
}
