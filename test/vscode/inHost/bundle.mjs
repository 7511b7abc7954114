import { build } from 'esbuild';
import { repository } from '../../support/repository.mjs';

/**
 * Bundles a module that runs in the extension host.
 * @param {string} entryPoint from the repository's root
 * @param {string} outfile
 */
export async function bundleForHost(entryPoint, outfile) {
  await build({
    absWorkingDir: repository,
    entryPoints: [entryPoint],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external: ['vscode'],
    logLevel: 'error',
  });
}
