import { failingAt } from './faults';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { UserError } from '../../../src/common/errors';
import { isTemporary, writeFileAtomically } from '../../../src/store/atomicFile';
import { temporaryFolder } from './folders';

test('content is text or chunks of bytes, and replaces what was there', async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'report.html');
  await writeFileAtomically(file, 'an old and longer text');
  await writeFileAtomically(file, 'new ✓');
  expect(await readFile(file, 'utf8')).toBe('new ✓');
  await writeFileAtomically(file, [Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3)]);
  expect([...await readFile(file)]).toEqual([1, 2, 3]);
  expect(await readdir(folder)).toEqual(['report.html']);
});

test('two writers at once leave the whole content of one', async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'model.json');
  const contents = Array.from({ length: 8 }, (_, i) => String(i).repeat(100_000));
  await Promise.all(contents.map(content => writeFileAtomically(file, content)));
  expect(contents).toContain(await readFile(file, 'utf8'));
  expect(await readdir(folder)).toEqual(['model.json']);
});

test.each([
  ['ENOSPC', 'The disk that holds FOLDER is full: 0.9 MB were needed for model.json.'],
  ['EDQUOT', 'The disk that holds FOLDER is full: 0.9 MB were needed for model.json.'],
  ['EROFS', 'FOLDER is read-only, so model.json cannot be written there; make it writable or choose another folder.'],
  ['EACCES', 'FOLDER is read-only, so model.json cannot be written there; make it writable or choose another folder.'],
])('%s at any point is told in one sentence, keeps the file and leaves nothing beside it', async (code, message) => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'model.json');
  await writeFile(file, 'old');
  const chunks = [new Uint8Array(400_000), new Uint8Array(450_000)];
  const write = () => writeFileAtomically(file, chunks).then(() => 'written', (error: unknown) => error);
  let points = 0;
  for (let came = true; came; points++) {
    came = await failingAt(points + 1, code, async () => {
      const result = await write();
      if (result === 'written') return;
      expect(result).toBeInstanceOf(UserError);
      expect(String(result)).toBe(`UserError: ${message.replace('FOLDER', folder)}`);
    });
    const content = await readFile(file);
    expect(content.equals(Buffer.from('old')) || content.length === 850_000).toBe(true);
    expect((await readdir(folder)).filter(isTemporary)).toEqual([]);
  }
  // open, two writes, sync, rename, and the sync of the folder
  expect(points).toBe(7);
  expect((await readFile(file)).length).toBe(850_000);
});

test('a folder that is not there, or is a file, is named', async () => {
  const folder = await temporaryFolder();
  await writeFile(path.join(folder, 'file'), '');
  await expect(writeFileAtomically(path.join(folder, 'none', 'a.json'), '')).rejects.toThrow(`There is no folder ${path.join(folder, 'none')} to write a.json in.`);
  await expect(writeFileAtomically(path.join(folder, 'file', 'a.json'), '')).rejects.toThrow(`There is no folder ${path.join(folder, 'file')} to write a.json in.`);
});

test('an error that people can do nothing about is thrown as it is', async () => {
  const folder = await temporaryFolder();
  await failingAt(1, 'EIO', async () => {
    await expect(writeFileAtomically(path.join(folder, 'a.json'), '')).rejects.toMatchObject({ code: 'EIO' });
  });
});
