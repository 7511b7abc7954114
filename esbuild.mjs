// Builds everything that ships into dist/:  node esbuild.mjs [--production] [--watch]
import { build, context } from 'esbuild';
import { mkdir, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { panelBuildOptions } from './webview/build.mjs';

const production = process.argv.includes('--production');
const watch = process.argv.includes('--watch');

/** Bundle in dist/ → its entry point. */
const entryPoints = {
  extension: 'src/extension/extension.ts',
  engine: 'src/engine/main.ts',
  trainer: 'src/engine/trainer.ts',
  sampler: 'src/engine/sampler.ts',
  taskModule: 'src/engine/taskModules/taskModule.ts',
  cli: 'src/cli/main.ts',
  mcp: 'src/cli/mcpServer.ts',
};

/** @type {import('esbuild').BuildOptions} */
const nodeOptions = {
  entryPoints,
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  // Every tfjs package must reach the same copy of tfjs-core: its registries of kernels and gradients are global.
  mainFields: ['module', 'main'],
  // Native modules stay outside; tfjs-node-gpu is there only where the user has set it up.
  external: ['vscode', 'onnxruntime-node', '@tensorflow/tfjs-node-gpu'],
  minify: production,
  keepNames: true,
  sourcemap: production ? 'external' : 'linked',
  logLevel: 'info',
};

/** Writes the JSON schema that a function of a source file makes. */
async function writeSchema(source, name, file) {
  const { outputFiles: [bundle] } = await build({
    entryPoints: [source],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
  const code = Buffer.from(bundle.contents).toString('base64');
  const { [name]: jsonSchema } = await import(`data:text/javascript;base64,${code}`);
  await writeFile(file, `${JSON.stringify(jsonSchema(), undefined, 2)}\n`);
}

/** @type {import('esbuild').BuildOptions} */
const panelOptions = { ...panelBuildOptions, outdir: 'dist', sourcemap: production ? false : 'linked', logLevel: 'info' };
const bundles = [nodeOptions, panelOptions];

await mkdir('dist', { recursive: true });
// Made from the schemas that check the files.
await writeSchema('src/extension/experiments/experimentSchema.ts', 'experimentJsonSchema', 'dist/experiment.schema.json');
await writeSchema('src/extension/imports/promptsSchema.ts', 'promptsJsonSchema', 'dist/prompts.schema.json');
if (watch) {
  const contexts = await Promise.all(bundles.map(options => context(options)));
  await Promise.all(contexts.map(each => each.watch()));
} else {
  await Promise.all(bundles.map(options => build(options)));
}
