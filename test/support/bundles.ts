import { mkdtemp, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

const root = path.join(import.meta.dirname, '..', '..');

/** The bundles that training takes. */
export const trainerEntryPoints = { trainer: 'src/engine/trainer.ts', sampler: 'src/engine/sampler.ts', taskModule: 'src/engine/taskModules/taskModule.ts' };

export interface Bundles {
  /** The folder in which they lie, as in `dist/`. */
  readonly folder: string;
  dispose(): Promise<void>;
}

/**
 * Bundles entry points as `esbuild.mjs` does, name → file from the repository's root, into a folder of their own beside a
 * link to `media/`. It lies inside the repository, so that they find the native modules that stay outside of bundles.
 */
export async function buildBundles(entryPoints: Readonly<Record<string, string>>): Promise<Bundles> {
  const home = await mkdtemp(path.join(root, 'node_modules', '.bundles-'));
  const folder = path.join(home, 'dist');
  await symlink(path.join(root, 'media'), path.join(home, 'media'), 'junction');
  await build({
    absWorkingDir: root,
    entryPoints: Object.entries(entryPoints).map(([out, file]) => ({ in: file, out })),
    outdir: folder,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    mainFields: ['module', 'main'],
    external: ['vscode', 'onnxruntime-node', '@tensorflow/tfjs-node-gpu'],
    keepNames: true,
    logLevel: 'error',
  });
  return { folder, dispose: () => rm(home, { recursive: true, force: true }) };
}
