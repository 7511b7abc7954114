// What the tests need from the operating system, found or installed. Runs on plain Node 20 with nothing installed:
//   node test/support/systemPackages.mjs
import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { runToExitCode, step } from './steps.mjs';

/**
 * @typedef {object} SystemPackage
 * @property {string} what in the words of the sentence that a person reads
 * @property {readonly string[]} debian the Debian packages that bring it
 * @property {() => boolean} isThere
 * @property {boolean} [isOptional] a test that needs it says that it was not run
 *
 * @typedef {'tests' | 'code-server'} Purpose the tests need all of it, installing code-server a part
 */

/** @type {SystemPackage} */
const browser = {
  what: 'Chromium or Chrome (or its path in the CHROMIUM environment variable)',
  debian: ['chromium'],
  isThere: () => findChromium() !== undefined,
};

/** @type {SystemPackage} */
const font = {
  what: 'a font that Chromium can draw with',
  debian: ['fonts-dejavu-core', 'fontconfig'],
  // Only a bare Linux lacks fonts, and only there is fontconfig the one who knows.
  isThere: () => process.platform !== 'linux' || commandPrints('fc-list'),
};

/** @type {readonly SystemPackage[]} */
const compilers = [
  {
    what: 'a C++ compiler, make and Python 3 (code-server compiles its native modules)',
    debian: ['g++', 'make', 'python3'],
    isThere: () =>
      process.platform === 'win32' || ['c++', 'make', 'python3'].every((command) => onPath(command) !== undefined),
  },
  {
    what: 'the Kerberos headers (code-server compiles against them)',
    debian: ['libkrb5-dev'],
    // macOS brings Kerberos with its command line tools.
    isThere: () => process.platform !== 'linux' || onPath('krb5-config') !== undefined,
  },
];

/** @type {SystemPackage} */
const slurm = {
  what: 'Slurm and munge (without them the test of sweeps on a cluster is not run)',
  debian: ['slurmctld', 'slurmd', 'slurm-client', 'munge'],
  isOptional: true,
  // It is there for Linux alone.
  isThere: () => process.platform !== 'linux' || Object.values(slurmPrograms()).every((file) => file !== undefined),
};

/** @type {Record<Purpose, readonly SystemPackage[]>} */
const systemPackages = { tests: [browser, font, ...compilers, slurm], 'code-server': compilers };

/**
 * Returns the path of a Chromium-family browser, or undefined where there is none. Throws where CHROMIUM names
 * something that cannot be run.
 */
export function findChromium() {
  const chosen = process.env['CHROMIUM'];
  if (chosen !== undefined && chosen !== '') {
    if (isExecutable(chosen)) return chosen;
    throw new Error(`CHROMIUM is set to ${chosen}, which is not an executable file: correct it or unset it.`);
  }
  for (const name of ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']) {
    const found = onPath(name);
    if (found !== undefined) return found;
  }
  return usualPlaces().find(isExecutable);
}

/** As `findChromium`, for callers that cannot go on without one. Throws the sentence that says how to get it. */
export function requireChromium() {
  const found = findChromium();
  if (found === undefined) throw new Error(sentenceFor([browser]));
  return found;
}

/**
 * Slurm's programs and munge's, name → file; daemons lie where not everybody's PATH leads.
 * @returns {Readonly<Record<string, string | undefined>>}
 */
export function slurmPrograms() {
  const names = ['munged', 'munge', 'slurmctld', 'slurmd', 'sbatch', 'squeue', 'scancel', 'scontrol', 'sinfo'];
  const find = (/** @type {string} */ name) =>
    onPath(name) ?? ['/usr/sbin', '/usr/local/sbin'].map((folder) => path.join(folder, name)).find(isExecutable);
  return Object.fromEntries(names.map((name) => [name, process.platform === 'linux' ? find(name) : undefined]));
}

/**
 * Makes sure that what the purpose needs is there: on a Debian-like system as root by installing it, elsewhere by
 * throwing one sentence that says what is missing and how to get it.
 * @param {Purpose} [purpose]
 * @returns {Promise<void>}
 */
export async function ensureSystemPackages(purpose = 'tests') {
  const missing = systemPackages[purpose].filter((systemPackage) => !systemPackage.isThere());
  if (missing.length === 0) return;
  const needed = missing.filter((systemPackage) => !systemPackage.isOptional);
  const optional = missing.filter((systemPackage) => systemPackage.isOptional);

  if (canInstallDebianPackages()) {
    await install(needed);
    // What can be done without may be missing from a distribution, or from a mirror.
    await install(optional).catch((error) => console.error(error instanceof Error ? error.message : String(error)));
  }
  const stillNeeded = needed.filter((systemPackage) => !systemPackage.isThere());
  if (stillNeeded.length > 0) throw new Error(sentenceFor(stillNeeded));
}

/** @param {readonly SystemPackage[]} packages */
async function install(packages) {
  if (packages.length === 0) return;
  const names = packages.flatMap((systemPackage) => systemPackage.debian);
  await step(`Install system packages: ${names.join(' ')}`, () => {
    aptGet(['update']);
    aptGet(['install', '--yes', '--no-install-recommends', ...names]);
  });
}

/** @param {readonly SystemPackage[]} missing */
function sentenceFor(missing) {
  const what = missing.map((systemPackage) => systemPackage.what).join('; ');
  const debian = missing.flatMap((systemPackage) => systemPackage.debian).join(' ');
  const how =
    process.platform === 'darwin'
      ? 'get them with: xcode-select --install; brew install --cask google-chrome'
      : process.platform === 'win32'
        ? 'get them with: winget install Google.Chrome'
        : `on Debian or Ubuntu get them with: sudo apt-get update && sudo apt-get install ${debian}`;
  return `This machine lacks ${what}; ${how}.`;
}

function canInstallDebianPackages() {
  return process.platform === 'linux' && process.getuid?.() === 0 && onPath('apt-get') !== undefined;
}

/** @param {readonly string[]} parameters */
function aptGet(parameters) {
  try {
    execFileSync('apt-get', ['-o', 'DPkg::Lock::Timeout=300', '--quiet', ...parameters], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (error) {
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    const tail = output.trim().split('\n').slice(-20).join('\n');
    throw new Error(`apt-get ${parameters.join(' ')} failed:\n${tail}`, { cause: error });
  }
}

function usualPlaces() {
  if (process.platform === 'darwin') {
    return [
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
      '/Applications/Chromium.app/Contents/MacOS/Chromium',
      '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
    ];
  }
  if (process.platform === 'win32') {
    return ['ProgramFiles', 'ProgramFiles(x86)', 'LOCALAPPDATA']
      .flatMap((variable) => process.env[variable] ?? [])
      .flatMap((folder) => [
        path.join(folder, 'Google', 'Chrome', 'Application', 'chrome.exe'),
        path.join(folder, 'Chromium', 'Application', 'chrome.exe'),
        path.join(folder, 'Microsoft', 'Edge', 'Application', 'msedge.exe'),
      ]);
  }
  return [];
}

/**
 * @param {string} name
 * @returns {string | undefined}
 */
export function onPath(name) {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => path.join(folder, name)).find(isExecutable);
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** @param {string} command */
function commandPrints(command) {
  const { status, stdout } = spawnSync(command, { encoding: 'utf8' });
  return status === 0 && stdout.trim() !== '';
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await runToExitCode(async () => {
    await ensureSystemPackages();
    return 0;
  });
}
