import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { sizeOf } from '../../../../src/common/tensor';
import { elementTypes } from '../../../../src/protocol/checkpointFile';
import { bytesInMemory } from '../../../../src/store/files/byteSource';
import { openTensorFile, openTensors } from '../../../../src/store/files/open';
import { opened, refusalOf, sentenceOf, tensorOf } from './opening';
import { call, dictionary, integer, list, long, orderedDictionary, pickle, recall, remember, joined, storage, tensor, text, tuple, isTrue } from './pickles';
import { torchFile, zip } from './zips';

const folder = path.join(import.meta.dirname, '../../../fixtures/files');

interface Expected {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: readonly (number | string)[];
}
const expected = JSON.parse(await readFile(path.join(folder, 'expected.json'), 'utf8')) as Readonly<Record<string, Readonly<Record<string, Expected>>>>;

describe('files of PyTorch hold what PyTorch reads in them', () => {
  test('there are fixtures', () => {
    expect(Object.keys(expected).length).toBeGreaterThan(8);
    expect(Object.keys(expected['types.pt'] ?? {}).sort()).toEqual([...elementTypes].sort());
  });

  test.each(Object.entries(expected))('%s: every tensor, its type, shape and elements', async (name, tensors) => {
    const file = await openTensorFile(path.join(folder, name));
    expect(new Set(file.tensors.keys())).toEqual(new Set(Object.keys(tensors)));
    for (const [key, { dtype, shape, values }] of Object.entries(tensors)) {
      expect(tensorOf(file, key), key).toEqual({ kind: 'tensor', dtype, shape });
      expect([...await file.read(tensorOf(file, key))], key).toEqual(values.map(Number));
    }
    await file.close();
  });

  test.each(['views.pt', 'types.pt', 'types.safetensors'])('%s: any range of elements is that part of all of them', async name => {
    const file = await openTensorFile(path.join(folder, name));
    for (const [key, part] of file.tensors) {
      const whole = await file.read(part);
      const size = sizeOf(part.shape);
      for (let from = 0; from <= size; from += 1 + Math.floor(size / 7)) {
        for (let count = 0; from + count <= size; count += 1 + Math.floor(size / 5)) {
          expect(await file.read(part, from, count), `${key} ${from} ${count}`).toEqual(whole.slice(from, from + count));
        }
      }
      await expect(file.read(part, 1, size)).rejects.toThrow(RangeError);
    }
    await expect(file.read({ kind: 'tensor', dtype: 'float32', shape: [1] })).rejects.toThrow(RangeError);
    await file.close();
  });

  test.each([2, 4, 5])('protocol %i: lists, tuples, numbers, texts, types, devices and shapes as plain data', async protocol => {
    const file = await openTensorFile(path.join(folder, `run-protocol-${protocol}.pt`));
    const root = file.root as ReadonlyMap<string, unknown>;
    expect(root.get('epochs')).toEqual([0, 100]);
    expect(root.get('config')).toEqual(new Map<string, unknown>([
      ['d_model', 4], ['seed', 2 ** 40], ['huge', 10n ** 30n], ['negative', -(2n ** 62n)], ['eps', 1e-5], ['act_fn', 'relu'], ['name', 'café 🤖'],
      ['attn_only', true], ['rate', -0.25], ['normalization_type', null], ['dtype', 'torch.float32'], ['device', 'cpu'], ['shape', [2]], ['betas', [0.9, 0.98]],
    ]));
    expect([...file.tensors.keys()]).toContain('optimizer.state.1.step');
    await file.close();
  });

  test.each([2, 4])('protocol %i: numbers of NumPy, counters, sets, bytes and keys of all kinds, as training leaves them', async protocol => {
    const file = await openTensorFile(path.join(folder, `training-protocol-${protocol}.pt`));
    const root = file.root as ReadonlyMap<string, unknown>;
    expect(root.get('numpy')).toEqual([
      1 / 3, Math.fround(1 / 3), 0.333251953125, -5, -300, -70_000, 2 ** 53 - 1, -(2n ** 62n), 200, 60_000, 4e9, 2n ** 63n, true, false, Infinity,
    ]);
    expect(root.get('milestones')).toEqual(new Map([[3, 1], [8, 2]]));
    expect(root.get('state')).toEqual(new Map([['a', [1]]]));
    expect(root.get('seen')).toEqual([7]);
    expect(root.get('frozen')).toEqual(['x']);
    expect(root.get('bytes')).toEqual(['3 bytes', '0 bytes', '300 bytes']);
    expect(root.get('keys')).toEqual(new Map<string, number>([['(0, \'a\')', 1], ['(1,)', 2], ['()', 3], ['True', 4], ['None', 5]]));
    expect([...file.tensors.keys()]).toEqual(['weights.w']);
    await file.close();
  });

  test.each([1, 2].flatMap(version => [2, 4, 5].map(protocol => [version, protocol] as const)))('NumPy %i, protocol %i: losses, types and states of generators, and arrays as tensors', async (version, protocol) => {
    const file = await openTensorFile(path.join(folder, `arrays-numpy-${version}-protocol-${protocol}.pt`));
    const root = file.root as ReadonlyMap<string, unknown>;
    expect(root.get('train_losses')).toEqual([1 / 3, Math.fround(1 / 3), 2]);
    expect(root.get('types')).toEqual(['float32', 'int64', 'numpy.float32', version === 1 ? 'numpy.bool_' : 'numpy.bool']);
    expect(root.get('random')).toEqual(['MT19937', 'array of uint32 [624]', 624, 0, 0]);
    expect([...file.tensors.keys()]).toEqual(['weights.w', 'history', ...['rows', 'columns', 'part', 'half', 'mask', 'byte', 'scalar', 'empty'].map(name => `arrays.${name}`)]);
    await file.close();
  });

  test('tensors that share their numbers are each read, in their own order', async () => {
    const file = await openTensorFile(path.join(folder, 'tied.pt'));
    const [embedding, unembedding] = [await file.read(tensorOf(file, 'embed.W_E')), await file.read(tensorOf(file, 'unembed.W_U'))];
    expect(unembedding[1]).toBe(embedding[4]);
    expect(tensorOf(file, 'unembed.W_U').shape).toEqual([4, 5]);
    await file.close();
  });
});

