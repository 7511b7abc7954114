import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CancelledError, UserError } from '../../../src/common/errors';
import { installTensorFlow } from '../../../src/extension/installTensorFlow';

let folder: string;
let storage: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'circuits-tensorflow-'));
  storage = path.join(folder, 'storage');
});
afterEach(() => rm(folder, { recursive: true }));

/** Puts a program of this name on a PATH that leads nowhere else but to the shell's own. */
async function withNpm(script: string | undefined): Promise<NodeJS.ProcessEnv> {
  const programs = path.join(folder, 'programs');
  await mkdir(programs);
  if (script !== undefined) {
    await writeFile(path.join(programs, 'npm'), `#!/bin/sh\n${script}\n`);
    await chmod(path.join(programs, 'npm'), 0o755);
  }
  return { PATH: script === undefined ? programs : `${programs}:/usr/bin:/bin` };
}

function install(environment: NodeJS.ProcessEnv, signal = new AbortController().signal, line: (text: string) => void = () => undefined) {
  return installTensorFlow({ storage, signal, environment, line });
}

describe.skipIf(process.platform === 'win32')('the installation of TensorFlow', () => {
  test('puts the package in its place once it is whole, and replaces an older one', async () => {
    await mkdir(path.join(storage, 'tensorflow'), { recursive: true });
    await writeFile(path.join(storage, 'tensorflow', 'old'), '');
    const environment = await withNpm('test "$1 $2" = "install @tensorflow/tfjs-node-gpu@4.22.0" && echo added && echo new > "$4/new"');
    const lines: string[] = [];
    await install(environment, undefined, text => lines.push(text));
    expect(lines).toEqual(['added']);
    expect(await readdir(storage)).toEqual(['tensorflow']);
    expect(await readFile(path.join(storage, 'tensorflow', 'new'), 'utf8')).toBe('new\n');
    expect(await readdir(path.join(storage, 'tensorflow'))).toEqual(['new']);
  });

  test('says when npm is missing', async () => {
    await expect(install(await withNpm(undefined))).rejects.toThrow(new UserError('npm was not found: install Node.js with npm, then run the command again.'));
  });

  test.each([
    ['npm error code E404\nnpm error 404 Not Found', '404 Not Found'],
    // What npm prints when the package's own script fails to download.
    [
      'npm error code 1\nnpm error path /x\nnpm error command failed\nnpm error * Downloading libtensorflow\n'
      + 'npm error Error: getaddrinfo ENOTFOUND storage.googleapis.com\nnpm error Node.js v20.20.2',
      'getaddrinfo ENOTFOUND storage.googleapis.com',
    ],
  ])('says plainly why the download failed, and leaves what was there', async (output, reason) => {
    await mkdir(path.join(storage, 'tensorflow'), { recursive: true });
    const installing = install(await withNpm(`echo '${output}' >&2; exit 1`));
    await expect(installing).rejects.toBeInstanceOf(UserError);
    await expect(installing).rejects.toThrow(`TensorFlow could not be installed (${reason}).`);
    expect(await readdir(storage)).toEqual(['tensorflow']);
  });

  test('can be cancelled, with all that npm has started', async () => {
    const abort = new AbortController();
    // Its child keeps the output open, so that the promise settles only when both are gone.
    const environment = await withNpm('sleep 600 & echo started; wait');
    await expect(install(environment, abort.signal, () => abort.abort())).rejects.toBeInstanceOf(CancelledError);
    expect(await readdir(storage)).toEqual([]);
  });
});
