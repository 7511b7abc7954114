import { open, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { UserError } from '../../../src/common/errors';
import { float32, int32, sizeOf } from '../../../src/common/tensor';
import { encodeSafetensors, readSafetensors, type SavedTensor } from '../../../src/store/safetensors';
import { temporaryFolder } from './folders';

// Files that Python's safetensors 0.8.0 wrote (the first) and reads (both).
const fromPython = `mAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJtYWRlIGJ5Ijoic2FmZXRlbnNvcnMgMC44LjAifSwiZG91YmxlIjp7ImR0eXBlIjoiRjY0Iiwic2hhcGU
iOlszXSwiZGF0YV9vZmZzZXRzIjpbMCwyNF19LCJlbXB0eSI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbMCw0XSwiZGF0YV9vZmZzZXRzIjpbMjQsMjRdfSwic2NhbGFyIjp7I
mR0eXBlIjoiRjMyIiwic2hhcGUiOltdLCJkYXRhX29mZnNldHMiOlsyNCwyOF19LCJ3ZWlnaHRzIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsyLDNdLCJkYXRhX29mZnNldHM
iOlsyOCw1Ml19LCJzdGVwcyI6eyJkdHlwZSI6IkkzMiIsInNoYXBlIjpbMl0sImRhdGFfb2Zmc2V0cyI6WzUyLDYwXX0sImhhbGYiOnsiZHR5cGUiOiJGMTYiLCJzaGFwZSI6W
zEyXSwiZGF0YV9vZmZzZXRzIjpbNjAsODRdfX2amZmZmZm5P5x1AIg85Dd+WfP4wh9upYEAACBAAAAAAKuqqj6rqio/AACAP6uqqj9VVdU/AAAAgAcAAAAAAACAAQD/AwAEADx
VNf97//sAfAD8AH4=`;
const brainFloats = 'SAAAAAAAAAB7InciOiB7ImR0eXBlIjogIkJGMTYiLCAic2hhcGUiOiBbNF0sICJkYXRhX29mZnNldHMiOiBbMCwgOF19fSAgICAgICAgICCAP0nAAQCAfw==';

async function fileOf(...chunks: readonly Uint8Array[]): Promise<string> {
  const file = path.join(await temporaryFolder(), 'weights.safetensors');
  await writeFile(file, Buffer.concat(chunks));
  return file;
}

/** A file with any header, true or not. */
function fileWith(header: unknown, dataSize: number): Promise<string> {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return fileOf(length, json, Buffer.alloc(dataSize));
}

async function refusalOf(file: string): Promise<string> {
  const error: unknown = await readSafetensors(file).then(() => undefined, (thrown: unknown) => thrown);
  expect(error, 'a UserError').toBeInstanceOf(UserError);
  const message = error instanceof UserError ? error.message : '';
  expect(message).toContain(file);
  expect(message).toMatch(/^[^\n]+\.$/);
  return message.replaceAll(file, 'FILE');
}

const tensors = fc.dictionary(
  fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('blocks.0.attn.W_Q', '__proto__', 'constructor', '10', '9', '')),
  fc.array(fc.nat(4), { maxLength: 4 }).chain(shape => fc.oneof(
    fc.array(fc.float(), { minLength: sizeOf(shape), maxLength: sizeOf(shape) }).map((data): SavedTensor => float32(shape, Float32Array.from(data))),
    fc.array(fc.integer(), { minLength: sizeOf(shape), maxLength: sizeOf(shape) }).map((data): SavedTensor => int32(shape, Int32Array.from(data))),
  )),
).map(entries => new Map(Object.entries(entries))).filter(map => !map.has('__metadata__'));

