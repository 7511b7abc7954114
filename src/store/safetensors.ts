import { UserError } from '../common/errors';
import type { DType, HostTensor } from '../common/tensor';
import { openByteSource } from './files/byteSource';
import type { Elements } from './files/elements';
import { openSafetensorsFile } from './files/safetensors';
import type { FileTensor } from './files/tensorFile';
import { formatHeader, quoted, type FileDType, type TensorEntry } from './safetensorsHeader';

export type SavedTensor = HostTensor<'float32' | 'int32'>;

export interface Safetensors {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, SavedTensor>;
}

const fileTypes: Readonly<Record<DType, FileDType>> = { float32: 'F32', int32: 'I32', bool: 'BOOL' };

/** The content of a safetensors file, in chunks to be written one after the other; values are not copied. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, HostTensor>,
  metadata: ReadonlyMap<string, string> = new Map(),
): readonly Uint8Array[] {
  const entries = new Map<string, TensorEntry>();
  let end = 0;
  for (const [name, { dtype, shape, data }] of tensors) {
    const begin = end;
    end += data.byteLength;
    entries.set(name, { dtype: fileTypes[dtype], shape, begin, end });
  }
  return [formatHeader({ metadata, entries }), ...[...tensors.values()].map(bytesOf)];
}

/** The values of a tensor as they lie in a file; they are not copied. */
export function bytesOf({ data }: HostTensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * Reads the tensors whose names are `wanted` (all of them, if it is not given) without reading the others: floats as float32
 * (float64 rounded to the nearest), integers and bool as int32.
 * @throws UserError when the file is not there, is cut short, is not what it says it is, or has integers that are no int32
 */
export async function readSafetensors(path: string, wanted: (name: string) => boolean = () => true): Promise<Safetensors> {
  const source = await openByteSource(path);
  try {
    const file = await openSafetensorsFile(source);
    const tensors = new Map<string, SavedTensor>();
    for (const [name, tensor] of file.tensors) {
      if (wanted(name)) tensors.set(name, savedTensor(`${path}: tensor ${quoted(name)}`, tensor, await file.read(tensor)));
    }
    return { metadata: file.metadata, tensors };
  } finally {
    await source.close();
  }
}

function savedTensor(what: string, { dtype, shape }: FileTensor, data: Elements): SavedTensor {
  if (data instanceof Int32Array) return { dtype: 'int32', shape, data };
  if (dtype !== 'int64') return { dtype: 'float32', shape, data: data instanceof Float32Array ? data : Float32Array.from(data) };
  const large = data.find(value => value !== (value | 0));
  if (large !== undefined) throw new UserError(`${what} has the integer ${large}, and those beyond int32 cannot be read.`);
  return { dtype: 'int32', shape, data: Int32Array.from(data) };
}
