// The packages that npm brings. Runs on plain Node 20 with nothing installed.
import { existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { CommandError, runLogged } from './commands.mjs';
import { repository } from './repository.mjs';
import { step } from './steps.mjs';

const modules = path.join(repository, 'node_modules');
/** npm writes it last. */
const installed = path.join(modules, '.package-lock.json');
const wanted = path.join(repository, 'package-lock.json');

/** Installs what package-lock.json names, where it is missing or older. */
export async function ensureNpmPackages() {
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs) return;
  await step('Install the npm packages', () =>
    runLogged([...npm(), 'ci', '--no-audit', '--no-fund'], {
      what: 'npm ci',
      folder: repository,
      logFile: path.join(repository, 'logs', 'npm-ci.log'),
    }),
  );
  linkNode();
}

/** npm 10 links no program that packages for other platforms would bring as well. */
function linkNode() {
  const link = path.join(modules, '.bin', 'node');
  const folder = nodePackageFolder();
  if (process.platform !== 'win32' && folder !== undefined && !existsSync(link)) symlinkSync(path.join(folder, 'bin', 'node'), link);
}

/**
 * The npm that started this, which on Windows saves the shell that its command file would need.
 * @returns {[string, ...string[]]}
 */
export function npm() {
  const running = process.env['npm_execpath'];
  return running?.endsWith('npm-cli.js') ? [process.execPath, running] : ['npm'];
}

/**
 * The Node for the development tools that need a newer one than the product: npm's own package of it, or this one where
 * npm has none for the platform.
 */
export function toolsNode() {
  const folder = nodePackageFolder();
  if (folder !== undefined) return path.join(folder, readJson(path.join(folder, 'package.json')).bin.node);
  const [major] = process.versions.node.split('.');
  if (Number(major) >= 24) return process.execPath;
  throw new CommandError(`The development tools need Node 24 or newer on ${process.platform}-${process.arch}; this is ${process.version}.`, 1);
}

/** The folder of npm's package of Node for this platform, headers included. */
export function nodePackageFolder() {
  const names = Object.keys(readJson(path.join(repository, 'package.json')).optionalDependencies);
  return names.map(name => path.join(modules, name)).find(folder => existsSync(folder));
}

/** @param {string} file */
function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}
