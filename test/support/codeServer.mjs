// Runs code-server with a packaged extension in it, for tests and for `npm start`.
import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse } from 'jsonc-parser';
import { ensureCodeServer } from './installCodeServer.mjs';

const tetheredProcess = fileURLToPath(new URL('./tetheredProcess.mjs', import.meta.url));
const millisecondsToStart = 60_000;

/** Settings of a window that shows the extension and nothing that pops up, updates or reaches for the network. */
const quietSettings = {
  'chat.disableAIFeatures': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': 'off',
  'extensions.ignoreRecommendations': true,
  'git.openRepositoryInParentFolders': 'never',
  'remote.autoForwardPorts': false,
  'security.workspace.trust.banner': 'never',
  'security.workspace.trust.startupPrompt': 'never',
  'telemetry.telemetryLevel': 'off',
  'workbench.enableExperiments': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
};

/**
 * @typedef {object} CodeServerOptions
 * @property {readonly string[]} [extensions] .vsix files to install
 * @property {Readonly<Record<string, unknown>>} [settings] user settings, over the quiet ones
 * @property {boolean} [workspaceTrust] false (the default) switches the feature off: every folder is trusted; with
 *   true a folder opens in Restricted Mode until the user trusts it
 * @property {string} [dataFolder] where user data and extensions stay; without it a temporary one, removed on dispose
 * @property {Readonly<Record<string, string>>} [environment] additional variables for the extension host
 *
 * @typedef {object} CodeServer
 * @property {string} url ends in a slash
 * @property {string} userDataFolder holds User/settings.json, User/globalStorage and logs
 * @property {string} logFile what code-server itself printed
 * @property {(settings: Readonly<Record<string, unknown>>) => Promise<void>} changeSettings merges into the user's
 *   settings; windows that are open notice a second or two later
 * @property {() => Promise<void>} dispose ends every process of the server
 */

/**
 * Installs code-server where that is needed, and the extensions, and resolves when the server answers. The server ends
 * with this process at the latest, however this process ends.
 * @param {CodeServerOptions} [options]
 * @returns {Promise<CodeServer>}
 */
export async function startCodeServer({
  extensions = [],
  settings = {},
  workspaceTrust = false,
  dataFolder,
  environment = {},
} = {}) {
  const { node, entry } = await ensureCodeServer();
  const folder = dataFolder ?? (await mkdtemp(path.join(tmpdir(), 'circuits-code-')));
  const userDataFolder = path.join(folder, 'user');
  const logFile = path.join(folder, 'code-server.log');
  const folderParameters = [
    // Without a configuration file of its own code-server writes one into the user's home.
    ...['--config', path.join(folder, 'config.yaml')],
    ...['--user-data-dir', userDataFolder],
    ...['--extensions-dir', path.join(folder, 'extensions')],
  ];
  const serverEnvironment = { ...cleanEnvironment(node), ...environment };

  const settingsFile = await prepareSettings(userDataFolder, settings);
  for (const extension of extensions) {
    await promisify(execFile)(node, [entry, ...folderParameters, '--force', '--install-extension', extension], {
      env: serverEnvironment,
      timeout: millisecondsToStart,
    });
  }

  const server = fork(
    tetheredProcess,
    [
      ...[node, entry, ...folderParameters],
      ...['--auth', 'none', '--bind-addr', '127.0.0.1:0'],
      ...['--disable-telemetry', '--disable-update-check'],
      ...(workspaceTrust ? [] : ['--disable-workspace-trust']),
    ],
    { execPath: node, execArgv: [], env: serverEnvironment, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
  );
  const ended = once(server, 'exit');
  const dispose = async () => {
    if (server.connected) server.disconnect();
    await ended;
    if (dataFolder === undefined) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const url = await listeningAddress(server, logFile);
    return {
      url,
      userDataFolder,
      logFile,
      changeSettings: (changed) => changeSettings(settingsFile, changed),
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/**
 * @param {import('node:child_process').ChildProcess} server
 * @param {string} logFile everything that the server prints, for as long as it runs
 * @returns {Promise<string>}
 */
function listeningAddress(server, logFile) {
  const log = createWriteStream(logFile);
  return new Promise((resolve, reject) => {
    /** @param {string} reason */
    const fail = async (reason) => {
      clearTimeout(timer);
      const tail = (await readFile(logFile, 'utf8').catch(() => '')).trim().split('\n').slice(-30).join('\n');
      reject(new Error(`code-server ${reason}; it printed:\n${tail}`));
    };
    const timer = setTimeout(() => void fail('did not start listening in time'), millisecondsToStart);
    for (const stream of [server.stdout, server.stderr]) {
      if (stream === null) continue;
      stream.pipe(log, { end: false });
      createInterface({ input: stream }).on('line', (line) => {
        const address = /HTTP server listening on (http:\/\/\S+)/.exec(line)?.[1];
        if (address === undefined) return;
        clearTimeout(timer);
        resolve(address);
      });
    }
    server.once('error', (error) => void fail(`could not be started (${error.message})`));
    server.once('exit', (code) => {
      log.end(() => void fail(`ended with exit code ${code} before it was listening`));
    });
  });
}

/**
 * This process's environment without what an outer VS Code terminal, npm or test runner put there, all of which would
 * change how code-server and the extension host behave.
 * @param {string} node
 */
function cleanEnvironment(node) {
  const foreign = /^(VSCODE_|VITEST|npm_|NODE_OPTIONS$|NODE_ENV$|TEST$|PORT$|PASSWORD$|HASHED_PASSWORD$)/;
  const inherited = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  return {
    ...Object.fromEntries(inherited),
    PATH: [path.dirname(node), process.env['PATH'] ?? ''].join(path.delimiter),
    // No marketplace to ask.
    EXTENSIONS_GALLERY: '{}',
  };
}

/**
 * Puts settings into a user data folder of VS Code: over the quiet ones in a new folder; in one that was used before the
 * user's own choices stay. Returns the file.
 * @param {string} userDataFolder
 * @param {Readonly<Record<string, unknown>>} settings
 */
export async function prepareSettings(userDataFolder, settings) {
  const file = path.join(userDataFolder, 'User', 'settings.json');
  await mkdir(path.dirname(file), { recursive: true });
  await changeSettings(file, existsSync(file) ? settings : { ...quietSettings, ...settings });
  return file;
}

/**
 * @param {string} file
 * @param {Readonly<Record<string, unknown>>} changed
 */
async function changeSettings(file, changed) {
  const current = existsSync(file) ? parse(await readFile(file, 'utf8')) : {};
  // Written in place: a watching window does not notice a file that is renamed over the one it watches.
  await writeFile(file, JSON.stringify({ ...current, ...changed }, undefined, 2));
}
