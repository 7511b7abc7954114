// A real VS Code without downloads: code-server from npm, kept in .vscode-test/ between runs.
//   node test/support/installCodeServer.mjs
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ensureSystemPackages } from './systemPackages.mjs';

export const codeServerVersion = '4.139.1';

export const repository = fileURLToPath(new URL('../..', import.meta.url));
const codeServerFolder = path.join(repository, '.vscode-test', 'code-server');
const installedFolder = path.join(codeServerFolder, codeServerVersion);
const unfinished = /^\.installing-(\d+)$/;
const millisecondsToInstall = 20 * 60 * 1000;

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
  const node = path.join(repository, 'node_modules', '.bin', 'node');
  if (!existsSync(node)) throw new Error('The development dependencies are not installed: run npm ci first.');
  if (!existsSync(installedFolder)) await install(node);
  return { node, entry: path.join(installedFolder, 'node_modules', 'code-server', 'out', 'node', 'entry.js') };
}

/** @param {string} node */
async function install(node) {
  ensureSystemPackages();
  await mkdir(codeServerFolder, { recursive: true });
  await removeUnfinished();

  const folder = path.join(codeServerFolder, `.installing-${process.pid}`);
  const logFile = path.join(codeServerFolder, 'install.log');
  console.error(`Installing code-server ${codeServerVersion} into ${codeServerFolder} (once, about two minutes) …`);
  await mkdir(folder);
  // A package.json here keeps npm from taking the repository around it for the project to install into.
  await writeFile(path.join(folder, 'package.json'), '{ "private": true }\n');
  try {
    await runLogged(['npm', 'install', '--no-audit', '--no-fund', `code-server@${codeServerVersion}`], {
      folder,
      logFile,
      environment: installEnvironment(node),
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
 * @param {string} node
 */
function installEnvironment(node) {
  const environment = { ...process.env };
  // Under `npm test` the outer npm's settings are in the environment; its user agent names the outer Node's version,
  // which code-server's install script would refuse.
  for (const name of Object.keys(environment)) {
    if (/^npm_(config_user_agent|config_local_prefix|config_global_prefix|lifecycle_|package_)/i.test(name)) {
      delete environment[name];
    }
  }
  environment['PATH'] = [path.dirname(node), environment['PATH'] ?? ''].join(path.delimiter);
  environment['npm_config_nodedir'] = nodeHeadersFolder();
  return environment;
}

/** The npm package `node` brings the whole of Node for this platform in a package of its own, headers included. */
function nodeHeadersFolder() {
  const prefix = process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node';
  const requireFromNode = createRequire(path.join(repository, 'node_modules', 'node', 'package.json'));
  const platformPackage = `${prefix}-${process.platform}-${process.arch}`;
  return path.dirname(requireFromNode.resolve(`${platformPackage}/package.json`));
}

/**
 * @param {readonly [string, ...string[]]} command
 * @param {{ folder: string, logFile: string, environment: NodeJS.ProcessEnv }} where
 */
async function runLogged([program, ...parameters], { folder, logFile, environment }) {
  const log = await open(logFile, 'w');
  try {
    /** @type {number | NodeJS.Signals} */
    const ending = await new Promise((resolve, reject) => {
      const child = spawn(program, parameters, {
        cwd: folder,
        env: environment,
        stdio: ['ignore', log.fd, log.fd],
        timeout: millisecondsToInstall,
      });
      child.on('error', reject);
      child.on('exit', (code, signal) => resolve(signal ?? code ?? 1));
    });
    if (ending === 0) return;
    const tail = (await readFile(logFile, 'utf8')).trim().split('\n').slice(-30).join('\n');
    throw new Error(`Installing code-server failed (${ending}); the end of ${logFile}:\n${tail}`);
  } finally {
    await log.close();
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await ensureCodeServer().catch((/** @type {Error} */ error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
