import { UserError } from '../../common/errors';
import { formatShape, type Shape } from '../../common/tensor';
import { elementTypes, type ElementType } from '../../protocol/checkpointFile';
import { quoted } from '../safetensorsHeader';
import { limits } from './limits';
import { buildNumpy, isNumpyClass, isNumpyName, numpyValue } from './numpyNames';
import type { PickleNames } from './pickle';
import { PickleDictionary, PickleGlobal, type PickleBytes, PickleList, PickleObject, type PickleValue } from './pickleValue';
import { isPlainName, plainValueOf } from './plainNames';

/** The numbers that tensors are views of. */
export class TorchStorage extends PickleObject {
  readonly what = 'a storage without a tensor';
  /** @param type absent: bytes of a type that each of its tensors would say, none of which can be read */
  constructor(readonly type: ElementType | undefined, readonly key: string, readonly elements: number) {
    super();
  }
}

export class TorchTensor extends PickleObject {
  readonly what = 'a tensor';
  /** @param strides between elements along each axis, in elements; @param offset of the first, too */
  constructor(
    readonly storage: TorchStorage, readonly dtype: ElementType, readonly shape: Shape, readonly strides: readonly number[], readonly offset: number,
  ) {
    super();
  }
}

const storageTypes: ReadonlyMap<string, ElementType> = new Map([
  ['torch.DoubleStorage', 'float64'], ['torch.FloatStorage', 'float32'], ['torch.HalfStorage', 'float16'], ['torch.BFloat16Storage', 'bfloat16'],
  ['torch.LongStorage', 'int64'], ['torch.IntStorage', 'int32'], ['torch.ShortStorage', 'int16'], ['torch.CharStorage', 'int8'],
  ['torch.ByteStorage', 'uint8'], ['torch.BoolStorage', 'bool'],
]);
const unreadStorages = new Set(['ComplexDouble', 'ComplexFloat', 'QInt8', 'QInt32', 'QUInt8', 'QUInt4x2', 'QUInt2x4'].map(type => `torch.${type}Storage`));
const untypedStorage = 'torch.storage.UntypedStorage';

const rebuildTensor = 'torch._utils._rebuild_tensor_v2';
/** Of types that have no storage of their own. */
const rebuildOther = 'torch._utils._rebuild_tensor_v3';
const rebuildParameter = 'torch._utils._rebuild_parameter';
const callable = new Set([rebuildTensor, rebuildOther, rebuildParameter, 'torch.Size', 'torch.device']);

/** Types of elements that a config may name, whether or not they can be read. */
const types = new Set([
  ...elementTypes, 'complex32', 'complex64', 'complex128', 'uint16', 'uint32', 'uint64', 'float8_e4m3fn', 'float8_e5m2', 'float8_e4m3fnuz', 'float8_e5m2fnuz',
].map(type => `torch.${type}`));

/** What a checkpoint may name: tensors, their storages and types, shapes and devices, numbers and arrays of NumPy, and containers of Python. */
export function torchNames(file: string): PickleNames {
  const storages = new Map<string, TorchStorage>();
  const encoded = new Map<string, PickleBytes>();
  return {
    find(name) {
      if (types.has(name) || isNumpyClass(name)) return name;
      if (isPlainName(name) || isNumpyName(name)) return new PickleGlobal(name);
      if (callable.has(name) || storageTypes.has(name) || unreadStorages.has(name) || name === untypedStorage) return new PickleGlobal(name);
      throw refused(file, name);
    },

    call({ name }, args) {
      const known = plainValueOf(name, args, encoded) ?? numpyValue(name, args);
      if (known !== undefined) return known;
      switch (name) {
        case rebuildTensor:
          return tensorOf(file, args);
        case rebuildOther: {
          const type = args[6];
          throw new UserError(`${file} has a tensor of the type ${typeof type === 'string' ? quoted(type) : 'that PyTorch calls otherwise'}; ${readable}.`);
        }
        case rebuildParameter:
          if (args[0] instanceof TorchTensor) return args[0];
          break;
        case 'torch.Size':
          if (args.length === 1 && args[0] instanceof PickleList) return args[0];
          break;
        case 'torch.device':
          if (args.length > 0 && args.length <= 2 && args.every(part => typeof part === 'string' || typeof part === 'number')) return args.join(':');
          break;
      }
      throw new UserError(`${file} calls ${name} in a way that torch.save never does.${name.startsWith('numpy.') ? advised(name) : ''}`);
    },

    build: buildNumpy,

    outside(id) {
      if (!(id instanceof PickleList) || id.items.length !== 5) throw misplaced(file);
      const [kind, type, key, , elements] = id.items;
      if (kind !== 'storage' || !(type instanceof PickleGlobal) || typeof key !== 'string' || !isCount(elements)) throw misplaced(file);
      if (unreadStorages.has(type.name)) throw new UserError(`${file} has tensors in a ${type.name}; ${readable}.`);
      const dtype = storageTypes.get(type.name);
      if (dtype === undefined && type.name !== untypedStorage) throw misplaced(file);
      const known = storages.get(key);
      if (known === undefined) {
        const storage = new TorchStorage(dtype, key, elements);
        storages.set(key, storage);
        return storage;
      }
      if (known.type !== dtype || known.elements !== elements) {
        throw new UserError(`${file} has the storage ${quoted(key)} twice, once with ${known.elements} elements of ${known.type} and once with ${elements} of ${dtype}.`);
      }
      return known;
    },
  };
}

