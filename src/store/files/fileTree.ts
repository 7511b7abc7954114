import { UserError } from '../../common/errors';
import { quoted, tooManyTensors } from '../safetensorsHeader';
import { limits } from './limits';
import { PickleBytes, PickleDictionary, PickleGlobal, PickleList, PickleObject, type PickleValue } from './pickleValue';
import type { FileTensor, FileValue } from './tensorFile';

/** What a value takes when everything that it holds is counted wherever it stands. */
interface Extent {
  readonly value: FileValue;
  readonly values: number;
  readonly levels: number;
}

/**
 * A value of a pickle as plain data; what stands in several places still does.
 * @param valueOf the tensor or the text that an object stands for
 * @throws UserError for a value that is within itself, or that is far larger than what it was made of
 */
export function plainValue(file: string, from: PickleValue, valueOf: (object: PickleObject) => FileTensor | string): FileValue {
  const done = new Map<PickleList | PickleDictionary, Extent>();
  const open = new Set<PickleValue>();
  const tooLarge = new UserError(`${file} holds more than ${limits.values} values, where weights need few, so it was not read any further.`);
  const tooDeep = new UserError(`${file} has dictionaries and lists more than ${limits.nesting} levels within each other, more than weights need.`);

  function visit(value: PickleValue): Extent {
    if (value instanceof PickleObject) return { value: valueOf(value), values: 1, levels: 0 };
    if (value instanceof PickleGlobal) throw new UserError(`${file} holds ${value.name} itself, which is no value.`);
    if (value instanceof PickleBytes) return { value: `${value.bytes.length} bytes`, values: 1, levels: 0 };
    if (!(value instanceof PickleList) && !(value instanceof PickleDictionary)) return { value, values: 1, levels: 0 };
    const known = done.get(value);
    if (known) return known;
    if (open.has(value)) throw new UserError(`${file} has a dictionary or list that is within itself, which weights never are.`);
    if (open.size >= limits.nesting) throw tooDeep;
    open.add(value);
    const extent = value instanceof PickleList ? visitList(value) : visitDictionary(value);
    open.delete(value);
    done.set(value, extent);
    return extent;
  }

  function visitList({ items }: PickleList): Extent {
    const parts = items.map(visit);
    return { value: parts.map(part => part.value), ...sum(parts) };
  }

  function visitDictionary({ entries }: PickleDictionary): Extent {
    const parts = [...entries].map(([key, value]) => [key, visit(value)] as const);
    return { value: new Map(parts.map(([key, { value }]) => [key, value])), ...sum(parts.map(([, part]) => part)) };
  }

  function sum(parts: readonly Extent[]): { readonly values: number; readonly levels: number } {
    let [values, levels] = [1, 1];
    for (const part of parts) {
      values += part.values;
      levels = Math.max(levels, 1 + part.levels);
    }
    if (values > limits.values) throw tooLarge;
    if (levels > limits.nesting) throw tooDeep;
    return { values, levels };
  }

  return visit(from).value;
}

/**
 * Every tensor of a value by the path to it.
 * @throws UserError when there are more than any file of weights has, or two have one path
 */
export function tensorsWithin(file: string, root: FileValue): ReadonlyMap<string, FileTensor> {
  const tensors = new Map<string, FileTensor>();
  let characters = 0;

  function add(path: string, value: FileValue): void {
    if (typeof value !== 'object' || value === null) return;
    if (isMap(value)) {
      for (const [key, part] of value) add(joined(path, key), part);
    } else if (isList(value)) {
      for (const [index, part] of value.entries()) add(joined(path, index), part);
    } else {
      characters += path.length;
      if (path.length > limits.path || characters > limits.paths) throw new UserError(`${file} has names of tensors that are too long to be real.`);
      if (tensors.has(path)) throw new UserError(`${file} has two tensors at ${quoted(path)}, one of them by a key with a dot in it.`);
      tensors.set(path, value);
      if (tensors.size > limits.tensors) throw tooManyTensors(file);
    }
  }

  add('', root);
  return tensors;
}

function joined(path: string, key: string | number): string {
  return path === '' ? String(key) : `${path}.${key}`;
}

function isMap(value: FileValue): value is ReadonlyMap<string | number, FileValue> {
  return value instanceof Map;
}

function isList(value: FileValue): value is readonly FileValue[] {
  return Array.isArray(value);
}