test('of a contiguous tensor only the elements that are asked for are read', async () => {
  const numbers = Float32Array.from({ length: 10_000 }, (_, i) => i);
  const bytes = torchFile(
    pickle(tensor({ elements: integer(10_000), shape: [integer(100), integer(50), integer(1)], strides: [integer(50), integer(1), integer(7)], offset: integer(1000) })),
    { 0: new Uint8Array(numbers.buffer) },
  );
  const [asked, source]: [number[], ReturnType<typeof bytesInMemory>] = [[], bytesInMemory('FILE', bytes)];
  const file = await openTensors({ ...source, read: (from, length) => (asked.push(length), source.read(from, length)) });
  asked.length = 0;
  expect(await file.read(tensorOf(file, ''), 60, 3)).toEqual(Float32Array.of(1060, 1061, 1062));
  expect(asked).toEqual([12]);
});

test('of a transposed tensor only what lies between the elements is read', async () => {
  const bytes = torchFile(
    pickle(tensor({ elements: integer(10_000), shape: [integer(50), integer(200)], strides: [integer(1), integer(50)] })),
    { 0: new Uint8Array(Float32Array.from({ length: 10_000 }, (_, i) => i).buffer) },
  );
  const [asked, source]: [number[], ReturnType<typeof bytesInMemory>] = [[], bytesInMemory('FILE', bytes)];
  const file = await openTensors({ ...source, read: (from, length) => (asked.push(length), source.read(from, length)) });
  asked.length = 0;
  expect(await file.read(tensorOf(file, ''), 200 * 3 + 10, 3)).toEqual(Float32Array.of(503, 553, 603));
  expect(asked).toEqual([4 * 101]);
});

test('a large transposed tensor is read once for its rows one after the other', async () => {
  const [rows, columns] = [700, 600];
  const bytes = torchFile(
    pickle(tensor({ elements: integer(rows * columns), shape: [integer(rows), integer(columns)], strides: [integer(1), integer(rows)] })),
    { 0: new Uint8Array(Float32Array.from({ length: rows * columns }, (_, i) => i).buffer) },
  );
  const [asked, source]: [number[], ReturnType<typeof bytesInMemory>] = [[], bytesInMemory('FILE', bytes)];
  const file = await openTensors({ ...source, read: (from, length) => (asked.push(length), source.read(from, length)) });
  asked.length = 0;
  const read = [];
  for (const row of [3, 4, 699]) read.push(await file.read(tensorOf(file, ''), row * columns, columns));
  expect(read).toEqual([3, 4, 699].map(row => Float32Array.from({ length: columns }, (_, column) => row + rows * column)));
  expect(asked).toEqual([4 * rows * columns]);
});