const readable = `those that can be read are ${elementTypes.join(', ')}`;

/** @param args storage, offset, shape, strides, whether it requires gradients, hooks, and further flags */
function tensorOf(file: string, [storage, offset, shape, strides, , , flags]: readonly PickleValue[]): TorchTensor {
  const wrong = () => new UserError(`${file} describes a tensor in a way that torch.save never does.`);
  if (!(storage instanceof TorchStorage) || storage.type === undefined || !isCount(offset)) throw wrong();
  const [sizes, steps] = [countsOf(shape), countsOf(strides)];
  if (!sizes || !steps || sizes.length !== steps.length) throw wrong();
  if (flags !== undefined && !(flags instanceof PickleDictionary)) throw wrong();
  if (flags && flags.entries.size > 0) {
    throw new UserError(`${file} has a tensor that is the negative or the conjugate of what is stored; save it with .resolve_neg() or .resolve_conj().`);
  }
  const where = () => `${file}: a tensor of storage ${quoted(storage.key)}, of shape ${formatShape(sizes)},`;
  if (sizes.length > limits.axes) throw new UserError(`${file} has a tensor of ${sizes.length} axes, where ${limits.axes} are the most.`);
  let [elements, last] = [1, offset];
  for (const [axis, size] of sizes.entries()) {
    elements *= size;
    last += Math.max(0, size - 1) * (steps[axis] ?? 0);
    if (!Number.isSafeInteger(elements) || !Number.isSafeInteger(last)) throw new UserError(`${where()} is larger than any file.`);
  }
  if (elements > 0 ? last >= storage.elements : offset > storage.elements) {
    throw new UserError(`${where()} reaches element ${last} of that storage, which has ${storage.elements}.`);
  }
  return new TorchTensor(storage, storage.type, sizes, steps, offset);
}

function refused(file: string, name: string): UserError {
  const shown = /^[\w.<>]{1,200}$/.test(name) ? name : quoted(name);
  const nothing = `${shown} is not something that weights need, so the file was not read any further. Nothing in it was run.`;
  return new UserError(`${file}: ${nothing}${advised(name)}`);
}

function advised(name: string): string {
  const advice = adviceFor(name);
  return advice === '' ? '' : ` ${advice}`;
}

/** What to save in place of something that has a name in Python; nothing for what no checkpoint holds. */
function adviceFor(name: string): string {
  if (/^transformer_lens\b.*Config/.test(name)) return 'Save cfg.to_dict() in place of the config, and model.state_dict() in place of the model.';
  if (/^numpy\b/.test(name)) return 'Save numbers as int or float, and arrays as tensors (torch.from_numpy).';
  if (/^torch\._utils\._rebuild_(sparse|meta|q)/.test(name)) return 'Save dense tensors (.to_dense(), .dequantize()).';
  if (/^(builtins|__builtin__)\.(x?range|complex|slice|bytearray)$/.test(name)) return 'Save only {\'model\': model.state_dict()}.';
  const plain = /^(os|posix|nt|sys|subprocess|builtins|__builtin__|copyreg|copy_reg|_codecs|codecs|runpy|pickle|_pickle|socket|shutil|importlib|ctypes|operator|functools|webbrowser)\b/;
  if (plain.test(name) || !/\.[A-Z]\w*$/.test(name)) return '';
  return 'Save model.state_dict() in place of the model, and dictionaries in place of other objects.';
}

function misplaced(file: string): UserError {
  return new UserError(`${file} refers to something outside of it that is no storage of torch.save.`);
}

function countsOf(value: PickleValue | undefined): readonly number[] | undefined {
  if (!(value instanceof PickleList)) return undefined;
  return value.items.every(isCount) ? value.items : undefined;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
