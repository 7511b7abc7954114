import * as v from 'valibot';
import { UserError } from '../common/errors';
import { formatShape, type Shape } from '../common/tensor';
import { escaped, printable } from '../common/printable';
import type { ElementType } from '../protocol/checkpointFile';
import { bytesPerElement } from './files/elements';
import { limits } from './files/limits';
import { issueText } from './issueText';

/** The element types that are read, by their names in files. */
export const elementTypeOf = {
  F64: 'float64', F32: 'float32', F16: 'float16', BF16: 'bfloat16', I64: 'int64', I32: 'int32', I16: 'int16', I8: 'int8', U8: 'uint8', BOOL: 'bool',
} as const satisfies Readonly<Record<string, ElementType>>;
export type FileDType = keyof typeof elementTypeOf;

export interface TensorEntry {
  readonly dtype: FileDType;
  readonly shape: Shape;
  /** First byte, and the one after the last, counted from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order of their data. */
  readonly entries: ReadonlyMap<string, TensorEntry>;
}

const metadataName = '__metadata__';
const index = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const EntrySchema = v.strictObject({
  dtype: v.string(),
  shape: v.pipe(v.array(index), v.maxLength(limits.axes)),
  data_offsets: v.tuple([index, index]),
});

/**
 * Reads a header and believes none of it: every tensor must have a known type, a size that its shape explains, and its
 * own bytes, and together they must fill the file's data without holes or overlaps.
 * @param file what to call the file in errors
 * @param dataSize bytes that the file has after its header
 * @throws UserError one sentence that names the file and the tensor
 */
export function parseHeader(file: string, bytes: Uint8Array, dataSize: number): SafetensorsHeader {
  const entries = new Map<string, TensorEntry>();
  const metadata = new Map<string, string>();
  for (const [name, value] of headerObject(file, bytes)) {
    if (name === metadataName) addMetadata(file, value, metadata);
    else entries.set(name, checkedEntry(`${file}: tensor ${quoted(name)}`, value));
  }
  return { metadata, entries: laidOut(file, entries, dataSize) };
}

/** Writes a header: its length in 8 bytes, then JSON padded with spaces so that the data begins at a multiple of 8. */
export function formatHeader({ metadata, entries }: SafetensorsHeader): Uint8Array {
  if (entries.has(metadataName)) throw new TypeError(`${metadataName} cannot be the name of a tensor`);
  const header = new Map<string, unknown>(metadata.size > 0 ? [[metadataName, Object.fromEntries(metadata)]] : []);
  for (const [name, { dtype, shape, begin, end }] of entries) {
    header.set(name, { dtype, shape, data_offsets: [begin, end] });
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(header)));
  const bytes = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, ' ');
  bytes.writeBigUInt64LE(BigInt(bytes.length - 8));
  json.copy(bytes, 8);
  return bytes;
}

/** A name from a hostile file, fit to be shown. */
export function quoted(name: string): string {
  return escaped(JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name));
}

export function tooManyTensors(file: string): UserError {
  return new UserError(`${file} has more than ${limits.tensors} tensors, the most that are read.`);
}

function headerObject(file: string, bytes: Uint8Array): [string, unknown][] {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    checkExtent(file, text);
    value = JSON.parse(text);
  } catch (error) {
    throw error instanceof UserError ? error : new UserError(`${file} is not a safetensors file: its header is not JSON.`);
  }
  if (!isObject(value)) throw new UserError(`${file} is not a safetensors file: its header is not a JSON object.`);
  const members = Object.entries(value);
  if (members.length > limits.tensors) throw tooManyTensors(file);
  const repeated = repeatedKey(text);
  if (repeated !== undefined) throw new UserError(`${file}: the header has ${quoted(repeated)} twice.`);
  return members;
}

function addMetadata(file: string, value: unknown, metadata: Map<string, string>): void {
  const wrong = new UserError(`${file}: ${metadataName} does not map names to texts.`);
  if (!isObject(value)) throw wrong;
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw wrong;
    metadata.set(key, text);
  }
}

