// Pickles, one instruction after the other: those that no Python would write, too.

export type Part = readonly number[] | Uint8Array;

/** A pickle of protocol 2 with these instructions. */
export function pickle(...parts: readonly Part[]): Uint8Array {
  return joined([0x80, 2], ...parts, [0x2e]);
}

export function joined(...parts: readonly Part[]): Uint8Array {
  return Buffer.concat(parts.map(part => Uint8Array.from(part)));
}

export const mark: Part = [0x28];
export const none: Part = [0x4e];
export const isTrue: Part = [0x88];
export const isFalse: Part = [0x89];
export const emptyTuple: Part = [0x29];
export const tupleOf1: Part = [0x85];
export const tupleOf2: Part = [0x86];
export const tupleToMark: Part = [0x74];
export const emptyList: Part = [0x5d];
export const append: Part = [0x61];
export const appends: Part = [0x65];
export const emptyDictionary: Part = [0x7d];
export const setItem: Part = [0x73];
export const setItems: Part = [0x75];
export const reduce: Part = [0x52];
export const build: Part = [0x62];
export const outside: Part = [0x51];
export const stackGlobal: Part = [0x93];

export function integer(value: number): Part {
  const bytes = Buffer.alloc(5, 0x4a);
  bytes.writeInt32LE(value, 1);
  return bytes;
}

/** LONG1 of 8 bytes. */
export function long(value: bigint): Part {
  const bytes = Buffer.alloc(10);
  bytes.set([0x8a, 8]);
  bytes.writeBigInt64LE(value, 2);
  return bytes;
}

export function text(value: string): Part {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return joined([0x58], length, bytes);
}

export function global(module: string, name: string): Part {
  return joined([0x63], Buffer.from(`${module}\n${name}\n`));
}

export function remember(place: number): Part {
  const bytes = Buffer.alloc(5, 0x72);
  bytes.writeUInt32LE(place, 1);
  return bytes;
}

export function recall(place: number): Part {
  const bytes = Buffer.alloc(5, 0x6a);
  bytes.writeUInt32LE(place, 1);
  return bytes;
}

export function tuple(...items: readonly Part[]): Part {
  return joined(mark, ...items, tupleToMark);
}

export function list(...items: readonly Part[]): Part {
  return joined(emptyList, mark, ...items, appends);
}

export function dictionary(...pairs: readonly (readonly [key: Part, value: Part])[]): Part {
  return joined(emptyDictionary, mark, ...pairs.flat(), setItems);
}

export function call(module: string, name: string, ...args: readonly Part[]): Part {
  return joined(global(module, name), tuple(...args), reduce);
}

export const orderedDictionary = call('collections', 'OrderedDict');

export interface TensorParts {
  readonly type: string;
  readonly key: string;
  readonly elements: Part;
  readonly offset: Part;
  readonly shape: readonly Part[];
  readonly strides: readonly Part[];
}

export function storage({ type = 'FloatStorage', key = '0', elements = integer(4) }: Partial<TensorParts> = {}): Part {
  return joined(tuple(text('storage'), global('torch', type), text(key), text('cpu'), elements), outside);
}

/** As torch.save writes a tensor: of four numbers, unless said otherwise. */
export function tensor(parts: Partial<TensorParts> = {}): Part {
  const { offset = integer(0), shape = [integer(4)], strides = [integer(1)] } = parts;
  return call('torch._utils', '_rebuild_tensor_v2', storage(parts), offset, tuple(...shape), tuple(...strides), isFalse, orderedDictionary);
}
