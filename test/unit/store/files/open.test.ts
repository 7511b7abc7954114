import { execFileSync } from 'node:child_process';
import { chmod, open, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { openTensorFile } from '../../../../src/store/files/open';
import { temporaryFolder } from '../folders';
import { opened, refusalOf, sentenceOf, tensorOf } from './opening';
import { call, pickle, text } from './pickles';

const fixtures = path.join(import.meta.dirname, '../../../fixtures/files');

function safetensors(header: unknown, dataSize: number): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(dataSize)]);
}

describe('what is no file of weights says what it is and what to do', () => {
  const tar = Buffer.alloc(1024);
  tar.write('ustar', 257);
  test.each<readonly [string, Uint8Array, string]>([
    ['nothing', new Uint8Array(), 'FILE is empty.'],
    ['a few bytes', Buffer.from('abc'), 'FILE is cut short: it has 3 bytes, not even the length of its header.'],
    ['a bare pickle', pickle(call('os', 'system', text('ls'))), 'FILE is a pickle without tensors of its own, as pickle.dump writes it, not what torch.save writes; load it in Python and save its state dict with torch.save or as safetensors.'],
    ['a tar', tar, 'FILE is a tar archive; unpack it and open the file of weights in it, or, where PyTorch from before 0.1.10 wrote it, load and save it again.'],
    ['HDF5', Buffer.from('\u0089HDF\r\n\u001a\nrest of it', 'latin1'), 'FILE is an HDF5 file, as Keras writes, which cannot be read; save its tensors as safetensors.'],
    ['GGUF', Buffer.from('GGUF\u0003\0\0\0rest of it'), 'FILE is a GGUF file, whose weights are mostly quantised, which cannot be read; open the safetensors file that it was made from.'],
    ['an array of NumPy', Buffer.from('\u0093NUMPY\u0001\0v\0', 'latin1'), 'FILE is a NumPy array; save its tensors as safetensors.'],
    ['gzip', gzipSync('weights, weights, weights'), 'FILE is compressed with gzip; decompress it and open the file in it.'],
    ['a pointer of Git LFS', Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n'), 'FILE is a pointer of Git LFS in place of the file itself; run git lfs pull.'],
    ['a web page', Buffer.from('\n<!DOCTYPE html><html><title>404</title></html>'), 'FILE is a web page, not a file of weights: the download went wrong, so download it again.'],
    ['an error of a server', Buffer.from('<?xml version="1.0"?><Error>AccessDenied</Error>'), 'FILE is a web page, not a file of weights: the download went wrong, so download it again.'],
    ['an index of parts', Buffer.from('{"metadata": {"total_size": 5}, "weight_map": {}}'), 'FILE is JSON, which holds no weights; open the file of weights beside it, such as model.safetensors.'],
    ['a config', Buffer.from('{\n  "d_model": 4\n}'), 'FILE is JSON, which holds no weights; open the file of weights beside it, such as model.safetensors.'],
    ['the least of JSON', Buffer.from('[]'), 'FILE is JSON, which holds no weights; open the file of weights beside it, such as model.safetensors.'],
    ['a text', Buffer.from('Entry not found in this repository'), 'FILE is not a safetensors file: it would have a header of 8029390891631537733 bytes, where 25000000 are the most.'],
  ])('%s', async (_, bytes, sentence) => {
    expect(await refusalOf(bytes)).toBe(sentence);
  });

  test('what PyTorch before 1.6 wrote', async () => {
    const file = path.join(fixtures, 'before-1.6.pt');
    expect(await sentenceOf(openTensorFile(file)))
      .toBe(`${file} was saved in PyTorch's format from before 1.6; load it with torch.load and save it again with torch.save, or as safetensors.`);
  });

  test('no file, a folder, and a file that may not be read', async () => {
    const folder = await temporaryFolder();
    const file = path.join(folder, 'weights.pt');
    expect(await sentenceOf(openTensorFile(file))).toBe(`There is no file ${file}.`);
    expect(await sentenceOf(openTensorFile(folder))).toBe(`${folder} is not a file.`);
    await writeFile(file, 'x');
    await chmod(file, 0);
    // Whoever runs everything as root may read it all the same, and learns that it is too short.
    expect(await sentenceOf(openTensorFile(file))).toMatch(/its permissions do not allow it|is cut short/);
  });

  test.skipIf(process.platform === 'win32')('a pipe, which nobody writes to, a link to itself, and a name that is too long', async () => {
    const folder = await temporaryFolder();
    const [pipe, loop] = [path.join(folder, 'pipe.safetensors'), path.join(folder, 'loop.pt')];
    execFileSync('mkfifo', [pipe]);
    await symlink(loop, loop);
    expect(await sentenceOf(openTensorFile(pipe))).toBe(`${pipe} is not a file.`);
    expect(await sentenceOf(openTensorFile(loop))).toMatch(/loop\.pt cannot be read: ELOOP: .*\.$/);
    expect(await sentenceOf(openTensorFile(path.join(folder, 'x'.repeat(300))))).toMatch(/x cannot be read: ENAMETOOLONG: .*\.$/);
  });

  test('a header whose length begins like JSON is none', async () => {
    const padded = `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`.padEnd(0x7b);
    expect((await opened(safetensors(padded, 1))).tensors.size).toBe(1);
  });

  test('a file that is written again while it is read, of the same size', async () => {
    const file = path.join(await temporaryFolder(), 'weights.safetensors');
    const header = { a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } };
    await writeFile(file, safetensors(header, 8));
    await utimes(file, 1000, 1000);
    const tensors = await openTensorFile(file);
    expect(await tensors.read(tensorOf(tensors, 'a'), 0, 1)).toEqual(Float32Array.of(0));
    const again = await open(file, 'r+');
    await again.write(Buffer.alloc(8, 1), 0, 8, safetensors(header, 0).length);
    await again.close();
    const sentence = `${file} changed while it was read; open it again when nothing writes to it any more.`;
    expect(await sentenceOf(tensors.read(tensorOf(tensors, 'a'), 1, 1))).toBe(sentence);
    await tensors.close();
  });

  test('a download that stopped', async () => {
    const whole = safetensors({ a: { dtype: 'F32', shape: [4], data_offsets: [0, 16] } }, 16);
    expect(await refusalOf(whole.subarray(0, whole.length - 3))).toBe('FILE is cut short: tensor "a" ends at byte 16 of the data, of which there are 13.');
  });
});

