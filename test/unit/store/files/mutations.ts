import type { Random } from '../../../../src/common/random';
import { bytesInMemory } from '../../../../src/store/files/byteSource';
import { readZip } from '../../../../src/store/files/zip';
import {
  append, appends, build, call, emptyDictionary, emptyList, emptyTuple, global, integer, isTrue, joined, long, mark, none, orderedDictionary, outside,
  recall, reduce, remember, setItem, setItems, stackGlobal, storage, tensor, text, tupleOf1, tupleOf2, tupleToMark, type Part,
} from './pickles';
import { zip, type ZipEnd, type ZipPart } from './zips';

// Files that are almost right. What changes is what readers look at, numbers, lengths, names and instructions, more often than any byte,
// so that most of them get past the first look.

const oddNumbers = [0, 1, 2, 3, 4, 7, 8, 127, 128, 255, 256, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 63, -1, -8];
const oddNames = ['', '.', '..', '../x', '/x', 'a\\b', '__proto__', 'constructor', '__metadata__', 'a\nb', '\u001b[31m', '\ud83d', 'x'.repeat(3000), '0', 'data.pkl'];

export function choice<T>(random: Random, from: readonly T[]): T {
  const chosen = from[random.below(from.length)];
  if (chosen === undefined) throw new Error('nothing to choose from');
  return chosen;
}

/** Bytes with a few changes: of bits, numbers, and stretches that go, come twice or end early. */
export function mutatedBytes(random: Random, from: Uint8Array): Uint8Array {
  let bytes = Buffer.from(from);
  for (let changes = 1 + random.below(3); changes > 0 && bytes.length > 0; changes--) {
    const at = random.below(bytes.length);
    const length = Math.min(1 + random.below(16), bytes.length - at);
    switch (random.below(7)) {
      case 0: bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8)); break;
      case 1: bytes[at] = random.below(256); break;
      case 2: bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]); break;
      case 3: bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]); break;
      case 4: bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(Array.from({ length }, () => random.below(256))), bytes.subarray(at)]); break;
      case 5: bytes = bytes.subarray(0, at); break;
      default: {
        const number = Buffer.alloc(8);
        number.writeBigInt64LE(BigInt.asIntN(64, BigInt(choice(random, oddNumbers))));
        number.copy(bytes, at, 0, choice(random, [2, 4, 8]));
      }
    }
  }
  return bytes;
}

/** A safetensors file whose header has another field, name or length, or whose bytes have changed. */
export function mutatedSafetensors(random: Random, seed: Uint8Array): Uint8Array {
  const length = Number(Buffer.from(seed).readBigUInt64LE());
  if (random.below(4) === 0) return mutatedBytes(random, seed);
  const [json, data] = [Buffer.from(seed.subarray(8, 8 + length)).toString(), seed.subarray(8 + length)];
  const header = random.below(3) === 0 ? mutatedText(random, json) : mutatedJson(random, json);
  const prefix = Buffer.alloc(8);
  prefix.writeBigInt64LE(random.below(20) === 0 ? BigInt.asIntN(64, BigInt(choice(random, oddNumbers))) : BigInt(Buffer.byteLength(header)));
  const resized = random.below(6) === 0 ? data.subarray(0, random.below(data.length + 1)) : data;
  return Buffer.concat([prefix, Buffer.from(header), resized]);
}

