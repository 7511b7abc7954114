// A real VS Code without downloads: code-server from npm, kept in .vscode-test/ between runs.
//   node test/support/installCodeServer.mjs
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { runLogged } from './commands.mjs';
import { nodePackageFolder } from './npmPackages.mjs';
import { repository } from './repository.mjs';
import { step } from './steps.mjs';
import { ensureSystemPackages } from './systemPackages.mjs';

export const codeServerVersion = '4.139.1';

export { repository };
const codeServerFolder = path.join(repository, '.vscode-test', 'code-server');
const installedFolder = path.join(codeServerFolder, codeServerVersion);
const unfinished = /^\.installing-(\d+)$/;

/**
 * What runs code-server: Node 24, whose ABI its native modules are compiled for, and its entry script.
 * @typedef {{ readonly node: string, readonly entry: string }} CodeServerProgram
 */

/**
 * Installs code-server where it is not yet and returns how to run it. An install takes minutes the first time.
 * @returns {Promise<CodeServerProgram>}
 */
export async function ensureCodeServer() {
  if (process.platform === 'win32') {
    throw new Error('code-server does not run on Windows: use the Windows Subsystem for Linux, or VS Code itself.');
  }
  const nodeFolder = nodePackageFolder();
  if (nodeFolder === undefined) {
    throw new Error(
      `code-server runs on the Node 24 that npm ci brings, which is not installed or not there for ${process.platform}-${process.arch}.`,
    );
  }
  if (!existsSync(installedFolder)) {
    await ensureSystemPackages('code-server');
    await step(`Install code-server ${codeServerVersion}`, () => install(nodeFolder));
  }
  return {
    node: path.join(nodeFolder, 'bin', 'node'),
    entry: path.join(installedFolder, 'node_modules', 'code-server', 'out', 'node', 'entry.js'),
  };
}

/** @param {string} nodeFolder */
async function install(nodeFolder) {
  await mkdir(codeServerFolder, { recursive: true });
  await removeUnfinished();

  const folder = path.join(codeServerFolder, `.installing-${process.pid}`);
  await mkdir(folder);
  // A package.json here keeps npm from taking the repository around it for the project to install into.
  await writeFile(path.join(folder, 'package.json'), '{ "private": true }\n');
  try {
    await runLogged(['npm', 'install', '--no-audit', '--no-fund', `code-server@${codeServerVersion}`], {
      what: 'Installing code-server',
      folder,
      logFile: path.join(codeServerFolder, 'install.log'),
      environment: installEnvironment(nodeFolder),
    });
    await rename(folder, installedFolder);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    // Another process may have put its own whole install there first.
    if (!existsSync(installedFolder)) throw error;
  }
}

/** Removes what installs that were killed have left. */
async function removeUnfinished() {
  for (const name of await readdir(codeServerFolder)) {
    const installer = unfinished.exec(name)?.[1];
    if (installer !== undefined && !isRunning(Number(installer))) {
      await rm(path.join(codeServerFolder, name), { recursive: true, force: true });
    }
  }
}

/** @param {number} pid */
function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * Node 24 first on the PATH, and its own headers for node-gyp, which would otherwise download them.
 * @param {string} nodeFolder
 */
function installEnvironment(nodeFolder) {
  const environment = { ...process.env };
  // Under `npm test` the outer npm's settings are in the environment; its user agent names the outer Node's version,
  // which code-server's install script would refuse.
  for (const name of Object.keys(environment)) {
    if (/^npm_(config_user_agent|config_local_prefix|config_global_prefix|lifecycle_|package_)/i.test(name)) {
      delete environment[name];
    }
  }
  environment['PATH'] = [path.join(nodeFolder, 'bin'), environment['PATH'] ?? ''].join(path.delimiter);
  environment['npm_config_nodedir'] = nodeFolder;
  // Its native modules are compiled by scripts, which the repository's own packages do without (.npmrc) and which
  // npm 12 runs only where they are allowed.
  environment['npm_config_ignore_scripts'] = 'false';
  environment['npm_config_dangerously_allow_all_scripts'] = 'true';
  return environment;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await ensureCodeServer().catch((/** @type {Error} */ error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
