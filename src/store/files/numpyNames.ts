import { sizeOf, type Shape } from '../../common/tensor';
import type { ElementType } from '../../protocol/checkpointFile';
import { halfToNumber } from './elements';
import { limits } from './limits';
import { PickleBytes, PickleGlobal, PickleList, PickleObject, type PickleValue } from './pickleValue';

// Numbers and arrays of NumPy, which configs, losses and states of random generators often have without anybody's knowing. Nothing else
// of NumPy is read.

type Reader = (view: DataView) => number | bigint | boolean;

interface Kind {
  readonly name: string;
  readonly read: Reader;
  /** As what its arrays are read; absent: as nothing that is there. */
  readonly element?: ElementType;
}

const kinds: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['f2', { name: 'float16', element: 'float16', read: view => halfToNumber(view.getUint16(0, true)) }],
  ['f4', { name: 'float32', element: 'float32', read: view => view.getFloat32(0, true) }],
  ['f8', { name: 'float64', element: 'float64', read: view => view.getFloat64(0, true) }],
  ['i1', { name: 'int8', element: 'int8', read: view => view.getInt8(0) }],
  ['i2', { name: 'int16', element: 'int16', read: view => view.getInt16(0, true) }],
  ['i4', { name: 'int32', element: 'int32', read: view => view.getInt32(0, true) }],
  ['i8', { name: 'int64', element: 'int64', read: view => exact(view.getBigInt64(0, true)) }],
  ['u1', { name: 'uint8', element: 'uint8', read: view => view.getUint8(0) }],
  ['u2', { name: 'uint16', read: view => view.getUint16(0, true) }],
  ['u4', { name: 'uint32', read: view => view.getUint32(0, true) }],
  ['u8', { name: 'uint64', read: view => exact(view.getBigUint64(0, true)) }],
  ['b1', { name: 'bool', element: 'bool', read: view => view.getUint8(0) !== 0 }],
]);

const dtype = 'numpy.dtype';
const arrayClass = 'numpy.ndarray';
/** In each of these modules before NumPy 2, and since. */
const named = (module: string, name: string) => [`numpy.core.${module}.${name}`, `numpy._core.${module}.${name}`];
const scalars = named('multiarray', 'scalar');
/** How protocols up to 4 begin an array, whose attributes are the rest of it; and how protocol 5 makes one. */
const [beginnings, fromBuffer] = [named('multiarray', '_reconstruct'), named('numeric', '_frombuffer')];
const names = new Set([dtype, arrayClass, ...scalars, ...beginnings, ...fromBuffer]);
const classes = new Set([...kinds.values()].map(({ name }) => `numpy.${name === 'bool' ? 'bool_' : name}`));

class NumpyType extends PickleObject {
  readonly what = 'a type of NumPy';
  constructor(readonly code: string, readonly kind: Kind) {
    super();
  }

  /** Bytes of a number. */
  get size(): number {
    return Number(this.code.slice(1));
  }
}

/** The numbers of an array, as a storage and a view of it. */
export interface ArrayContent {
  readonly kind: Kind;
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly bytes: PickleBytes;
}

export class NumpyArray extends PickleObject {
  readonly what = 'an array of NumPy without its numbers';
  /** Absent until its attributes are there. */
  content: ArrayContent | undefined;
}

/** A class of NumPy's numbers, as configs name a type: its name alone counts. */
export function isNumpyClass(name: string): boolean {
  return classes.has(name) || name === 'numpy.bool';
}

export function isNumpyName(name: string): boolean {
  return names.has(name);
}

/** What a call of such a name gives; nothing for another name, for other types than those of plain numbers, and for a call as NumPy writes none. */
export function numpyValue(name: string, args: readonly PickleValue[]): PickleValue | undefined {
  const [first, second, third, order] = args;
  if (name === dtype) {
    const kind = typeof first === 'string' ? kinds.get(first) : undefined;
    return kind && typeof first === 'string' && args.length === 3 && isFlag(second) && isFlag(third) ? new NumpyType(first, kind) : undefined;
  }
  if (beginnings.includes(name)) return args.length === 3 && first instanceof PickleGlobal && first.name === arrayClass ? new NumpyArray() : undefined;
  if (fromBuffer.includes(name)) {
    if (args.length !== 4 || (order !== 'C' && order !== 'F')) return undefined;
    const array = new NumpyArray();
    array.content = contentOf(third, second, order === 'F', first);
    return array.content && array;
  }
  if (!scalars.includes(name) || !(first instanceof NumpyType) || !(second instanceof PickleBytes) || args.length !== 2) return undefined;
  if (second.bytes.length !== first.size) return undefined;
  const { bytes } = second;
  return first.kind.read(new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
}

/** Gives a type or an array the rest of it. False for a big-endian type, or one of several parts, and for an array of what is no number. */
export function buildNumpy(object: PickleObject, state: PickleValue): boolean {
  if (!(state instanceof PickleList) || state.kind !== 'tuple') return false;
  if (object instanceof NumpyArray) {
    const [version, shape, type, isColumnMajor, bytes] = state.items;
    if (object.content || state.items.length !== 5 || version !== 1 || !isFlag(isColumnMajor)) return false;
    object.content = contentOf(shape, type, Boolean(isColumnMajor), bytes);
    return object.content !== undefined;
  }
  if (!(object instanceof NumpyType)) return false;
  const [version, order, ...rest] = state.items;
  const plain = [null, null, null, -1, -1, 0];
  return version === 3 && (order === '<' || order === '|') && rest.length === plain.length && rest.every((part, index) => part === plain[index]);
}

/** What stands for such an object where it is a value by itself: of a type its name. Nothing for another object. */
export function numpyText(object: PickleObject): string | undefined {
  if (object instanceof NumpyType) return object.kind.name;
  if (!(object instanceof NumpyArray) || !object.content || object.content.kind.element) return undefined;
  const { kind, shape } = object.content;
  return `array of ${kind.name} [${shape.join(', ')}]`;
}

/** Nothing where the bytes are not those of so many numbers. */
function contentOf(shape: PickleValue | undefined, type: PickleValue | undefined, isColumnMajor: boolean, bytes: PickleValue | undefined): ArrayContent | undefined {
  if (!(shape instanceof PickleList) || !(type instanceof NumpyType) || !(bytes instanceof PickleBytes)) return undefined;
  const sizes = shape.items.filter(isCount);
  if (sizes.length !== shape.items.length || sizes.length > limits.axes || sizeOf(sizes) * type.size !== bytes.bytes.length) return undefined;
  const { kind } = type;
  const strides = new Array<number>(sizes.length).fill(1);
  const axes = [...sizes.keys()];
  let step = 1;
  for (const axis of isColumnMajor ? axes : axes.reverse()) {
    strides[axis] = step;
    step *= sizes[axis] ?? 1;
  }
  return { kind, shape: sizes, strides, bytes };
}

function isCount(value: PickleValue): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isFlag(value: PickleValue | undefined): boolean {
  return typeof value === 'boolean' || value === 0 || value === 1;
}

function exact(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
