// Opens VS Code with the extension: the desktop's, or code-server's in a browser.
import path from 'node:path';
import process from 'node:process';
import { runLogged } from '../../test/support/commands.mjs';
import { ensureExtensionPackage } from '../../test/support/products.mjs';
import { repository } from '../../test/support/repository.mjs';
import { step } from '../../test/support/steps.mjs';
import { onPath } from '../../test/support/systemPackages.mjs';

const folder = path.join(repository, 'media', 'experiments');

/** @param {{ modelsFolder: string }} options */
export async function openWindow({ modelsFolder }) {
  const extension = await ensureExtensionPackage();
  const settings = { 'circuits.modelsFolder': modelsFolder };
  const code = desktopCode();
  await (code === undefined ? openInBrowser(extension, settings) : openOnDesktop(code, extension, settings));
}

/** The `code` that opens a window on this desktop. */
function desktopCode() {
  const { env, platform } = process;
  // There it would open a window on another machine, or none.
  const isElsewhere = ['SSH_CONNECTION', 'VSCODE_IPC_HOOK_CLI', 'WSL_DISTRO_NAME'].some(name => env[name] !== undefined);
  const hasScreen = platform !== 'linux' || env['DISPLAY'] !== undefined || env['WAYLAND_DISPLAY'] !== undefined;
  // VS Code refuses to run as root.
  const isRoot = platform === 'linux' && process.getuid?.() === 0;
  if (isElsewhere || !hasScreen || isRoot) return undefined;
  return onPath(platform === 'win32' ? 'code.cmd' : 'code');
}

/**
 * Opens a window with user data of its own, so that the user's VS Code stays as it is.
 * @param {string} code
 * @param {string} extension
 * @param {Record<string, unknown>} settings
 */
async function openOnDesktop(code, extension, settings) {
  const { prepareSettings } = await import('../../test/support/codeServer.mjs');
  const dataFolder = path.join(repository, '.vscode-test', 'desktop');
  const userDataFolder = path.join(dataFolder, 'user');
  await prepareSettings(userDataFolder, settings);
  const folders = ['--user-data-dir', userDataFolder, '--extensions-dir', path.join(dataFolder, 'extensions')];
  const run = (/** @type {string[]} */ parameters) =>
    runLogged([code, ...folders, ...parameters], { what: 'VS Code', logFile: path.join(repository, 'logs', 'code.log') });
  await step('Open VS Code', async () => {
    await run(['--install-extension', extension, '--force']);
    await run(['--new-window', folder]);
  });
  console.log(`To have the extension in your own VS Code as well:  code --install-extension ${path.relative(process.cwd(), extension)}`);
}

/**
 * Runs code-server until it is interrupted.
 * @param {string} extension
 * @param {Record<string, unknown>} settings
 */
async function openInBrowser(extension, settings) {
  const { ensureCodeServer } = await import('../../test/support/installCodeServer.mjs');
  const { startCodeServer } = await import('../../test/support/codeServer.mjs');
  await ensureCodeServer();
  const server = await step('Start VS Code in code-server', () =>
    startCodeServer({ extensions: [extension], settings, dataFolder: path.join(repository, '.vscode-test', 'browser') }),
  );
  const interrupted = new Promise(resolve => ['SIGINT', 'SIGTERM', 'SIGHUP'].forEach(signal => process.once(signal, resolve)));
  console.log(`VS Code is at  ${server.url}?folder=${encodeURIComponent(folder)}`);
  console.log('Ctrl-C ends it.');
  await interrupted;
  await server.dispose();
}