test('zip64 ends, as PyTorch writes them, and files from before it wrote a byte order', async () => {
  const numbers = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
  for (const wide of [true, false]) {
    const file = await opened(zip([{ name: 'archive/data.pkl', data: pickle(tensor()) }, { name: 'archive/data/0', data: numbers }], { wide }));
    expect(await file.read(tensorOf(file, ''))).toEqual(Float32Array.of(1, 2, 3, 4));
  }
});

test('NaN and infinities are read as they are', async () => {
  const numbers = new Uint8Array(Float32Array.of(NaN, Infinity, -Infinity, -0).buffer);
  const file = await opened(torchFile(pickle(tensor()), { 0: numbers }));
  expect(await file.read(tensorOf(file, ''))).toEqual(Float32Array.of(NaN, Infinity, -Infinity, -0));
});

test('an int64 that no number holds is refused when it is read', async () => {
  const file = await opened(torchFile(
    pickle(tensor({ type: 'LongStorage', elements: integer(2), shape: [integer(2)] })),
    { 0: new Uint8Array(BigInt64Array.of(3n, -(2n ** 53n) - 1n).buffer) },
  ));
  expect(await file.read(tensorOf(file, ''), 0, 1)).toEqual(Float64Array.of(3));
  expect(await sentenceOf(file.read(tensorOf(file, '')))).toBe('FILE has the integer -9007199254740993, and those beyond 2⁵³ cannot be read exactly.');
});

describe('tensors that are not what they say', () => {
  const huge = long(2n ** 40n);
  test.each<readonly [string, Parameters<typeof tensor>[0], string]>([
    ['an offset past the end', { offset: integer(1) }, 'FILE: a tensor of storage "0", of shape [4], reaches element 4 of that storage, which has 4.'],
    ['a stride past the end', { strides: [integer(2)] }, 'FILE: a tensor of storage "0", of shape [4], reaches element 6 of that storage, which has 4.'],
    ['a shape past the end', { shape: [integer(2), integer(3)], strides: [integer(3), integer(1)] }, 'FILE: a tensor of storage "0", of shape [2, 3], reaches element 5 of that storage, which has 4.'],
    ['an empty tensor past the end', { shape: [integer(0)], offset: integer(5) }, 'FILE: a tensor of storage "0", of shape [0], reaches element 5 of that storage, which has 4.'],
    ['a negative offset', { offset: integer(-1) }, 'FILE describes a tensor in a way that torch.save never does.'],
    ['a negative stride', { strides: [integer(-1)], offset: integer(3) }, 'FILE describes a tensor in a way that torch.save never does.'],
    ['a negative dimension', { shape: [integer(-4)] }, 'FILE describes a tensor in a way that torch.save never does.'],
    ['an offset that no number counts exactly', { offset: long(2n ** 62n) }, 'FILE describes a tensor in a way that torch.save never does.'],
    ['fewer strides than axes', { strides: [] }, 'FILE describes a tensor in a way that torch.save never does.'],
    ['a shape whose product overflows', { shape: [huge, huge], strides: [integer(0), integer(0)] }, 'FILE: a tensor of storage "0", of shape [1099511627776, 1099511627776], is larger than any file.'],
    ['a place whose sum overflows', { shape: [integer(3)], strides: [long(2n ** 52n)] }, 'FILE: a tensor of storage "0", of shape [3], is larger than any file.'],
    ['40 axes', { shape: new Array(40).fill(integer(1)), strides: new Array(40).fill(integer(1)) }, 'FILE has a tensor of 40 axes, where 32 are the most.'],
    ['a storage larger than its record', { elements: integer(5) }, 'FILE: the record "model/data/0" has 16 bytes, where 5 elements of float32 take 20.'],
    ['a storage smaller than its record', { elements: integer(3), shape: [integer(3)] }, 'FILE: the record "model/data/0" has 16 bytes, where 3 elements of float32 take 12.'],
    ['a storage that is not there', { key: '7' }, 'FILE is damaged: it has no record "model/data/7".'],
    ['a storage that is another record', { key: '../byteorder' }, 'FILE is damaged: it has no record "model/data/../byteorder".'],
    ['numbers of a type that is unknown', { type: 'ComplexFloatStorage' }, 'FILE has tensors in a torch.ComplexFloatStorage; those that can be read are float64, float32, float16, bfloat16, int64, int32, int16, int8, uint8, bool.'],
  ])('%s', async (_, parts, sentence) => {
    expect(await refusalOf(torchFile(pickle(dictionary([text('w'), tensor(parts)]))))).toBe(sentence);
  });

  test('one storage as two types, or as two sizes', async () => {
    const floats = tensor();
    const integers = tensor({ type: 'IntStorage' });
    expect(await refusalOf(torchFile(pickle(list(floats, integers)))))
      .toBe('FILE has the storage "0" twice, once with 4 elements of float32 and once with 4 of int32.');
    expect(await refusalOf(torchFile(pickle(list(floats, tensor({ elements: integer(2), shape: [integer(2)] }))))))
      .toBe('FILE has the storage "0" twice, once with 4 elements of float32 and once with 2 of float32.');
  });

  test('a few bytes that claim a trillion numbers', async () => {
    const claim = tensor({ shape: [long(10n ** 12n)], strides: [integer(0)] });
    expect(await refusalOf(torchFile(pickle(dictionary([text('w'), claim])))))
      .toMatch(/^FILE has \d+ bytes, and its tensors up to "w" would have 4000000000000, more than real ones share\.$/);
  });

  test('many that claim a little each, all together', async () => {
    const part = joined(tensor({ shape: [integer(2 ** 20)], strides: [integer(0)] }), remember(1));
    const again = Array.from({ length: 63 }, () => recall(1));
    expect(await refusalOf(torchFile(pickle(list(part, ...again))))).toMatch(/more than real ones share\.$/);
  });

  test('a storage without a tensor, and what is no value', async () => {
    expect(await refusalOf(torchFile(pickle(storage())))).toBe('FILE holds a storage without a tensor, which cannot be read.');
    expect(await refusalOf(torchFile(pickle(list(joined([0x63], Buffer.from('collections\nOrderedDict\n')))))))
      .toBe('FILE holds collections.OrderedDict itself, which is no value.');
  });

  test('the conjugate of what is stored', async () => {
    const flags = dictionary([text('conj'), isTrue]);
    const part = call('torch._utils', '_rebuild_tensor_v2', storage(), integer(0), tuple(integer(4)), tuple(integer(1)), isTrue, orderedDictionary, flags);
    expect(await refusalOf(torchFile(pickle(part)))).toMatch(/negative or the conjugate/);
  });

  test('a type that has no storage of its own', async () => {
    const bytes = joined(tuple(text('storage'), joined([0x63], Buffer.from('torch.storage\nUntypedStorage\n')), text('0'), text('cpu'), integer(16)), [0x51]);
    const type = joined([0x63], Buffer.from('torch\nfloat8_e4m3fn\n'));
    const part = call('torch._utils', '_rebuild_tensor_v3', bytes, integer(0), tuple(integer(4)), tuple(integer(1)), isTrue, orderedDictionary, type);
    expect(await refusalOf(torchFile(pickle(part)))).toMatch(/^FILE has a tensor of the type "torch.float8_e4m3fn"; those that can be read are /);
  });

  test('two tensors with one path', async () => {
    expect(await refusalOf(torchFile(pickle(dictionary([text('a'), dictionary([text('b'), tensor()])], [text('a.b'), tensor()])))))
      .toBe('FILE has two tensors at "a.b", one of them by a key with a dot in it.');
  });
});