test('a file that becomes shorter while it is open', async () => {
  const file = path.join(await temporaryFolder(), 'weights.safetensors');
  await writeFile(file, safetensors({ a: { dtype: 'F32', shape: [4], data_offsets: [0, 16] } }, 16));
  const tensors = await openTensorFile(file);
  await truncate(file, 100 - 30);
  expect(await sentenceOf(tensors.read(tensorOf(tensors, 'a')))).toBe(`${file} is cut short: it became shorter while it was read.`);
  await tensors.close();
});

test('of 40 GB only the header and what is asked for are read', async () => {
  const file = path.join(await temporaryFolder(), 'weights.safetensors');
  const [rows, width] = [1_000_000, 10_000];
  const header = safetensors({ large: { dtype: 'F32', shape: [rows, width], data_offsets: [0, rows * width * 4] } }, 0);
  await writeFile(file, header);
  await truncate(file, header.length + rows * width * 4);
  const handle = await open(file, 'r+');
  await handle.write(new Uint8Array(Float32Array.of(7).buffer), 0, 4, header.length + 4 * (width * 999_999 + 3));
  await handle.close();
  const began = performance.now();
  const tensors = await openTensorFile(file);
  expect(await tensors.read(tensorOf(tensors, 'large'), width * 999_999, 5)).toEqual(Float32Array.of(0, 0, 0, 7, 0));
  expect(performance.now() - began).toBeLessThan(1000);
  await tensors.close();
});

