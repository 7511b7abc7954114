import { UserError } from '../../common/errors';
import { quoted } from '../safetensorsHeader';
import type { ByteSource } from './byteSource';
import { limits } from './limits';

// The zip format as APPNOTE 6.3 describes it, and of that only what torch.save writes: records that lie one after the
// other as they are, a list of them, and the end of the list, which is the end of the file.

/** Where the bytes of a record are. */
export interface ZipRecord {
  readonly from: number;
  readonly length: number;
}

interface Listed {
  readonly name: string;
  readonly flags: number;
  readonly length: number;
  /** Of its header, and the end of what the header surely takes. */
  readonly at: number;
}

const localSignature = 0x04034b50;
const listedSignature = 0x02014b50;
const end64Signature = 0x06064b50;
const locatorSignature = 0x07064b50;
const endSignature = 0x06054b50;

/** Besides each tensor a file has a few records of its own. */
const recordLimit = limits.tensors + 64;
const listLimit = 64e6;
/** Bits that say nothing about how a record is stored: compression options, sizes that follow it, names in UTF-8. */
const harmlessFlags = 0x0002 | 0x0004 | 0x0008 | 0x0800;
const sizesFollow = 0x0008;
const in64 = 0xffffffff;

/**
 * The records of a zip file by their names. Nothing that the file says is believed: they are stored as they are, lie within
 * the file and not within each other, and have names that lead nowhere else.
 * @throws UserError when any of it is otherwise
 */
export async function readZip(source: ByteSource): Promise<ReadonlyMap<string, ZipRecord>> {
  const { count, from, length } = await readEnd(source);
  const listed = readList(source.name, await source.read(from, length), count, from);
  const records = new Map<string, ZipRecord>();
  const read = readAhead(source);
  for (const [index, record] of listed.entries()) {
    const next = listed[index + 1];
    const start = await checkedStart(source.name, record, read);
    if (start + record.length > (next?.at ?? from)) {
      const other = next === undefined ? 'the list of records' : quoted(next.name);
      throw new UserError(`${source.name}: the record ${quoted(record.name)} and ${other} overlap.`);
    }
    records.set(record.name, { from: start, length: record.length });
  }
  return records;
}

async function readEnd(source: ByteSource): Promise<{ readonly count: number; readonly from: number; readonly length: number }> {
  const cut = new UserError(
    `${source.name} is cut short or damaged: a zip file ends with the list of its records, and this one does not, so copy or download it again.`,
  );
  const tailLength = Math.min(source.size, 98);
  if (tailLength < 22) throw cut;
  const tail = view(await source.read(source.size - tailLength, tailLength));
  const end = tailLength - 22;
  if (tail.getUint32(end, true) !== endSignature || tail.getUint16(end + 20, true) !== 0) throw cut;
  let [count, length, from] = [tail.getUint16(end + 10, true), tail.getUint32(end + 12, true), tail.getUint32(end + 16, true)];
  const disks = [tail.getUint16(end + 4, true), tail.getUint16(end + 6, true)];
  let oneDisk = disks.every(disk => disk === 0 || disk === 0xffff) && tail.getUint16(end + 8, true) === count;
  let listEnd = source.size - 22;
  if (tailLength === 98 && tail.getUint32(end - 20, true) === locatorSignature) {
    if (tail.getUint32(0, true) !== end64Signature || number64(tail, end - 12) !== source.size - 98) throw cut;
    oneDisk &&= tail.getUint32(16, true) === 0 && tail.getUint32(20, true) === 0;
    const [count64, length64, from64] = [number64(tail, 32), number64(tail, 40), number64(tail, 48)];
    const differ = (count !== 0xffff && count !== count64) || (length !== in64 && length !== length64) || (from !== in64 && from !== from64);
    if (differ || number64(tail, 24) !== count64) throw cut;
    [count, length, from, listEnd] = [count64, length64, from64, source.size - 98];
  }
  if (!oneDisk) throw new UserError(`${source.name} is one part of a zip file in several, which cannot be read; torch.save writes one.`);
  if (count > recordLimit || length > listLimit) {
    throw new UserError(`${source.name} has ${count} records, listed in ${length} bytes, where ${recordLimit} in ${listLimit} are the most.`);
  }
  if (from + length !== listEnd) throw cut;
  return { count, from, length };
}

