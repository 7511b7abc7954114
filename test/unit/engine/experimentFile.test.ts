import { execFileSync } from 'node:child_process';
import { mkdir, realpath, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { readExperimentFile } from '../../../src/engine/experimentFile';
import { experimentFileLimit } from '../../../src/protocol/experiment';
import { temporaryFolder } from '../store/folders';

let file: string;
beforeEach(async () => {
  file = path.join(await temporaryFolder(), 'a.circuit.json');
});

test('a file is read through a symbolic link, and known by its own path', async () => {
  await writeFile(file, '{ "name": "größer" }');
  const link = `${file}.link`;
  await symlink(file, link);
  expect(await readExperimentFile(link)).toEqual({ text: '{ "name": "größer" }', realPath: await realpath(file) });
});

describe('what is no experiment file is refused before it is read', () => {
  test('one that is too large', async () => {
    await writeFile(file, '');
    await truncate(file, 4 * experimentFileLimit);
    expect((await readExperimentFile(file)).text).toHaveLength(4 * experimentFileLimit);
    // Were it read, it would not fit in memory.
    await truncate(file, 2 ** 40);
    await expect(readExperimentFile(file)).rejects.toThrow(`${file} is too large for an experiment file.`);
  });

  test('a folder', async () => {
    await mkdir(file);
    await expect(readExperimentFile(file)).rejects.toThrow(`${file} is a folder, not an experiment file.`);
  });

  test.skipIf(process.platform === 'win32')('a device that has no end', async () => {
    await symlink('/dev/zero', file);
    await expect(readExperimentFile(file)).rejects.toThrow(`${file} is a pipe or a device, not an experiment file; save it as a file.`);
  });

  test.skipIf(process.platform === 'win32')('a pipe that nobody writes to', async () => {
    execFileSync('mkfifo', [file]);
    await expect(readExperimentFile(file)).rejects.toThrow('is a pipe or a device');
  });
});

test.each([
  ['a name that no file can have', 'a\0b.circuit.json', /cannot be read: .*null bytes/],
  ['a name that is too long', `${'a'.repeat(300)}.circuit.json`, /cannot be read: ENAMETOOLONG/],
])('%s is refused in a sentence', async (_, name, message) => {
  await expect(readExperimentFile(path.join(path.dirname(file), name))).rejects.toMatchObject({ name: 'UserError', message: expect.stringMatching(message) });
});