function mutatedJson(random: Random, json: string): string {
  const entries = Object.entries(JSON.parse(json) as Record<string, Record<string, unknown>>);
  for (let changes = 1 + random.below(2); changes > 0; changes--) {
    const entry = choice(random, entries);
    const [, fields] = entry;
    const odd = () => choice<unknown>(random, [...oddNumbers, null, 'F32', [], {}, [choice(random, oddNumbers)], 0.5, 1e308, choice(random, oddNames)]);
    switch (random.below(7)) {
      case 0: fields['dtype'] = choice<unknown>(random, ['F32', 'I64', 'BOOL', 'BF16', 'F8_E4M3', 'constructor', odd()]); break;
      case 1: fields['shape'] = Array.from({ length: random.below(5) }, () => (random.below(3) === 0 ? odd() : random.below(7))); break;
      case 2: fields['data_offsets'] = [random.below(2) === 0 ? odd() : random.below(100), random.below(2) === 0 ? odd() : random.below(100)]; break;
      case 3: entry[0] = choice(random, oddNames); break;
      case 4: entries.push([choice(random, oddNames), { ...choice(random, entries)[1] }]); break;
      case 5: entries.splice(random.below(entries.length), entries.length > 1 ? 1 : 0); break;
      default: fields[choice(random, ['shape', 'dtype', 'data_offsets', 'more', '__proto__'])] = odd();
    }
  }
  // Not as an object: a name may come twice.
  return `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
}

function mutatedText(random: Random, json: string): string {
  const at = random.below(json.length);
  const inserted = choice(random, ['[', ']', '{', '}', '"', ',', ':', '\\', '\\u0000', '1e999', '-', '99999999999999999999', '['.repeat(5000), '\u0000', '"__proto__":{},', '\ud800']);
  return `${json.slice(0, at)}${inserted}${json.slice(at + random.below(4))}`;
}

/** What a torch file is made of, so that its pickle can change within a zip that is right. */
export interface TorchSeed {
  readonly bytes: Uint8Array;
  readonly records: readonly ZipPart[];
  readonly instructions: readonly Part[];
}

export async function torchSeed(bytes: Uint8Array): Promise<TorchSeed> {
  const records = [...await readZip(bytesInMemory('seed', bytes))].map(([name, { from, length }]) => ({ name, data: bytes.subarray(from, from + length) }));
  const pickled = records.find(({ name }) => name.endsWith('/data.pkl'))?.data;
  return { bytes, records, instructions: instructionsOf(pickled ?? new Uint8Array()) };
}

/** A torch file whose zip lies about its records, lacks some, or has changed somewhere, mostly in its list. */
export function mutatedTorch(random: Random, { bytes, records }: TorchSeed): Uint8Array {
  switch (random.below(4)) {
    case 0: return mutatedBytes(random, bytes);
    case 1: {
      const from = random.below(bytes.length);
      const end = mutatedBytes(random, bytes.subarray(from));
      return Buffer.concat([bytes.subarray(0, from), end]);
    }
    default: {
      const parts = records.map(part => ({ ...part, ...(random.below(records.length) === 0 ? lies(random, part) : {}) }));
      if (random.below(6) === 0) parts.splice(random.below(parts.length), 1);
      if (random.below(6) === 0) parts.push(choice(random, parts));
      return zip(parts, random.below(5) === 0 ? falseEnd(random) : { wide: random.below(2) === 0 });
    }
  }
}

function lies(random: Random, { data }: ZipPart): Partial<ZipPart> {
  const number = () => (random.below(2) === 0 ? random.below(2000) : choice(random, oddNumbers.filter(value => value >= 0 && value < 2 ** 32)));
  switch (random.below(9)) {
    case 0: return { name: choice(random, oddNames) };
    case 1: return { data: mutatedBytes(random, data) };
    case 2: return { flags: random.below(0x10000) };
    case 3: return { method: choice(random, [8, 9, 12, 93, 99]) };
    case 4: return { localName: choice(random, oddNames) };
    case 5: return { localLength: number() };
    case 6: return { listedLength: number() };
    case 7: {
      const length = number();
      return { listedLength: length, packedLength: length, localLength: length };
    }
    default: return { at: number() };
  }
}

function falseEnd(random: Random): ZipEnd {
  const number = choice(random, oddNumbers.filter(value => value >= 0 && value < 2 ** 32));
  return choice<ZipEnd>(random, [{ count: number, wide: true }, { count: number & 0xffff }, { listAt: number }, { listLength: number, wide: true }, { disk: number & 0xffff }]);
}

/** A torch file that is right but for its pickle, which has other instructions in places. */
export function mutatedPickle(random: Random, { records, instructions }: TorchSeed): Uint8Array {
  const parts = [...instructions];
  for (let changes = 1 + random.below(3); changes > 0 && parts.length > 1; changes--) {
    const at = 1 + random.below(parts.length - 1);
    switch (random.below(6)) {
      case 0: parts.splice(at, 1 + random.below(3)); break;
      case 1: parts.splice(at, 0, oddInstruction(random)); break;
      case 2: parts[at] = oddInstruction(random); break;
      case 3: parts.splice(at, 0, ...parts.slice(at - Math.min(at, random.below(20)), at)); break;
      case 4: parts[at] = choice(random, parts); break;
      default: {
        const numbers = parts.flatMap((part, index) => (part[0] === 0x4b || part[0] === 0x4a || part[0] === 0x4d ? [index] : []));
        if (numbers.length > 0) parts[choice(random, numbers)] = oddNumber(random);
      }
    }
  }
  const pickled = random.below(6) === 0 ? mutatedBytes(random, joined(...parts)) : joined(...parts);
  return zip(records.map(part => (typeof part.name === 'string' && part.name.endsWith('/data.pkl') ? { ...part, data: pickled } : part)), { wide: true });
}

function oddNumber(random: Random): Part {
  return random.below(3) === 0 ? long(BigInt.asIntN(64, BigInt(choice(random, oddNumbers)))) : integer(random.below(12));
}

function oddInstruction(random: Random): Part {
  const globals: readonly (readonly [string, string])[] = [
    ['os', 'system'], ['builtins', 'eval'], ['__builtin__', 'getattr'], ['torch', 'load'], ['numpy.core.multiarray', 'scalar'], ['torch', 'IntStorage'],
    ['torch', 'Size'], ['torch', 'device'], ['torch', 'float16'], ['torch._utils', '_rebuild_parameter'], ['torch._utils', '_rebuild_tensor_v2'],
    ['torch._utils', '_rebuild_tensor_v3'], ['torch.storage', 'UntypedStorage'], ['collections', 'OrderedDict'], ['transformer_lens.x', 'HookedTransformerConfig'],
    ['numpy._core.multiarray', '_reconstruct'], ['numpy._core.numeric', '_frombuffer'], ['numpy', 'ndarray'], ['numpy', 'dtype'], ['_codecs', 'encode'],
  ];
  switch (random.below(9)) {
    case 0: return global(...choice(random, globals));
    case 1: return text(choice(random, oddNames));
    case 2: return oddNumber(random);
    case 3: return recall(random.below(60));
    case 4: return remember(random.below(60));
    case 5: return [random.below(256)];
    case 6: return choice(random, [tensor(), storage(), orderedDictionary, call('torch', 'Size', emptyTuple), call(...choice(random, globals), none)]);
    default: return choice(random, [
      mark, none, isTrue, emptyTuple, tupleOf1, tupleOf2, tupleToMark, emptyList, append, appends, emptyDictionary, setItem, setItems, reduce, build, outside, stackGlobal,
    ]);
  }
}

/** Bytes of arguments; of texts and long integers, those of their length. */
const fixedArguments: Readonly<Record<number, number>> = { 0x80: 1, 0x95: 8, 0x4a: 4, 0x4b: 1, 0x4d: 2, 0x47: 8, 0x71: 1, 0x72: 4, 0x68: 1, 0x6a: 4 };

function instructionsOf(pickled: Uint8Array): Part[] {
  const [bytes, parts]: [Buffer, Part[]] = [Buffer.from(pickled), []];
  for (let at = 0; at < bytes.length;) {
    const code = bytes.readUInt8(at);
    const from = at++;
    if (code === 0x58 || code === 0x42) at += 4 + bytes.readUInt32LE(at);
    else if (code === 0x96) at += 8 + Number(bytes.readBigUInt64LE(at));
    else if (code === 0x8c || code === 0x8a || code === 0x43) at += 1 + bytes.readUInt8(at);
    else if (code === 0x63) at = bytes.indexOf(0x0a, bytes.indexOf(0x0a, at) + 1) + 1;
    else at += fixedArguments[code] ?? 0;
    // Frames say how long the pickle is, which it no longer will be.
    if (code !== 0x95) parts.push(bytes.subarray(from, at));
  }
  return parts;
}