/** The records in the order of their places. */
function readList(file: string, bytes: Uint8Array, count: number, listStart: number): readonly Listed[] {
  const list = view(bytes);
  const damaged = new UserError(`${file} is damaged: the list of its ${count} records cannot be read.`);
  const records: Listed[] = [];
  const names = new Set<string>();
  let at = 0;
  while (at < bytes.length) {
    if (at + 46 > bytes.length || list.getUint32(at, true) !== listedSignature) throw damaged;
    const [nameLength, extraLength, commentLength] = [list.getUint16(at + 28, true), list.getUint16(at + 30, true), list.getUint16(at + 32, true)];
    const end = at + 46 + nameLength + extraLength + commentLength;
    if (end > bytes.length) throw damaged;
    const name = checkedName(file, bytes.subarray(at + 46, at + 46 + nameLength));
    if (names.has(name)) throw new UserError(`${file} has the record ${quoted(name)} twice.`);
    names.add(name);
    const [flags, method] = [list.getUint16(at + 8, true), list.getUint16(at + 10, true)];
    checkStored(`${file}: the record ${quoted(name)}`, flags, method);
    const wide = wideNumbers(bytes.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength));
    const [length, packed, place] = [at + 24, at + 20, at + 42].map(field => {
      const value = list.getUint32(field, true);
      return value === in64 ? wide.shift() : value;
    });
    if (length === undefined || length !== packed || place === undefined || place + 30 + nameLength + length > listStart) throw damaged;
    records.push({ name, flags, length, at: place });
    at = end;
  }
  if (records.length !== count) throw damaged;
  return records.sort((a, b) => a.at - b.at);
}

/** The place of a record's bytes, once its own header has said what the list says of it. */
async function checkedStart(file: string, record: Listed, read: (from: number, length: number) => Promise<Uint8Array>): Promise<number> {
  // Not made before it is thrown: there can be as many as there are records.
  const differs = () => new UserError(`${file} is damaged: what the record ${quoted(record.name)} says of itself is not what the list of records says of it.`);
  const name = Buffer.from(record.name);
  const bytes = await read(record.at, 30 + name.length);
  const header = view(bytes);
  if (bytes.length < 30 + name.length || header.getUint32(0, true) !== localSignature) throw differs();
  if (header.getUint16(6, true) !== record.flags || header.getUint16(8, true) !== 0) throw differs();
  if (header.getUint16(26, true) !== name.length || !name.equals(bytes.subarray(30))) throw differs();
  for (const size of [header.getUint32(18, true), header.getUint32(22, true)]) {
    const follows = size === 0 && (record.flags & sizesFollow) !== 0;
    if (size !== record.length && size !== in64 && !follows) throw differs();
  }
  return record.at + 30 + name.length + header.getUint16(28, true);
}

/** Reads headers, which come in the order of their places: many of small records are in memory at once. */
function readAhead(source: ByteSource): (from: number, length: number) => Promise<Uint8Array> {
  let [start, bytes] = [0, new Uint8Array()];
  return async (from, length) => {
    if (from < start || from + length > start + bytes.length) {
      [start, bytes] = [from, await source.read(from, Math.min(Math.max(length, 4096), source.size - from))];
    }
    return bytes.subarray(from - start, from - start + length);
  };
}

function checkStored(record: string, flags: number, method: number): void {
  if ((flags & 1) !== 0) throw new UserError(`${record} is encrypted, which cannot be read; save the file again with torch.save.`);
  if (method !== 0) {
    throw new UserError(`${record} is compressed (method ${method}), which torch.save never does; load the file in Python and save it again.`);
  }
  if ((flags & ~harmlessFlags) !== 0) throw new UserError(`${record} is stored in a way that torch.save never does (flags ${flags}).`);
}

/** A name that cannot lead out of a folder, though nothing here is ever unpacked. */
function checkedName(file: string, bytes: Uint8Array): string {
  let name: string;
  try {
    name = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new UserError(`${file} has a record whose name is not UTF-8.`);
  }
  if (/^$|^\/|^[A-Za-z]:|\\|[\u0000-\u001f]|(^|\/)\.{1,2}(\/|$)/.test(name)) {
    throw new UserError(`${file} has a record with the name ${quoted(name)}, which torch.save never gives, so the file was not read any further.`);
  }
  return name;
}

/** The numbers of the zip64 field among a record's extra fields, which stand for those that have no room. */
function wideNumbers(extra: Uint8Array): number[] {
  const fields = view(extra);
  for (let at = 0; at + 4 <= extra.length;) {
    const [id, length] = [fields.getUint16(at, true), fields.getUint16(at + 2, true)];
    at += 4;
    if (id === 1 && at + length <= extra.length) {
      return Array.from({ length: Math.floor(length / 8) }, (_, index) => number64(fields, at + 8 * index));
    }
    at += length;
  }
  return [];
}

/** Exact, or larger than any place in a file. */
function number64(bytes: DataView, at: number): number {
  return Number(bytes.getBigUint64(at, true));
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