describe('safetensors, over what the reader of our own files holds', () => {
  test('a header of 100 MB is refused before any of it is read', async () => {
    const file = path.join(await temporaryFolder(), 'weights.safetensors');
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(100_000_000n);
    await writeFile(file, length);
    await truncate(file, 200_000_000);
    expect(await sentenceOf(openTensorFile(file))).toBe(`${file} is not a safetensors file: it would have a header of 100000000 bytes, where 25000000 are the most.`);
  });

  test('100,000 tensors', async () => {
    const header = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`t${i}`, { dtype: 'F32', shape: [0], data_offsets: [0, 0] }]));
    const bytes = safetensors(header, 0);
    const began = performance.now();
    expect(await refusalOf(bytes)).toBe('FILE has more than 65536 tensors, the most that are read.');
    expect(performance.now() - began).toBeLessThan(1000);
  });

  test('headers of many MB: 60,000 tensors, and one long metadata', async () => {
    const header = Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`blocks.${i}.attn.${'W'.repeat(100)}`, { dtype: 'U8', shape: [1], data_offsets: [i, i + 1] }]));
    const bytes = safetensors({ __metadata__: { notes: 'n'.repeat(8e6) }, ...header }, 60_000);
    const began = performance.now();
    expect((await opened(bytes)).tensors.size).toBe(60_000);
    expect(performance.now() - began).toBeLessThan(3000);
  });

  test.each<readonly [string, string, RegExp]>([
    ['objects in one another', `${'{"a":'.repeat(4e6)}{}${'}'.repeat(4e6)}`, /nested more than 3 levels\.$/],
    ['empty objects', `{"a":[${'{},'.repeat(8e6)}{}]}`, /more than 65536 tensors/],
    ['empty lists', `{"a":[${'[],'.repeat(8e6)}[]]}`, /more than 65536 tensors/],
    ['a shape of zeros', `{"a":{"dtype":"F32","data_offsets":[0,0],"shape":[${'0,'.repeat(12e6)}0]}}`, /more numbers in its header than 65536 tensors take/],
    ['metadata', `{"__metadata__":{${Array.from({ length: 2e6 }, (_, i) => `"${i.toString(36)}":""`).join(',')}}}`, /more names in its header than 65536 tensors take/],
  ])('24 MB of a header: %s', async (_, json, sentence) => {
    const bytes = safetensors(json, 0);
    const [began, before] = [performance.now(), process.memoryUsage.rss()];
    expect(await refusalOf(bytes)).toMatch(sentence);
    expect(performance.now() - began).toBeLessThan(1000);
    expect(process.memoryUsage.rss() - before).toBeLessThan(512 * 2 ** 20);
  });

  test('a header that is nested without end, closed and not', async () => {
    for (const json of ['['.repeat(1e6), `{"a":${'['.repeat(1e6)}${']'.repeat(1e6)}}`, `{"a":${'{"b":'.repeat(1e6)}1${'}'.repeat(1e6)}}`]) {
      expect(await refusalOf(safetensors(json, 0))).toBe('FILE is not a safetensors file: its header is nested more than 3 levels.');
    }
  });

  test('__proto__ and its like are names of tensors', async () => {
    const file = await opened(safetensors('{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"__metadata__":{"__proto__":"x"}}', 1));
    expect([...file.tensors.keys()]).toEqual(['__proto__']);
    expect([...file.metadata]).toEqual([['__proto__', 'x']]);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  test('what a hostile header says of itself does not break the sentence', async () => {
    const sentence = await refusalOf(safetensors({ a: { dtype: 'F32', shape: [`1\n\u001b[31m${'x'.repeat(1e6)}`], data_offsets: [0, 4] } }, 4));
    expect(sentence.length).toBeLessThan(400);
    expect(sentence).not.toContain('\u001b');
  });

  test('an int64 that no number holds is refused by its name', async () => {
    const bytes = safetensors({ position: { dtype: 'I64', shape: [1], data_offsets: [0, 8] } }, 8);
    bytes.writeBigInt64LE(2n ** 60n, bytes.length - 8);
    const file = await opened(bytes);
    expect(await sentenceOf(file.read(tensorOf(file, 'position'))))
      .toBe('FILE: tensor "position" has the integer 1152921504606846976, and those beyond 2⁵³ cannot be read exactly.');
  });
});