describe('zips that torch.save did not write', () => {
  const record = { name: 'm/data.pkl', data: pickle(tensor()) };
  test.each<readonly [string, Parameters<typeof zip>[0], string]>([
    ['without a pickle', [{ name: 'word/document.xml', data: new Uint8Array(3) }], 'FILE is a zip file that torch.save did not write: it has no data.pkl; save its tensors with torch.save or as safetensors.'],
    ['of NumPy', [{ name: 'w.npy', data: new Uint8Array(3) }], 'FILE is a NumPy archive (.npz): it has no data.pkl; save its tensors with torch.save or as safetensors.'],
    ['of TorchScript', [record, { name: 'm/constants.pkl', data: new Uint8Array(3) }, { name: 'm/code/a.py', data: new Uint8Array(3) }], 'FILE is a TorchScript program, which cannot be opened; load it with torch.jit.load and save its state_dict() with torch.save.'],
    ['with two pickles', [record, { name: 'n/data.pkl', data: pickle() }], 'FILE has 2 records data.pkl, where torch.save writes one.'],
    ['big-endian', [record, { name: 'm/byteorder', data: Buffer.from('big') }], 'FILE was saved on a big-endian machine, which cannot be read; load it in Python and save it again as safetensors.'],
    ['of no known byte order', [record, { name: 'm/byteorder', data: Buffer.from('middle') }], 'FILE is damaged: its byte order is neither little nor big.'],
  ])('%s', async (_, parts, sentence) => {
    expect(await refusalOf(zip(parts))).toBe(sentence);
  });
});