describe('round trip', () => {
  test('any tensors and metadata come back as they were, bit for bit and in order', async () => {
    await fc.assert(fc.asyncProperty(tensors, fc.dictionary(fc.string(), fc.string()), async (map, texts) => {
      const metadata = new Map(Object.entries(texts));
      const back = await readSafetensors(await fileOf(...encodeSafetensors(map, metadata)));
      expect([...back.tensors].filter(([, tensor]) => tensor.data.length > 0)).toEqual([...map].filter(([, tensor]) => tensor.data.length > 0));
      expect(new Set(back.tensors.keys())).toEqual(new Set(map.keys()));
      expect(back.metadata).toEqual(metadata);
    }), { numRuns: 60 });
  });

  test('a tensor that is a view of a larger array is saved alone', async () => {
    const all = Float32Array.from([1, 2, 3, 4, 5]);
    const file = await fileOf(...encodeSafetensors(new Map([['middle', float32([2], all.subarray(1, 3))]])));
    expect((await readSafetensors(file)).tensors.get('middle')?.data).toEqual(Float32Array.of(2, 3));
  });

  test('values begin at a multiple of 8 bytes, as the format asks', async () => {
    for (const name of ['a', 'ab', 'abc', 'abcd', 'éclair']) {
      const [header] = encodeSafetensors(new Map([[name, float32([1])]]));
      expect((header?.length ?? 1) % 8).toBe(0);
    }
  });

  test('no tensor can be called __metadata__', () => {
    expect(() => encodeSafetensors(new Map([['__metadata__', float32([1])]]))).toThrow(TypeError);
  });
});

describe('files of other programs', () => {
  test('of Python with F32, F64, F16 and I32, a scalar and an empty tensor', async () => {
    const { tensors: read, metadata } = await readSafetensors(await fileOf(Buffer.from(fromPython, 'base64')));
    expect(metadata).toEqual(new Map([['made by', 'safetensors 0.8.0']]));
    expect(read.get('weights')).toEqual(float32([2, 3], Float32Array.from([0, 1, 2, 3, 4, 5], i => i / 3)));
    expect(read.get('steps')).toEqual(int32([2], Int32Array.of(-(2 ** 31), 7)));
    expect(read.get('scalar')).toEqual(float32([], Float32Array.of(2.5)));
    expect(read.get('empty')).toEqual(float32([0, 4]));
    expect(read.get('double')).toEqual(float32([3], Float32Array.of(0.1, Infinity, -0)));
    // numpy's own conversion of 0000 8000 0001 03ff 0400 3c00 3555 7bff fbff 7c00 fc00 7e00
    expect([...(read.get('half')?.data ?? [])]).toEqual(
      [0, -0, 5.960464477539063e-8, 6.097555160522461e-5, 6.103515625e-5, 1, 0.333251953125, 65504, -65504, Infinity, -Infinity, NaN],
    );
  });

  test('with BF16', async () => {
    const { tensors: read } = await readSafetensors(await fileOf(Buffer.from(brainFloats, 'base64')));
    expect(read.get('w')).toEqual(float32([4], Float32Array.of(1, -3.140625, 2 ** -133, Infinity)));
  });
});

test('a selection of tensors is read without the rest', async () => {
  const chunks = encodeSafetensors(new Map([['large', float32([1 << 20])], ['small', float32([2], Float32Array.of(3, 4))]]));
  const file = await fileOf(...chunks);
  const handle = await open(file);
  const read = vi.spyOn(Object.getPrototypeOf(handle) as typeof handle, 'read');
  await handle.close();
  const { tensors: selected } = await readSafetensors(file, name => name === 'small');
  expect([...selected]).toEqual([['small', float32([2], Float32Array.of(3, 4))]]);
  const asked = read.mock.calls.map(([into]) => (ArrayBuffer.isView(into) ? into.byteLength : NaN));
  expect(asked).toEqual([8, (chunks[0]?.length ?? 0) - 8, 8]);
  read.mockRestore();
});

