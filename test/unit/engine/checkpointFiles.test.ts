import { open, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/common/errors';
import { float32, int32 } from '../../../src/common/tensor';
import { CheckpointFiles } from '../../../src/engine/checkpointFiles';
import type { SliceRequest } from '../../../src/protocol/checkpointFile';
import { openTensorFile } from '../../../src/store/files/open';
import type { TensorFile } from '../../../src/store/files/tensorFile';
import { encodeSafetensors, type SavedTensor } from '../../../src/store/safetensors';
import { recogniseFile } from '../../../src/store/states/import';
import { temporaryFolder } from '../store/folders';

/** Files whose opening, reading and closing is written down. */
function watched(open: (file: string) => Promise<TensorFile> = openTensorFile) {
  const log: string[] = [];
  const files = new CheckpointFiles({
    recognise: recogniseFile,
    async open(file) {
      log.push(`open ${path.basename(file)}`);
      const opened = await open(file);
      return {
        ...opened,
        read(tensor, from, count) {
          log.push(`read ${count ?? 'all'}`);
          return opened.read(tensor, from, count);
        },
        close() {
          log.push(`close ${path.basename(file)}`);
          return opened.close();
        },
      };
    },
  });
  return { files, log };
}

async function saved(tensors: Readonly<Record<string, SavedTensor>>, name = 'model.safetensors', metadata: Readonly<Record<string, string>> = {}): Promise<string> {
  const file = path.join(await temporaryFolder(), name);
  await writeFile(file, Buffer.concat(encodeSafetensors(new Map(Object.entries(tensors)), new Map(Object.entries(metadata)))));
  return file;
}

/** 0, 1, 2, …, in this shape. */
function counting(...shape: number[]): SavedTensor {
  const tensor = int32(shape);
  tensor.data.forEach((_, at) => { tensor.data[at] = at; });
  return tensor as SavedTensor;
}

const numbers = (...values: number[]) => float32([values.length], Float32Array.from(values)) as SavedTensor;
const slice = (over: Partial<SliceRequest> & Pick<SliceRequest, 'file' | 'tensor'>): SliceRequest => ({
  index: [], rows: { from: 0, count: 1 }, columns: { from: 0, count: 1 }, ...over,
});

describe('a file of weights', () => {
  test('is described by what it holds, without any of its numbers', async () => {
    const { files, log } = watched();
    const file = await saved({ 'embed.W_E': counting(5, 3), bias: numbers(1) }, 'small.safetensors', { format: 'pt' });
    const found = await files.describe(file);
    expect(found).toMatchObject({
      path: file, format: 'safetensors', metadata: [['format', 'pt']],
      tensors: [{ name: 'embed.W_E', dtype: 'int32', shape: [5, 3] }, { name: 'bias', dtype: 'float32', shape: [1] }],
    });
    // That it can be looked at goes without saying where it is.
    expect(found.recognised).toEqual({ problem: expect.stringMatching(/unembed\.W_U|state dict.*\.$/) });
    expect(JSON.stringify(found)).not.toContain('can still be looked at');
    expect(log).toEqual(['open small.safetensors']);
    files.dispose();
  });

  test('of many gigabytes is opened by its header alone', async () => {
    const header = Buffer.from('{"huge":{"dtype":"F32","shape":[2000000,1000],"data_offsets":[0,8000000000]}}');
    const file = path.join(await temporaryFolder(), 'huge.safetensors');
    const handle = await open(file, 'w');
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    await handle.write(Buffer.concat([length, header]));
    await handle.close();
    await truncate(file, 8 + header.length + 8e9);
    const { files, log } = watched();
    expect(await files.describe(file)).toMatchObject({ size: 8 + header.length + 8e9, tensors: [{ name: 'huge', shape: [2_000_000, 1000] }] });
    expect(log).toEqual(['open huge.safetensors']);
    // The last rows, without those before.
    const last = await files.slice(slice({ file, tensor: 'huge', rows: { from: 1_999_990, count: 10 }, columns: { from: 990, count: 10 } }));
    expect([...last.values]).toEqual(new Array(100).fill(0));
    expect(log).toEqual(['open huge.safetensors', 'read 9010']);
    files.dispose();
  });

  test('stays open from one question to the next, and is opened anew once it has changed', async () => {
    const { files, log } = watched();
    const file = await saved({ a: numbers(1, 2) });
    await files.describe(file);
    expect(await files.statistics(file, 'a')).toMatchObject({ maximum: 2 });
    await writeFile(file, Buffer.concat(encodeSafetensors(new Map([['a', numbers(1, 2, 3)]]))));
    expect(await files.statistics(file, 'a')).toMatchObject({ maximum: 3, elements: 3 });
    expect(log.filter(line => line.startsWith('open'))).toHaveLength(2);
    expect(log.filter(line => line.startsWith('close'))).toHaveLength(1);
    files.dispose();
    await expect.poll(() => log.filter(line => line.startsWith('close'))).toHaveLength(2);
  });

  test('is closed when others are looked at, but not while it is being read', async () => {
    let go: () => void = () => undefined;
    const held = new Promise<void>(resolve => { go = resolve; });
    const { files, log } = watched(async file => {
      const opened = await openTensorFile(file);
      if (!file.endsWith('0.safetensors')) return opened;
      return { ...opened, read: async (...asked: Parameters<TensorFile['read']>) => { await held; return opened.read(...asked); } };
    });
    const all = await Promise.all(Array.from({ length: 6 }, (_, at) => saved({ a: numbers(at) }, `${at}.safetensors`)));
    const slow = files.statistics(all[0] ?? '', 'a');
    for (const file of all.slice(1)) await files.describe(file);
    expect(log.filter(line => line.startsWith('close'))).toEqual(['close 1.safetensors']);
    go();
    expect(await slow).toMatchObject({ maximum: 0 });
    await expect.poll(() => log.filter(line => line.startsWith('close'))).toEqual(['close 1.safetensors', 'close 0.safetensors']);
    files.dispose();
    await expect.poll(() => log.filter(line => line.startsWith('close'))).toHaveLength(6);
  });

  test('is opened once for all who ask at the same time, and tried again after it could not be', async () => {
    let whole = false;
    const file = await saved({ a: numbers(1) });
    const { files, log } = watched(async asked => {
      if (!whole) throw new UserError('It is cut short.');
      return openTensorFile(asked);
    });
    const refused = await Promise.allSettled([files.describe(file), files.statistics(file, 'a'), files.describe(file)]);
    expect(refused.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    whole = true;
    log.length = 0;
    const answers = await Promise.all([files.describe(file), files.describe(file), files.statistics(file, 'a')]);
    expect(answers[2]).toMatchObject({ maximum: 1 });
    expect(log.filter(line => line.startsWith('open'))).toHaveLength(1);
    files.dispose();
  });

  test('that is not there, is cut short, or has no such tensor is answered in a sentence', async () => {
    const { files } = watched();
    const file = await saved({ 'embed.W_E': counting(5, 3) });
    await expect(files.describe(`${file}.gone`)).rejects.toThrow(`There is no file ${file}.gone.`);
    await expect(files.describe('model.safetensors')).rejects.toThrow('"model.safetensors" is no absolute path.');
    await expect(files.statistics(file, 'embed.W_e')).rejects.toThrow('There is no tensor "embed.W_e"; the nearest is "embed.W_E".');
    await truncate(file, 100);
    await expect(files.describe(file)).rejects.toBeInstanceOf(UserError);
    files.dispose();
  });
});

describe('a slice of a tensor', () => {
  test('is its last two axes at an index of each before, as far as it was asked for', async () => {
    const { files } = watched();
    const file = await saved({ t: counting(2, 3, 4, 5) });
    const found = await files.slice(slice({ file, tensor: 't', index: [1, 2], rows: { from: 1, count: 2 }, columns: { from: 3, count: 2 } }));
    // ((1 · 3 + 2) · 4 + row) · 5 + column.
    expect(found).toEqual({ rows: 2, columns: 2, values: Float32Array.of(108, 109, 113, 114), precise: Float64Array.of(108, 109, 113, 114), notFinite: [] });
    files.dispose();
  });

  test('is where row-major order has it, of any tensor and wherever it is asked for', async () => {
    const { files } = watched();
    const dimension = fc.integer({ min: 1, max: 6 });
    await fc.assert(fc.asyncProperty(fc.array(dimension, { maxLength: 4 }), fc.infiniteStream(fc.nat()), async (shape, random) => {
      const file = await saved({ t: counting(...shape) });
      const next = (below: number) => (random.next().value ?? 0) % below;
      const [height, width] = shape.length < 2 ? [1, shape[0] ?? 1] : [shape.at(-2) ?? 1, shape.at(-1) ?? 1];
      const range = (size: number) => { const from = next(size); return { from, count: 1 + next(size - from) }; };
      const asked = { index: shape.slice(0, -2).map(next), rows: range(height), columns: range(width) };
      const found = await files.slice({ file, tensor: 't', ...asked });
      const at = (row: number, column: number) => [...asked.index, ...(shape.length < 2 ? [] : [row]), ...(shape.length < 1 ? [] : [column])]
        .reduce((offset, index, axis) => offset + index * shape.slice(axis + 1).reduce((product, size) => product * size, 1), 0);
      const expected = Array.from({ length: asked.rows.count * asked.columns.count }, (_, i) =>
        at(asked.rows.from + Math.floor(i / asked.columns.count), asked.columns.from + i % asked.columns.count));
      expect([...found.values]).toEqual(expected);
    }), { numRuns: 60, seed: 8 });
    files.dispose();
  });

  test('of a wide tensor is read row by row', async () => {
    const { files, log } = watched();
    const file = await saved({ t: counting(3, 20_000) });
    const found = await files.slice(slice({ file, tensor: 't', rows: { from: 1, count: 2 }, columns: { from: 7, count: 2 } }));
    expect([...found.values]).toEqual([20_007, 20_008, 40_007, 40_008]);
    expect(log).toEqual(['open model.safetensors', 'read 2', 'read 2']);
    files.dispose();
  });

  test('says where there is no number, and what there is', async () => {
    const { files } = watched();
    const file = await saved({ t: numbers(1, Number.NaN, -2, Infinity, -Infinity) });
    const found = await files.slice(slice({ file, tensor: 't', columns: { from: 1, count: 4 } }));
    expect(found).toEqual({
      rows: 1, columns: 4, values: Float32Array.of(0, -2, 0, 0), notFinite: [{ at: 0, value: 'NaN' }, { at: 2, value: 'Infinity' }, { at: 3, value: '-Infinity' }],
    });
    files.dispose();
  });

  /** Three numbers of eight bytes each. */
  async function savedLong(dtype: 'F64' | 'I64', numbers: Float64Array | BigInt64Array): Promise<string> {
    const file = path.join(await temporaryFolder(), 'long.safetensors');
    const header = Buffer.from(`{"t":{"dtype":"${dtype}","shape":[3],"data_offsets":[0,24]}}`);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    await writeFile(file, Buffer.concat([length, header, Buffer.from(numbers.buffer)]));
    return file;
  }

  test('of numbers that no float32 can be is as large as one can be, and what they are', async () => {
    const file = await savedLong('F64', Float64Array.of(1e300, -1e300, 0.1));
    const { files } = watched();
    const found = await files.slice(slice({ file, tensor: 't', columns: { from: 0, count: 3 } }));
    expect([...found.values]).toEqual([3.4028234663852886e38, -3.4028234663852886e38, Math.fround(0.1)]);
    expect(found.precise).toEqual(Float64Array.of(1e300, -1e300, 0.1));
    expect(found.notFinite).toEqual([]);
    files.dispose();
  });

  test('of integers has every digit up to 2⁵³, and says where there are more', async () => {
    const { files } = watched();
    const three = { tensor: 't', columns: { from: 0, count: 3 } };
    const exact = await savedLong('I64', BigInt64Array.of(2n ** 24n + 1n, -(2n ** 53n) + 1n, 7n));
    expect((await files.slice(slice({ file: exact, ...three }))).precise).toEqual(Float64Array.of(16_777_217, -9_007_199_254_740_991, 7));
    const beyond = await savedLong('I64', BigInt64Array.of(0n, 2n ** 53n + 1n, 7n));
    await expect(files.slice(slice({ file: beyond, ...three }))).rejects.toThrow('has the integer 9007199254740993, and those beyond 2⁵³ cannot be read exactly.');
    await expect(files.statistics(beyond, 't')).rejects.toThrow('has the integer 9007199254740993');
    files.dispose();
  });

  test('that the tensor does not have is refused in a sentence', async () => {
    const { files } = watched();
    const file = await saved({ t: counting(2, 3, 4), none: counting(0, 4) });
    const refused = (over: Partial<SliceRequest>) => expect(files.slice(slice({ file, tensor: 't', index: [0], ...over }))).rejects;
    await refused({ index: [] }).toThrow('A slice of t [2, 3, 4] needs an index for each of its first 1 axes, and has 0.');
    await refused({ index: [2] }).toThrow('t [2, 3, 4] has no 2 on axis 0, where there are 0 to 1.');
    await refused({ rows: { from: 2, count: 2 } }).toThrow('t [2, 3, 4] has no rows 2 to 3, where there are 0 to 2.');
    await refused({ columns: { from: 0, count: 513 } }).toThrow('A slice has from 1 to 512 columns, not 513.');
    await refused({ tensor: 'none', index: [] }).toThrow('none [0, 4] is empty: there is nothing to show of it.');
    files.dispose();
  });
});