function checkedEntry(where: string, value: unknown): TensorEntry {
  const result = v.safeParse(EntrySchema, value);
  if (!result.success) {
    const issue = printable(issueText(result.issues[0]).replaceAll('\n', ' '));
    throw new UserError(`${where} is described wrongly${issue.length > 200 ? `${issue.slice(0, 200)}…` : issue}.`);
  }
  const { dtype, shape, data_offsets: [begin, end] } = result.output;
  if (!isFileDType(dtype)) {
    const known = Object.keys(elementTypeOf).join(', ');
    throw new UserError(`${where} has the type ${quoted(dtype)}; those that can be read are ${known}.`);
  }
  if (begin > end) throw new UserError(`${where} ends at byte ${end}, before it begins at ${begin}.`);
  const size = checkedSize(shape, bytesPerElement[elementTypeOf[dtype]]);
  if (size === undefined) throw new UserError(`${where} has the shape ${formatShape(shape)}, larger than any file.`);
  if (end - begin !== size) {
    const kind = `${dtype} ${formatShape(shape)}`;
    throw new UserError(`${where} is ${kind}, which takes ${size} bytes, and has ${end - begin}.`);
  }
  return { dtype, shape, begin, end };
}

/** Bytes of a shape, or nothing where they cannot be counted exactly. */
function checkedSize(shape: Shape, bytesEach: number): number | undefined {
  let size = bytesEach;
  for (const dimension of shape) {
    size *= dimension;
    if (!Number.isSafeInteger(size)) return undefined;
  }
  return size;
}

function laidOut(file: string, entries: ReadonlyMap<string, TensorEntry>, dataSize: number): Map<string, TensorEntry> {
  const ordered = [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let filled = 0;
  let before = '';
  for (const [name, { begin, end }] of ordered) {
    const tensor = `tensor ${quoted(name)}`;
    if (end > dataSize) {
      const where = `at byte ${end} of the data, of which there are ${dataSize}`;
      throw new UserError(`${file} is cut short: ${tensor} ends ${where}.`);
    }
    if (begin < filled) throw new UserError(`${file}: tensors ${quoted(before)} and ${quoted(name)} overlap.`);
    if (begin > filled) throw new UserError(`${file}: ${begin - filled} bytes before ${tensor} belong to no tensor.`);
    [filled, before] = [end, name];
  }
  if (filled < dataSize) {
    const place = ordered.length === 0 ? 'after the header' : `after the last tensor, ${quoted(before)},`;
    throw new UserError(`${file}: ${dataSize - filled} bytes ${place} belong to no tensor.`);
  }
  return new Map(ordered);
}

/** A parser makes a value of everything in a text, whether or not a header has it: millions of empty objects, one in another. */
function checkExtent(file: string, json: string): void {
  let [depth, objects, lists, keys, commas] = [0, 0, 0, 0, 0];
  for (let at = 0; at < json.length; at++) {
    switch (json.charAt(at)) {
      case '"':
        for (at++; at < json.length && json[at] !== '"'; at++) if (json[at] === '\\') at++;
        break;
      case '{':
        if (++objects > limits.tensors + 2) throw tooManyTensors(file); // the whole, and its metadata
        depth++;
        break;
      case '[':
        if (++lists > 2 * limits.tensors) throw tooManyTensors(file);
        depth++;
        break;
      case '}':
      case ']':
        depth--;
        break;
      case ':':
        if (++keys > 5 * limits.tensors) throw new UserError(`${file} has more names in its header than ${limits.tensors} tensors take, the most that are read.`);
        break;
      case ',':
        if (++commas > 16 * limits.tensors) throw new UserError(`${file} has more numbers in its header than ${limits.tensors} tensors take, the most that are read.`);
    }
    if (depth > 3) throw new UserError(`${file} is not a safetensors file: its header is nested more than 3 levels.`);
  }
}

/**
 * A key that some object in `json`, which must be valid, has twice. `JSON.parse` would keep the last and say nothing.
 */
function repeatedKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === '{') open.push(new Set());
    else if (character === '}') open.pop();
    else if (character === '"') {
      const start = at++;
      while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
      let next = at + 1;
      while (' \t\r\n'.includes(json[next] ?? 'end')) next++;
      if (json[next] !== ':') continue;
      const key: unknown = JSON.parse(json.slice(start, at + 1));
      const keys = open.at(-1);
      if (typeof key !== 'string' || keys === undefined) continue;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isFileDType(dtype: string): dtype is FileDType {
  return Object.hasOwn(elementTypeOf, dtype);
}
