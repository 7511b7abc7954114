import path from 'node:path';
import { UserError } from '../../common/errors';
import { openByteSource, type ByteSource } from './byteSource';
import { openSafetensorsFile } from './safetensors';
import type { TensorFile } from './tensorFile';
import { openTorchFile } from './torch';

/**
 * Opens a file of tensors: the zip that `torch.save` writes, or safetensors. Which of them it is, its content tells.
 * @throws UserError when there is no such file, it is neither, or anything in it is not what it says it is
 */
export async function openTensorFile(file: string): Promise<TensorFile> {
  const source = await openByteSource(path.resolve(file));
  try {
    return await openTensors(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** As {@link openTensorFile}, of bytes from anywhere; whoever gave them closes them when they are not opened. */
export async function openTensors(source: ByteSource): Promise<TensorFile> {
  if (source.size === 0) throw new UserError(`${source.name} is empty.`);
  const start = Buffer.from(await source.read(0, Math.min(source.size, 512)));
  if (/^PK[\u0003\u0005\u0007]/.test(start.toString('latin1', 0, 3))) return openTorchFile(source);
  const other = otherFormats.find(({ starts }) => starts(start));
  if (other) throw new UserError(`${source.name} ${other.is}.`);
  return openSafetensorsFile(source);
}

/** A number that PyTorch's format from before 1.6 begins with. */
const oldTorchMagic = Buffer.from('6cfc9c46f9206aa85019', 'hex');

/** Of safetensors the eighth byte is 0, for no header is so long. */
function isJson(bytes: Buffer): boolean {
  return /^\s*[{[]/.test(bytes.toString('latin1')) && bytes[7] !== 0;
}

const otherFormats: readonly { readonly starts: (bytes: Buffer) => boolean; readonly is: string }[] = [
  {
    starts: bytes => bytes[0] === 0x80 && bytes.subarray(0, 32).includes(oldTorchMagic),
    is: 'was saved in PyTorch\'s format from before 1.6; load it with torch.load and save it again with torch.save, or as safetensors',
  },
  {
    // A pickle begins with its protocol and, from 4 on, a frame. No header of safetensors is so long that it could begin so.
    starts: bytes => bytes[0] === 0x80 && (bytes[1] ?? 0) >= 2 && (bytes[1] ?? 0) <= 5 && (bytes.length < 8 || bytes.subarray(2, 8).some(byte => byte !== 0)),
    is: 'is a pickle without tensors of its own, as pickle.dump writes it, not what torch.save writes; load it in Python and save its state dict with torch.save or as safetensors',
  },
  {
    starts: isJson,
    is: 'is JSON, which holds no weights; open the file of weights beside it, such as model.safetensors',
  },
  {
    starts: bytes => bytes.indexOf('version https://git-lfs') === 0,
    is: 'is a pointer of Git LFS in place of the file itself; run git lfs pull',
  },
  {
    starts: bytes => /^\s*<(!doctype|html|\?xml)/i.test(bytes.toString('latin1')),
    is: 'is a web page, not a file of weights: the download went wrong, so download it again',
  },
  {
    starts: bytes => bytes.indexOf('\u0089HDF\r\n\u001a\n', 0, 'latin1') === 0,
    is: 'is an HDF5 file, as Keras writes, which cannot be read; save its tensors as safetensors',
  },
  {
    starts: bytes => bytes.indexOf('GGUF') === 0,
    is: 'is a GGUF file, whose weights are mostly quantised, which cannot be read; open the safetensors file that it was made from',
  },
  {
    starts: bytes => bytes.indexOf('\u0093NUMPY', 0, 'latin1') === 0,
    is: 'is a NumPy array; save its tensors as safetensors',
  },
  {
    starts: bytes => bytes.indexOf('ustar') === 257,
    is: 'is a tar archive; unpack it and open the file of weights in it, or, where PyTorch from before 0.1.10 wrote it, load and save it again',
  },
  {
    starts: bytes => bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8 && bytes[8] !== 0x7b,
    is: 'is compressed with gzip; decompress it and open the file in it',
  },
];
