import { UserError } from '../../common/errors';
import { sizeOf } from '../../common/tensor';
import { quoted } from '../safetensorsHeader';
import { bytesInMemory, type ByteSource } from './byteSource';
import { bytesPerElement, decodeElements } from './elements';
import { plainValue, tensorsWithin } from './fileTree';
import { limits } from './limits';
import { NumpyArray, numpyText } from './numpyNames';
import { unpickle } from './pickle';
import type { PickleObject } from './pickleValue';
import { gather, spanOf, type Strided } from './strided';
import type { FileTensor, TensorFile } from './tensorFile';
import { torchNames, TorchTensor } from './torchNames';
import { readZip, type ZipRecord } from './zip';

const pickleLimit = 64e6;

/** A tensor, and where its storage begins in the file, or in what was read of the file. */
interface Located {
  readonly tensor: Strided & Pick<FileTensor, 'dtype'>;
  readonly source: ByteSource;
  readonly from: number;
  /** All that lies between its first element and its last, while there is memory for it. */
  kept?: WeakRef<Uint8Array<ArrayBuffer>>;
}

/**
 * Between a few elements of a transposed matrix lies most of it. Where that is more than the first of these, all of it is kept for the
 * reads that follow, unless it is more than the second.
 */
const [keptFrom, keptTo] = [2 ** 20, 2 ** 28];

/**
 * Opens the zip that `torch.save` writes since PyTorch 1.6: `<folder>/data.pkl` says what there is, and `<folder>/data/<key>` has the
 * numbers of each storage.
 * @throws UserError when it is none, or when anything in it is not what weights need
 */
export async function openTorchFile(source: ByteSource): Promise<TensorFile> {
  const records = await readZip(source);
  const folder = folderOf(source.name, records);
  await checkByteOrder(source, records.get(`${folder}/byteorder`));
  const { from, length } = recordOf(source.name, records, `${folder}/data.pkl`);
  if (length > pickleLimit) throw new UserError(`${source.name}: data.pkl has ${length} bytes, where ${pickleLimit} are the most.`);
  const pickled = unpickle(source.name, await source.read(from, length), torchNames(source.name));

  const located = new Map<FileTensor, Located>();
  const tensors = new Map<PickleObject, FileTensor>();
  const locate = (object: PickleObject): Located | undefined => {
    if (object instanceof TorchTensor) return { tensor: object, source, from: storageStart(source.name, records, folder, object) };
    if (!(object instanceof NumpyArray) || !object.content) return undefined;
    const { kind: { element: dtype }, shape, strides, bytes } = object.content;
    return dtype && { tensor: { dtype, shape, strides, offset: 0 }, source: bytesInMemory(source.name, bytes.bytes), from: 0 };
  };
  const root = plainValue(source.name, pickled, object => {
    const known = tensors.get(object) ?? numpyText(object);
    if (known !== undefined) return known;
    const place = locate(object);
    if (!place) throw new UserError(`${source.name} holds ${object.what}, which cannot be read.`);
    const { dtype, shape } = place.tensor;
    const tensor: FileTensor = { kind: 'tensor', dtype, shape };
    located.set(tensor, place);
    tensors.set(object, tensor);
    return tensor;
  });
  const byPath = tensorsWithin(source.name, root);
  checkSharing(source, byPath);

  return {
    path: source.name, format: 'torch', size: source.size, metadata: new Map(), root, tensors: byPath,
    async read(tensor, first = 0, count = sizeOf(tensor.shape) - first) {
      const place = located.get(tensor);
      if (!place || first < 0 || count < 0 || first + count > sizeOf(tensor.shape)) throw new RangeError('no such elements of this file');
      return decodeElements(source.name, tensor.dtype, await readStrided(place, first, count));
    },
    close: () => source.close(),
  };
}

async function readStrided(place: Located, first: number, count: number): Promise<Uint8Array<ArrayBuffer>> {
  const { tensor, source, from } = place;
  const each = bytesPerElement[tensor.dtype];
  const span = spanOf(tensor, first, count);
  if (span.contiguous) return source.read(from + span.from * each, (span.to - span.from) * each);
  const whole = spanOf(tensor, 0, sizeOf(tensor.shape));
  const keeps = (span.to - span.from) * each > keptFrom && (whole.to - whole.from) * each <= keptTo;
  const { from: start, to: end } = keeps ? whole : span;
  const bytes = (keeps ? place.kept?.deref() : undefined) ?? await source.read(from + start * each, (end - start) * each);
  if (keeps) place.kept = new WeakRef(bytes);
  return gather(source.name, bytes, { ...tensor, offset: tensor.offset - start }, each, first, count);
}

/** The folder that all of it is in, whose name `torch.save` takes from the file's. */
function folderOf(file: string, records: ReadonlyMap<string, ZipRecord>): string {
  const names = [...records.keys()];
  const [folder, ...others] = names.filter(name => /^[^/]+\/data\.pkl$/.test(name)).map(name => name.slice(0, name.indexOf('/')));
  if (folder !== undefined && (records.has(`${folder}/constants.pkl`) || names.some(name => name.startsWith(`${folder}/code/`)))) {
    throw new UserError(`${file} is a TorchScript program, which cannot be opened; load it with torch.jit.load and save its state_dict() with torch.save.`);
  }
  if (folder === undefined) {
    const what = names.some(name => name.endsWith('.npy')) ? 'a NumPy archive (.npz)' : 'a zip file that torch.save did not write';
    throw new UserError(`${file} is ${what}: it has no data.pkl; save its tensors with torch.save or as safetensors.`);
  }
  if (others.length > 0) throw new UserError(`${file} has ${others.length + 1} records data.pkl, where torch.save writes one.`);
  return folder;
}

async function checkByteOrder(source: ByteSource, record: ZipRecord | undefined): Promise<void> {
  if (!record) return; // before PyTorch 2.1
  const order = record.length > 16 ? '' : Buffer.from(await source.read(record.from, record.length)).toString('latin1');
  if (order === 'big') {
    throw new UserError(`${source.name} was saved on a big-endian machine, which cannot be read; load it in Python and save it again as safetensors.`);
  }
  if (order !== 'little') throw new UserError(`${source.name} is damaged: its byte order is neither little nor big.`);
}

function recordOf(file: string, records: ReadonlyMap<string, ZipRecord>, name: string): ZipRecord {
  const record = records.get(name);
  if (!record) throw new UserError(`${file} is damaged: it has no record ${quoted(name)}.`);
  return record;
}

function storageStart(file: string, records: ReadonlyMap<string, ZipRecord>, folder: string, { dtype, storage }: TorchTensor): number {
  const name = `${folder}/data/${storage.key}`;
  const { from, length } = recordOf(file, records, name);
  const expected = storage.elements * bytesPerElement[dtype];
  if (length !== expected) {
    throw new UserError(`${file}: the record ${quoted(name)} has ${length} bytes, where ${storage.elements} elements of ${dtype} take ${expected}.`);
  }
  return from;
}

/** Tensors can share numbers, and repeat them along an axis, so that a small file could claim to be larger than any memory. */
function checkSharing(source: ByteSource, tensors: ReadonlyMap<string, FileTensor>): void {
  const most = limits.sharing * source.size + limits.sharedBytes;
  let bytes = 0;
  for (const [path, { dtype, shape }] of tensors) {
    bytes += sizeOf(shape) * bytesPerElement[dtype];
    if (bytes > most) {
      throw new UserError(`${source.name} has ${source.size} bytes, and its tensors up to ${quoted(path)} would have ${bytes}, more than real ones share.`);
    }
  }
}
