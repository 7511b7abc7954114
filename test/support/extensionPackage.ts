import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { glob, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { repository } from './installCodeServer.mjs';

const sources = ['src/**/*.ts', 'webview/**/*', 'media/**/*', '*.mjs', 'package.json', '.vscodeignore'];

/** The extension packaged for this machine, made anew where its sources are younger. Returns the .vsix file. */
export async function packagedExtension(): Promise<string> {
  const target = `${process.platform}-${process.arch}`;
  const file = path.join(repository, `circuit-explorer-${target}.vsix`);
  if (!existsSync(file) || (await newest()) > (await stat(file)).mtimeMs) {
    await promisify(execFile)(process.execPath, ['package.mjs', target], { cwd: repository, timeout: 300_000 });
  }
  return file;
}

async function newest(): Promise<number> {
  let time = 0;
  for await (const file of glob(sources, { cwd: repository })) {
    time = Math.max(time, (await stat(path.join(repository, file))).mtimeMs);
  }
  return time;
}
