// Packages the extension for one platform:  npm run package [-- linux-x64|linux-arm64|darwin-arm64|win32-x64|win32-arm64]
import { createVSIX } from '@vscode/vsce';
import { existsSync } from 'node:fs';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import process from 'node:process';

const mostMegabytes = 30;

const target = process.argv[2] ?? `${process.platform}-${process.arch}`;
const library = `node_modules/onnxruntime-node/bin/napi-v6/${target.replace('-', '/')}`;
if (!existsSync(library)) throw new Error(`ONNX Runtime has no library for ${target}: there is no ${library}.`);

const ignoreFile = 'dist/vsix-files';
await mkdir('dist', { recursive: true });
await writeFile(ignoreFile, `${await readFile('.vscodeignore', 'utf8')}!${library}/*\n`);
const packagePath = `circuit-explorer-${target}.vsix`;
await createVSIX({ target, packagePath, ignoreFile, allowMissingRepository: true, rewriteRelativeLinks: false });

const megabytes = (await stat(packagePath)).size / 1e6;
console.log(`${packagePath}: ${megabytes.toFixed(1)} MB`);
if (megabytes >= mostMegabytes) throw new Error(`The package is ${megabytes.toFixed(1)} MB; it must stay under ${mostMegabytes} MB.`);
