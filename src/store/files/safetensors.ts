import { UserError } from '../../common/errors';
import { sizeOf } from '../../common/tensor';
import { elementTypeOf, parseHeader } from '../safetensorsHeader';
import type { ByteSource } from './byteSource';
import { bytesPerElement, decodeElements } from './elements';
import type { FileTensor, TensorFile } from './tensorFile';

/** Headers of real models take kilobytes; a hostile one must not take the memory. */
const headerLimit = 25e6;

/**
 * Opens a file of the safetensors format: 8 bytes with the length of the header, a header in JSON that says where each tensor is, and
 * the tensors' values, row-major and little-endian.
 * @throws UserError when the file is cut short, or is not what it says it is
 */
export async function openSafetensorsFile(source: ByteSource): Promise<TensorFile> {
  const { name: path, size } = source;
  if (size < 8) throw new UserError(`${path} is cut short: it has ${size} bytes, not even the length of its header.`);
  const prefix = await source.read(0, 8);
  const declared = new DataView(prefix.buffer).getBigUint64(0, true);
  if (declared > headerLimit) {
    throw new UserError(`${path} is not a safetensors file: it would have a header of ${declared} bytes, where ${headerLimit} are the most.`);
  }
  const dataStart = 8 + Number(declared);
  if (dataStart > size) throw new UserError(`${path} is cut short: its header ends at byte ${dataStart}, and it has ${size}.`);
  const { metadata, entries } = parseHeader(path, await source.read(8, dataStart - 8), size - dataStart);

  const tensors = new Map<string, FileTensor>();
  const places = new Map<FileTensor, { readonly name: string; readonly from: number }>();
  for (const [name, { dtype, shape, begin }] of entries) {
    const tensor: FileTensor = { kind: 'tensor', dtype: elementTypeOf[dtype], shape };
    tensors.set(name, tensor);
    places.set(tensor, { name, from: dataStart + begin });
  }
  return {
    path, format: 'safetensors', size, metadata, root: tensors, tensors,
    async read(tensor, from = 0, count = sizeOf(tensor.shape) - from) {
      const place = places.get(tensor);
      if (!place || from < 0 || count < 0 || from + count > sizeOf(tensor.shape)) throw new RangeError('no such elements of this file');
      const each = bytesPerElement[tensor.dtype];
      return decodeElements(`${path}: tensor ${JSON.stringify(place.name)}`, tensor.dtype, await source.read(place.from + from * each, count * each));
    },
    close: () => source.close(),
  };
}
