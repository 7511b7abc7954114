import { deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { bytesInMemory } from '../../../../src/store/files/byteSource';
import { readZip } from '../../../../src/store/files/zip';
import { sentenceOf } from './opening';
import { joined } from './pickles';
import { zip, type ZipEnd, type ZipPart } from './zips';

const records = (bytes: Uint8Array) => readZip(bytesInMemory('FILE', bytes));
const refusal = (parts: readonly ZipPart[], end: ZipEnd = {}) => sentenceOf(records(zip(parts, end)));
const data = Buffer.from('abcdefgh');
const differs = 'FILE is damaged: what the record "a" says of itself is not what the list of records says of it.';
const damagedList = 'FILE is damaged: the list of its 1 records cannot be read.';
const cut = 'FILE is cut short or damaged: a zip file ends with the list of its records, and this one does not, so copy or download it again.';

test.each([false, true])('records and where they are; numbers of zip64: %s', async wide => {
  const bytes = zip([{ name: 'a', data }, { name: 'b/ü', data: new Uint8Array() }, { name: 'b/c', data: Buffer.from('xyz'), flags: 0x0808, localLength: 0 }], { wide });
  const read = await records(bytes);
  expect([...read].map(([name, { from, length }]) => [name, Buffer.from(bytes.subarray(from, from + length)).toString()]))
    .toEqual([['a', 'abcdefgh'], ['b/ü', ''], ['b/c', 'xyz']]);
});

describe('refused, with the reason', () => {
  test.each<readonly [string, ZipPart, string]>([
    ['a compressed record', { name: 'a', data: deflateRawSync(Buffer.alloc(100_000)), method: 8 }, 'FILE: the record "a" is compressed (method 8), which torch.save never does; load the file in Python and save it again.'],
    ['a bomb: a compressed record that would be larger than any memory', { name: 'a', data, method: 8, listedLength: 0xfffffff0, packedLength: 8 }, 'FILE: the record "a" is compressed (method 8), which torch.save never does; load the file in Python and save it again.'],
    ['an encrypted record', { name: 'a', data, flags: 1 }, 'FILE: the record "a" is encrypted, which cannot be read; save the file again with torch.save.'],
    ['a patch of another record', { name: 'a', data, flags: 0x20 }, 'FILE: the record "a" is stored in a way that torch.save never does (flags 32).'],
    ['two lengths in the list', { name: 'a', data, packedLength: 4 }, damagedList],
    ['a length that is not its own', { name: 'a', data, listedLength: 4 }, differs],
    ['a length past the end', { name: 'a', data, listedLength: 100 }, damagedList],
    ['a length of its own that is another', { name: 'a', data, localLength: 4 }, differs],
    ['no length of its own', { name: 'a', data, localLength: 0 }, differs],
    ['a name of its own that is another', { name: 'a', data, localName: 'b' }, differs],
    ['a place that is none', { name: 'a', data, at: 3 }, damagedList],
    ['a place past the end', { name: 'a', data, at: 0xfffffff0 }, damagedList],
    ['a length without its zip64 field', { name: 'a', data, listedLength: 0xffffffff, packedLength: 0xffffffff }, damagedList],
  ])('%s', async (_, part, sentence) => {
    expect(await refusal([part])).toBe(sentence);
  });

  test.each(['../a', 'a/../../b', '..', '/etc/passwd', 'C:/a', 'a\\b', '..\\b', '', './a', 'a\u0000b'])('the name %j', async name => {
    expect(await refusal([{ name, data }]))
      .toBe(`FILE has a record with the name ${JSON.stringify(name)}, which torch.save never gives, so the file was not read any further.`);
  });

  test('a name that is not UTF-8', async () => {
    expect(await refusal([{ name: Uint8Array.of(0xff), data }])).toBe('FILE has a record whose name is not UTF-8.');
  });

  test('one name twice', async () => {
    expect(await refusal([{ name: 'a', data }, { name: 'a', data }])).toBe('FILE has the record "a" twice.');
  });

  test('two records in one place, and one within another', async () => {
    expect(await refusal([{ name: 'a', data }, { name: 'b', data, at: 0 }])).toMatch(/overlap|says of itself/);
    const inner = zip([{ name: 'b', data }]).subarray(0, 31 + data.length);
    expect(await refusal([{ name: 'a', data: inner }, { name: 'b', data, at: 31 }])).toBe('FILE: the record "a" and "b" overlap.');
  });

  test('a record that reaches into the list', async () => {
    const bytes = Buffer.from(zip([{ name: 'a', data }]));
    bytes.writeUInt16LE(5, 28); // bytes of extra fields before its own
    expect(await sentenceOf(records(bytes))).toBe('FILE: the record "a" and the list of records overlap.');
  });

  test('100,000 records, whether or not they are there', async () => {
    const sentence = /^FILE has 100000 records, listed in \d+ bytes, where 65600 in 64000000 are the most\.$/;
    expect(await refusal([], { count: 100_000, wide: true })).toMatch(sentence);
    expect(await refusal(Array.from({ length: 100_000 }, (_, i) => ({ name: `a/${i}`, data: new Uint8Array() })), { wide: true })).toMatch(sentence);
  });

  test('60,000 records are read, in few pieces', async () => {
    const bytes = zip(Array.from({ length: 60_000 }, (_, i) => ({ name: `a/${i}`, data })), { wide: true });
    let pieces = 0;
    const source = bytesInMemory('FILE', bytes);
    expect((await readZip({ ...source, read: (from, length) => (pieces++, source.read(from, length)) })).size).toBe(60_000);
    expect(pieces).toBeLessThan(1500);
  });

  test.each<readonly [string, ZipEnd, string]>([
    ['fewer records than it says', { count: 2 }, 'FILE is damaged: the list of its 2 records cannot be read.'],
    ['more records than it says', { count: 0 }, 'FILE is damaged: the list of its 0 records cannot be read.'],
    ['a list elsewhere', { listAt: 3 }, cut],
    ['a list past the end', { listAt: 0xfffffff0 }, cut],
    ['a shorter list', { listLength: 3 }, cut],
    ['several disks', { disk: 1 }, 'FILE is one part of a zip file in several, which cannot be read; torch.save writes one.'],
    ['a list of 4 GB', { listLength: 0xf0000000, listAt: 0 }, 'FILE has 1 records, listed in 4026531840 bytes, where 65600 in 64000000 are the most.'],
  ])('%s', async (_, end, sentence) => {
    expect(await refusal([{ name: 'a', data }], end)).toBe(sentence);
  });

  test('a file that is cut anywhere, or that goes on', async () => {
    for (const wide of [true, false]) {
      const whole = zip([{ name: 'a', data }, { name: 'b', data }], { wide });
      for (let length = 0; length < whole.length; length++) expect(await sentenceOf(records(whole.subarray(0, length)))).toBe(cut);
      expect(await sentenceOf(records(joined(whole, [0])))).toBe(cut);
      expect(await sentenceOf(records(joined([0], whole)))).toBe(cut);
    }
  });
});
