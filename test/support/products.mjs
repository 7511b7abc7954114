// What is built from the sources, made anew where they are younger.
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { runLogged } from './commands.mjs';
import { toolsNode } from './npmPackages.mjs';
import { repository } from './repository.mjs';
import { step } from './steps.mjs';

const sources = ['src', 'webview', 'media', 'esbuild.mjs', 'package.json', 'package.nls.json', 'package-lock.json'];
const packageSources = [...sources, 'package.mjs', '.vscodeignore', 'README.md', 'CHANGELOG.md', 'LICENSE'];

/** Builds the bundles in dist/, and returns the command line's. */
export async function ensureBundles() {
  const commandLine = path.join(repository, 'dist', 'cli.js');
  if (isStale(commandLine, sources)) {
    await step('Build the extension and the command line', () =>
      runLogged([process.execPath, 'esbuild.mjs', '--production'], {
        what: 'The build',
        folder: repository,
        logFile: path.join(repository, 'logs', 'build.log'),
      }),
    );
  }
  return commandLine;
}

/** Packages the extension for this machine, and returns the .vsix file. */
export async function ensureExtensionPackage() {
  const target = `${process.platform}-${process.arch}`;
  const file = path.join(repository, `circuit-explorer-${target}.vsix`);
  if (isStale(file, packageSources)) {
    await step('Package the extension', () =>
      runLogged([toolsNode(), 'package.mjs', target], {
        what: 'Packaging the extension',
        folder: repository,
        logFile: path.join(repository, 'logs', 'package.log'),
      }),
    );
  }
  return file;
}

/**
 * @param {string} product
 * @param {readonly string[]} names files and folders of the repository
 */
function isStale(product, names) {
  const made = statSync(product, { throwIfNoEntry: false })?.mtimeMs;
  return made === undefined || names.some(name => newest(path.join(repository, name)) > made);
}

/**
 * @param {string} place a file or a folder
 * @returns {number} when it, or something in it, was last changed
 */
function newest(place) {
  const status = statSync(place, { throwIfNoEntry: false });
  if (status === undefined) return 0;
  if (!status.isDirectory()) return status.mtimeMs;
  return Math.max(status.mtimeMs, ...readdirSync(place).map(name => newest(path.join(place, name))));
}
