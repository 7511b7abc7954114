import { open, type FileHandle } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { errorCode, UserError } from '../common/errors';
import type { HostTensor, Shape } from '../common/tensor';
import {
  formatHeader, parseHeader, quoted, type FileDType, type SafetensorsHeader, type TensorEntry,
} from './safetensorsHeader';

// The safetensors format: 8 bytes with the length of the header, a header in JSON that says where each tensor is, and
// the tensors' values, row-major and little-endian. Values are taken as they lie, because every machine that this runs
// on (ONNX Runtime's binaries are for x64 and arm64) is little-endian too.

/** Headers of real models take kilobytes; a hostile one must not take the memory. */
const headerLimit = 25e6;
/** No system reads more than 2³¹ - 1 bytes in one call. */
const readLimit = 2 ** 30;

export type SavedTensor = HostTensor<'float32' | 'int32'>;

export interface Safetensors {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, SavedTensor>;
}

export interface SavedShape {
  readonly dtype: FileDType;
  readonly shape: Shape;
}

/** The content of a safetensors file, in chunks to be written one after the other; values are not copied. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, SavedTensor>,
  metadata: ReadonlyMap<string, string> = new Map(),
): readonly Uint8Array[] {
  const entries = new Map<string, TensorEntry>();
  let end = 0;
  for (const [name, { dtype, shape, data }] of tensors) {
    const begin = end;
    end += data.byteLength;
    entries.set(name, { dtype: dtype === 'float32' ? 'F32' : 'I32', shape, begin, end });
  }
  const values = [...tensors.values()].map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return [formatHeader({ metadata, entries }), ...values];
}

/**
 * Reads the tensors whose names are `wanted` (all of them, if it is not given) without reading the others. F32, F64,
 * F16 and BF16 come as float32 (F64 rounded to the nearest), I32 as int32.
 * @throws UserError when the file is not there, is cut short, or is not what it says it is.
 */
export function readSafetensors(path: string, wanted: (name: string) => boolean = () => true): Promise<Safetensors> {
  return withHeader(path, async (file, { metadata, entries }, dataStart) => {
    const tensors = new Map<string, SavedTensor>();
    for (const [name, entry] of entries) {
      if (!wanted(name)) continue;
      const bytes = allocate(path, name, entry.end - entry.begin);
      await readFully(path, file, bytes, dataStart + entry.begin);
      tensors.set(name, toTensor(entry, bytes.buffer));
    }
    return { metadata, tensors };
  });
}

/** What a safetensors file holds, without reading its values. Throws as {@link readSafetensors} does. */
export function inspectSafetensors(
  path: string,
): Promise<{ readonly metadata: ReadonlyMap<string, string>; readonly tensors: ReadonlyMap<string, SavedShape> }> {
  return withHeader(path, async (_, { metadata, entries }) => ({ metadata, tensors: entries }));
}

async function withHeader<T>(
  path: string,
  read: (file: FileHandle, header: SafetensorsHeader, dataStart: number) => Promise<T>,
): Promise<T> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw errorCode(error) === 'ENOENT' ? new UserError(`There is no file ${path}.`) : error;
  });
  try {
    const status = await file.stat();
    if (!status.isFile()) throw new UserError(`${path} is not a file.`);
    if (status.size < 8) {
      throw new UserError(`${path} is cut short: it has ${status.size} bytes, not even the length of its header.`);
    }
    const prefix = Buffer.alloc(8);
    await readFully(path, file, prefix, 0);
    const declared = prefix.readBigUInt64LE();
    if (declared > headerLimit) {
      const size = `${declared} bytes, where ${headerLimit} are the most`;
      throw new UserError(`${path} is not a safetensors file: it would have a header of ${size}.`);
    }
    const dataStart = 8 + Number(declared);
    if (dataStart > status.size) {
      throw new UserError(`${path} is cut short: its header ends at byte ${dataStart}, and it has ${status.size}.`);
    }
    const header = new Uint8Array(dataStart - 8);
    await readFully(path, file, header, 8);
    return await read(file, parseHeader(path, header, status.size - dataStart), dataStart);
  } finally {
    await file.close();
  }
}

/** A file with holes in it can be larger than any memory, and be what it says it is all the same. */
function allocate(path: string, name: string, bytes: number): Uint8Array<ArrayBuffer> {
  const tooLarge = new UserError(
    `${path}: tensor ${quoted(name)} takes ${bytes} bytes, more than there is memory for.`,
  );
  if (bytes > totalmem()) throw tooLarge; // some systems promise memory that they do not have
  try {
    return new Uint8Array(bytes);
  } catch {
    throw tooLarge;
  }
}

async function readFully(path: string, file: FileHandle, into: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await file.read(into, done, Math.min(into.length - done, readLimit), position + done);
    if (bytesRead === 0) throw new UserError(`${path} is cut short: it became shorter while it was read.`);
    done += bytesRead;
  }
}

function toTensor({ dtype, shape }: TensorEntry, bytes: ArrayBuffer): SavedTensor {
  switch (dtype) {
    case 'F32':
      return { dtype: 'float32', shape, data: new Float32Array(bytes) };
    case 'I32':
      return { dtype: 'int32', shape, data: new Int32Array(bytes) };
    case 'F64':
      return { dtype: 'float32', shape, data: Float32Array.from(new Float64Array(bytes)) };
    case 'F16':
      return { dtype: 'float32', shape, data: Float32Array.from(new Uint16Array(bytes), halfToNumber) };
    case 'BF16':
      return { dtype: 'float32', shape, data: brainToFloat(new Uint16Array(bytes)) };
    default:
      return dtype satisfies never;
  }
}

/** bfloat16 is the upper half of a float32. */
function brainToFloat(halves: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(halves, bits => bits << 16).buffer);
}

/** IEEE 754 binary16: a sign, 5 bits of exponent, 10 bits of fraction. Every value is exact in float32. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
