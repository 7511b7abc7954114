import { halfToNumber } from './elements';
import { PickleBytes, PickleList, PickleObject, type PickleValue } from './pickleValue';

// A single number of NumPy, which configs and losses often have without anybody's knowing. Nothing else of NumPy is read.

type Reader = (view: DataView) => number | bigint | boolean;

const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['f2', view => halfToNumber(view.getUint16(0, true))], ['f4', view => view.getFloat32(0, true)], ['f8', view => view.getFloat64(0, true)],
  ['i1', view => view.getInt8(0)], ['i2', view => view.getInt16(0, true)], ['i4', view => view.getInt32(0, true)], ['i8', view => exact(view.getBigInt64(0, true))],
  ['u1', view => view.getUint8(0)], ['u2', view => view.getUint16(0, true)], ['u4', view => view.getUint32(0, true)], ['u8', view => exact(view.getBigUint64(0, true))],
  ['b1', view => view.getUint8(0) !== 0],
]);

const dtype = 'numpy.dtype';
/** By its name before NumPy 2, and since. */
const scalars = ['numpy.core.multiarray.scalar', 'numpy._core.multiarray.scalar'];

class NumpyType extends PickleObject {
  readonly what = 'a type of NumPy';
  constructor(readonly code: string, readonly read: Reader) {
    super();
  }
}

export function isNumpyName(name: string): boolean {
  return name === dtype || scalars.includes(name);
}

/** What a call of such a name gives; nothing for another name, for other types than those of plain numbers, and for a call as NumPy writes none. */
export function numpyValue(name: string, args: readonly PickleValue[]): PickleValue | undefined {
  const [first, second, third] = args;
  if (name === dtype) {
    const read = typeof first === 'string' ? readers.get(first) : undefined;
    return read && typeof first === 'string' && args.length === 3 && isFlag(second) && isFlag(third) ? new NumpyType(first, read) : undefined;
  }
  if (!scalars.includes(name) || !(first instanceof NumpyType) || !(second instanceof PickleBytes) || args.length !== 2) return undefined;
  const { bytes } = second;
  if (bytes.length !== Number(first.code.slice(1))) return undefined;
  return first.read(new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
}

/** The rest of a type: version, byte order, and what only types of several parts have. A big-endian one is none that is read. */
export function buildNumpyType(object: PickleObject, state: PickleValue): boolean {
  if (!(object instanceof NumpyType) || !(state instanceof PickleList) || state.kind !== 'tuple') return false;
  const [version, order, ...rest] = state.items;
  const plain = [null, null, null, -1, -1, 0];
  return version === 3 && (order === '<' || order === '|') && rest.length === plain.length && rest.every((part, index) => part === plain[index]);
}

function isFlag(value: PickleValue | undefined): boolean {
  return typeof value === 'boolean' || value === 0 || value === 1;
}

function exact(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
