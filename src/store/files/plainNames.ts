import { PickleBytes, PickleDictionary, PickleGlobal, PickleList, type PickleValue } from './pickleValue';

// Containers and bytes of Python that the states of optimisers, schedulers and training scripts have beside weights, as plain data.

const orderedDictionary = 'collections.OrderedDict';
const withDefaults = 'collections.defaultdict';
const counter = 'collections.Counter';
/** How protocol 2 writes bytes: a text whose characters are their values. */
const encode = '_codecs.encode';
const sets = ['set', 'frozenset'];
/** Types that say what a defaultdict would make of a key that it lacks. Nothing makes any. */
const factories = ['bool', 'dict', 'float', 'int', 'list', 'str', 'tuple'];

const builtin = /^(?:__builtin__|builtins)\.(\w+)$/;

export function isPlainName(name: string): boolean {
  return [orderedDictionary, withDefaults, counter, encode].includes(name) || [...sets, ...factories, 'bytes'].includes(builtinOf(name));
}

/**
 * What a call of such a name gives; nothing for another name, and for a call as no pickle of such a value has it.
 * @param encoded bytes by the texts that they were made of: a short pickle can encode one long text any number of times
 */
export function plainValueOf(name: string, args: readonly PickleValue[], encoded: Map<string, PickleBytes>): PickleValue | undefined {
  const [first, second] = args;
  switch (name) {
    case orderedDictionary: return args.length === 0 ? new PickleDictionary(true) : undefined;
    case withDefaults: return args.length === 0 || (args.length === 1 && isFactory(first)) ? new PickleDictionary(false) : undefined;
    case counter: return args.length === 1 && first instanceof PickleDictionary ? first : undefined;
    case encode: return typeof first === 'string' && second === 'latin1' && args.length === 2 ? bytesOf(first, encoded) : undefined;
  }
  if (builtinOf(name) === 'bytes') return args.length === 0 ? new PickleBytes(new Uint8Array()) : undefined;
  const isSet = sets.includes(builtinOf(name)) && args.length === 1 && first instanceof PickleList && first.kind === 'list';
  return isSet ? new PickleList(first.items, 'set') : undefined;
}

function isFactory(value: PickleValue | undefined): boolean {
  return value === null || (value instanceof PickleGlobal && [...sets, ...factories].includes(builtinOf(value.name)));
}

function bytesOf(text: string, encoded: Map<string, PickleBytes>): PickleBytes | undefined {
  const known = encoded.get(text);
  if (known || /[^\0-\xff]/.test(text)) return known;
  const bytes = new PickleBytes(Buffer.from(text, 'latin1'));
  encoded.set(text, bytes);
  return bytes;
}

function builtinOf(name: string): string {
  return builtin.exec(name)?.[1] ?? '';
}
