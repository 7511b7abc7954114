import type { Shape } from '../../common/tensor';
import { allocate } from './byteSource';

/** Elements of a storage as a tensor sees them. Strides and offset are in elements. */
export interface Strided {
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
}

/**
 * The elements of the storage between which `count` elements of a tensor lie, those from the `first`-th on in row-major order;
 * `contiguous` when they are these very ones, in their order.
 */
export function spanOf({ shape, strides, offset }: Strided, first: number, count: number): { readonly from: number; readonly to: number; readonly contiguous: boolean } {
  if (count === 0) return { from: offset, to: offset, contiguous: true };
  const [start, end] = [positionOf(shape, first), positionOf(shape, first + count - 1)];
  let [from, to] = [offset, offset];
  let sameSoFar = true;
  for (const [axis, size] of shape.entries()) {
    const stride = strides[axis] ?? 0;
    const low: number = sameSoFar ? start[axis] ?? 0 : 0;
    const high: number = sameSoFar ? end[axis] ?? 0 : size - 1;
    from += low * stride;
    to += high * stride;
    sameSoFar &&= low === high;
  }
  if (!isRowMajor(shape, strides)) return { from, to: to + 1, contiguous: count === 1 };
  return { from: offset + first, to: offset + first + count, contiguous: true };
}

/**
 * Those elements of a tensor one after the other.
 * @param bytes of the elements that `strided` counts
 * @param each bytes of an element
 */
export function gather(what: string, bytes: Uint8Array<ArrayBuffer>, strided: Strided, each: number, first: number, count: number): Uint8Array<ArrayBuffer> {
  const gathered = allocate(what, count * each);
  switch (each) {
    case 1: pick(bytes, gathered, strided, first, count); break;
    case 2: pick(new Uint16Array(bytes.buffer), new Uint16Array(gathered.buffer), strided, first, count); break;
    case 4: pick(new Uint32Array(bytes.buffer), new Uint32Array(gathered.buffer), strided, first, count); break;
    default: pick(new Uint32Array(bytes.buffer), new Uint32Array(gathered.buffer), inHalves(strided), 2 * first, 2 * count);
  }
  return gathered;
}

type Words = Uint8Array | Uint16Array | Uint32Array;

function pick(from: Words, into: Words, { shape, strides, offset }: Strided, first: number, count: number): void {
  const position = positionOf(shape, first);
  let at = position.reduce((sum, index, axis) => sum + index * (strides[axis] ?? 0), offset);
  const last = shape.length - 1;
  const [rowSize, rowStride] = [shape[last] ?? 1, strides[last] ?? 0];
  for (let i = 0; i < count;) {
    const start = position[last] ?? 0;
    const run = Math.min(count - i, rowSize - start);
    for (const end = i + run; i < end; i++, at += rowStride) into[i] = from[at] ?? 0;
    // Back to the beginning of the row, and on to the next one.
    at -= (start + run) * rowStride;
    position[last] = 0;
    for (let axis = last - 1; axis >= 0; axis--) {
      const [size, stride, index] = [shape[axis] ?? 0, strides[axis] ?? 0, (position[axis] ?? 0) + 1];
      if (index < size) {
        position[axis] = index;
        at += stride;
        break;
      }
      position[axis] = 0;
      at -= stride * (size - 1);
    }
  }
}

/** Elements of 8 bytes as pairs of 4: a number of 8 bytes that is copied as a float64 may not keep its bits. */
function inHalves({ shape, strides, offset }: Strided): Strided {
  return { shape: [...shape, 2], strides: [...strides.map(stride => 2 * stride), 1], offset: 2 * offset };
}

/** The index along each axis of an element by its place in row-major order. */
function positionOf(shape: Shape, place: number): number[] {
  const position = new Array<number>(shape.length).fill(0);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1;
    position[axis] = place % size;
    place = Math.floor(place / size);
  }
  return position;
}

/** Whether each element follows the one before. */
function isRowMajor(shape: Shape, strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1;
    if (size === 1) continue;
    if (strides[axis] !== expected) return false;
    expected *= size;
  }
  return true;
}