describe('hostile files are refused with one sentence', () => {
  const entry = (begin: number, end: number, more: object = {}) => ({ dtype: 'F32', shape: [(end - begin) / 4], data_offsets: [begin, end], ...more });

  test.each<readonly [string, unknown, number, string]>([
    ['an unknown type', { a: entry(0, 4, { dtype: 'F31' }) }, 4, 'FILE: tensor "a" has the type "F31"; those that can be read are F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL.'],
    ['a type that is a property of every object', { a: entry(0, 4, { dtype: 'constructor' }) }, 4, 'FILE: tensor "a" has the type "constructor"; those that can be read are F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL.'],
    ['a size that does not match', { a: entry(0, 8, { shape: [3] }) }, 8, 'FILE: tensor "a" is F32 [3], which takes 12 bytes, and has 8.'],
    ['an overlap', { a: entry(0, 8), b: entry(4, 12) }, 12, 'FILE: tensors "a" and "b" overlap.'],
    ['two tensors in one place', { a: entry(0, 8), b: entry(0, 8) }, 8, 'FILE: tensors "a" and "b" overlap.'],
    ['a hole', { a: entry(0, 4), b: entry(8, 12) }, 12, 'FILE: 4 bytes before tensor "b" belong to no tensor.'],
    ['a hole at the beginning', { a: entry(4, 8) }, 8, 'FILE: 4 bytes before tensor "a" belong to no tensor.'],
    ['bytes at the end', { a: entry(0, 4) }, 6, 'FILE: 2 bytes after the last tensor, "a", belong to no tensor.'],
    ['bytes and no tensor', {}, 6, 'FILE: 6 bytes after the header belong to no tensor.'],
    ['offsets in the wrong order', { a: entry(8, 4, { shape: [1] }) }, 8, 'FILE: tensor "a" ends at byte 4, before it begins at 8.'],
    ['offsets past the end', { a: entry(0, 4), b: entry(4, 40) }, 8, 'FILE is cut short: tensor "b" ends at byte 40 of the data, of which there are 8.'],
    ['offsets that no number counts exactly', { a: entry(0, 2 ** 60, { shape: [1] }) }, 8, 'FILE: tensor "a" is described wrongly ("data_offsets.1"): Invalid safe integer: Received 1152921504606847000.'],
    ['a negative offset', { a: entry(-4, 0) }, 0, 'FILE: tensor "a" is described wrongly ("data_offsets.0"): Invalid value: Expected >=0 but received -4.'],
    ['a fractional dimension', { a: entry(0, 4, { shape: [0.5] }) }, 4, 'FILE: tensor "a" is described wrongly ("shape.0"): Invalid safe integer: Received 0.5.'],
    ['a shape whose size overflows', { a: entry(0, 0, { shape: [2 ** 40, 2 ** 40, 0] }) }, 0, 'FILE: tensor "a" has the shape [1099511627776, 1099511627776, 0], larger than any file.'],
    ['hundreds of dimensions', { a: entry(0, 4, { shape: new Array(200).fill(1) }) }, 4, 'FILE: tensor "a" is described wrongly ("shape"): Invalid length: Expected <=32 but received 200.'],
    ['no shape', { a: { dtype: 'F32', data_offsets: [0, 4] } }, 4, 'FILE: tensor "a" is described wrongly ("shape"): Invalid key: Expected "shape" but received undefined.'],
    ['a tensor that is a number', { a: 3 }, 0, 'FILE: tensor "a" is described wrongly: Invalid type: Expected Object but received 3.'],
    ['an unknown field', { a: entry(0, 4, { stride: [1] }) }, 4, 'FILE: tensor "a" is described wrongly ("stride"): Invalid key: Expected never but received "stride".'],
    ['a tensor twice', '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', 8, 'FILE: the header has "a" twice.'],
    ['a tensor twice, once in disguise', '{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}, "\\u0061" : {"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', 8, 'FILE: the header has "a" twice.'],
    ['a field twice', '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"shape":[2]}}', 8, 'FILE: the header has "shape" twice.'],
    ['metadata twice', '{"__metadata__":{},"__metadata__":{"a":"b"}}', 0, 'FILE: the header has "__metadata__" twice.'],
    ['metadata that is not text', { __metadata__: { step: 3 } }, 0, 'FILE: __metadata__ does not map names to texts.'],
    ['metadata that is a text', { __metadata__: 'text' }, 0, 'FILE: __metadata__ does not map names to texts.'],
    ['a header that is a list', [], 0, 'FILE is not a safetensors file: its header is not a JSON object.'],
    ['a header that is not JSON', '{"a":', 0, 'FILE is not a safetensors file: its header is not JSON.'],
    ['a header with a byte order mark', '\uFEFF{}', 0, 'FILE is not a safetensors file: its header is not JSON.'],
    ['a header nested without end', '['.repeat(1_000_000), 0, 'FILE is not a safetensors file: its header is nested more than 3 levels.'],
    ['a name with control characters', { 'a\u001b[31m\n': 3 }, 0, 'FILE: tensor "a\\u001b[31m\\n" is described wrongly: Invalid type: Expected Object but received 3.'],
  ])('%s', async (_, header, dataSize, message) => {
    expect(await refusalOf(await fileWith(header, dataSize))).toBe(message);
  });

  test('names that mean something to objects do nothing', async () => {
    const header = '{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"toString":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"__metadata__":{"__proto__":"x"}}';
    const { tensors: read, metadata } = await readSafetensors(await fileWith(header, 8));
    expect([...read.keys()]).toEqual(['__proto__', 'toString']);
    expect([...metadata]).toEqual([['__proto__', 'x']]);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  test('a header that is not UTF-8', async () => {
    const file = await fileOf(Buffer.from([3, 0, 0, 0, 0, 0, 0, 0]), Buffer.from([0x7b, 0xff, 0x7d]));
    expect(await refusalOf(file)).toBe('FILE is not a safetensors file: its header is not JSON.');
  });

  test('a header larger than any real one, whether or not it is there', async () => {
    expect(await refusalOf(await fileOf(Buffer.from('PK\u0003\u0004 some archive'))))
      .toMatch(/^FILE is not a safetensors file: it would have a header of \d+ bytes, where 25000000 are the most\.$/);
  });

  test('a tensor of zeros that takes no disk but more than the memory', async () => {
    const size = 2 ** 43;
    const file = await fileWith({ a: { dtype: 'F32', shape: [size / 4], data_offsets: [0, size] } }, 0);
    // Where the disk does not take files of this length, what is left to see is that it is cut short.
    const isGrown = await truncate(file, (await stat(file)).size + size).then(() => true, () => false);
    expect(await refusalOf(file)).toMatch(isGrown ? `FILE: ${size} bytes are wanted at once, more than there is memory for.` : 'cut short');
  });

  test('a file cut anywhere', async () => {
    const whole = Buffer.concat(encodeSafetensors(new Map<string, SavedTensor>([['a', float32([3])], ['b', int32([2])]])));
    for (let length = 0; length < whole.length; length++) {
      expect(await refusalOf(await fileOf(whole.subarray(0, length)))).toMatch(/^FILE is cut short/);
    }
  });

  test('any bytes at all', async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async bytes => {
      const error: unknown = await readSafetensors(await fileOf(bytes)).then(() => undefined, (thrown: unknown) => thrown);
      if (error !== undefined) expect(error).toBeInstanceOf(UserError);
    }), { numRuns: 200 });
  });

  test('any header with one value changed is read or refused, and never reads outside of the file', async () => {
    const odd = fc.constantFrom(-1, 0, 1, 3, 4, 8, 12, 2 ** 31, 2 ** 53, 1e308, null, 'F16', 'I32', [], {}, [0, 4], [4, 0]);
    const field = fc.constantFrom('dtype', 'shape', 'data_offsets');
    await fc.assert(fc.asyncProperty(fc.constantFrom('a', 'b'), field, odd, async (name, key, value) => {
      const header = { a: entry(0, 4), b: entry(4, 12) };
      const file = await fileWith({ ...header, [name]: { ...header[name], [key]: value } }, 12);
      const error: unknown = await readSafetensors(file).then(() => undefined, (thrown: unknown) => thrown);
      if (error !== undefined) expect(error).toBeInstanceOf(UserError);
    }), { numRuns: 150 });
  });

  test('no file and no regular file', async () => {
    const folder = await temporaryFolder();
    await expect(readSafetensors(path.join(folder, 'nothing'))).rejects.toThrow(`There is no file ${path.join(folder, 'nothing')}.`);
    await expect(readSafetensors(folder)).rejects.toThrow(`${folder} is not a file.`);
  });
});
