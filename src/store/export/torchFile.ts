import { Zip, ZipPassThrough } from 'fflate';
import { UserError } from '../../common/errors';
import type { DType, HostTensor, Shape } from '../../common/tensor';

/** What PyTorch calls a storage of each element type. */
const storages: Readonly<Record<DType, string>> = { float32: 'FloatStorage', int32: 'IntStorage', bool: 'BoolStorage' };

/** Bytes of all tensors: of a zip without its extension for large files, and of numbers in four bytes, there are none larger. */
const sizeLimit = 2 ** 31;

/** Zip dates begin in 1980; equal weights make equal files. */
const fixedTime = '1980-01-01T12:00:00';

/**
 * The content of the file that `torch.save` would write of a state dict, in chunks to be written one after the other: a zip
 * with a pickle of protocol 2, which `torch.load(…, weights_only=True)` accepts, and a record a tensor. Values are not copied.
 * @throws UserError when the weights are too large for it.
 */
export function encodeTorch(tensors: ReadonlyMap<string, HostTensor>): readonly Uint8Array[] {
  const size = [...tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  if (size > sizeLimit) {
    throw new UserError('The weights take more than 2 GB, which a .pt file cannot hold as it is written here; export to .safetensors.');
  }
  const chunks: Uint8Array[] = [];
  const zip = new Zip((error, chunk) => {
    if (error) throw error;
    chunks.push(chunk);
  });
  const add = (path: string, content: Uint8Array) => {
    const entry = new ZipPassThrough(`archive/${path}`);
    entry.mtime = fixedTime;
    zip.add(entry);
    entry.push(content, true);
  };
  add('data.pkl', pickleStateDict(tensors));
  add('byteorder', Buffer.from('little'));
  [...tensors.values()].forEach(({ data }, key) => add(`data/${key}`, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)));
  add('version', Buffer.from('3\n'));
  zip.end();
  return chunks;
}

/** An ordered dictionary from names to tensors, the n-th of them over the whole of the storage n. */
function pickleStateDict(tensors: ReadonlyMap<string, HostTensor>): Uint8Array {
  const entries = [...tensors].map(([name, { dtype, shape, data }], key) => Buffer.concat([
    text(name),
    global('torch._utils', '_rebuild_tensor_v2'),
    tuple([
      tuple([text('storage'), global('torch', storages[dtype]), text(String(key)), text('cpu'), whole(data.length)]), persistentId,
      whole(0), tuple(shape.map(whole)), tuple(stridesOf(shape).map(whole)),
      requiresNoGradient, emptyOrderedDict,
    ]),
    reduce,
  ]));
  return Buffer.concat([protocol2, emptyOrderedDict, mark, ...entries, setItems, stop]);
}

// Opcodes of the pickle format (Python's pickletools documents them).
const [mark, setItems, stop, reduce, persistentId] = ['(', 'u', '.', 'R', 'Q'].map(opcode => Buffer.from(opcode)) as [Buffer, Buffer, Buffer, Buffer, Buffer];
const protocol2 = Buffer.from([0x80, 2]);
const requiresNoGradient = Buffer.from([0x89]);
const emptyOrderedDict = Buffer.concat([global('collections', 'OrderedDict'), Buffer.from(')'), reduce]);

function global(module: string, name: string): Buffer {
  return Buffer.from(`c${module}\n${name}\n`);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from('X'), uint32(bytes.length), bytes]);
}

/** A whole number ≥ 0 and below 2³¹. */
function whole(value: number): Buffer {
  return Buffer.concat([Buffer.from('J'), uint32(value)]);
}

function tuple(items: readonly Buffer[]): Buffer {
  return Buffer.concat([mark, ...items, Buffer.from('t')]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** Of a row-major tensor. */
function stridesOf(shape: Shape): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = (strides[axis + 1] ?? 1) * (shape[axis + 1] ?? 1);
  return strides;
}
