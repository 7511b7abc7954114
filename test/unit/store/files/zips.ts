// Zip files, true or not.

/** What is written of a record other than what is true of it. */
export interface Lies {
  readonly flags?: number;
  readonly method?: number;
  readonly localName?: string;
  readonly localLength?: number;
  readonly listedLength?: number;
  readonly packedLength?: number;
  /** Where the list says that the record is. */
  readonly at?: number;
}

export interface ZipPart extends Lies {
  readonly name: string | Uint8Array;
  readonly data: Uint8Array;
}

export interface ZipEnd {
  readonly count?: number;
  readonly listLength?: number;
  readonly listAt?: number;
  readonly disk?: number;
  /** Whether the numbers of the end are those of zip64, as PyTorch writes them. */
  readonly wide?: boolean;
}

export function zip(parts: readonly ZipPart[], end: ZipEnd = {}): Uint8Array {
  const [bodies, listed]: [Uint8Array[], Uint8Array[]] = [[], []];
  let at = 0;
  for (const part of parts) {
    const { name, data, flags = 0, method = 0, localName = name, localLength = data.length, listedLength = data.length } = part;
    const [nameBytes, localBytes] = [Buffer.from(name), Buffer.from(localName)];
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50);
    header.writeUInt16LE(flags, 6);
    header.writeUInt16LE(method, 8);
    header.writeUInt32LE(localLength, 18);
    header.writeUInt32LE(localLength, 22);
    header.writeUInt16LE(localBytes.length, 26);
    bodies.push(header, localBytes, data);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50);
    entry.writeUInt16LE(flags, 8);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(part.packedLength ?? listedLength, 20);
    entry.writeUInt32LE(listedLength, 24);
    entry.writeUInt16LE(nameBytes.length, 28);
    entry.writeUInt32LE(part.at ?? at, 42);
    listed.push(entry, nameBytes);
    at += 30 + localBytes.length + data.length;
  }
  const list = Buffer.concat(listed);
  const { count = parts.length, listLength = list.length, listAt = at, disk = 0, wide = false } = end;
  const last = Buffer.alloc(22);
  last.writeUInt32LE(0x06054b50);
  last.writeUInt16LE(disk, 4);
  last.writeUInt16LE(disk, 6);
  last.writeUInt16LE(wide ? 0xffff : count & 0xffff, 8);
  last.writeUInt16LE(wide ? 0xffff : count & 0xffff, 10);
  last.writeUInt32LE(wide ? 0xffffffff : listLength, 12);
  last.writeUInt32LE(wide ? 0xffffffff : listAt, 16);
  if (!wide) return Buffer.concat([...bodies, list, last]);
  const end64 = Buffer.alloc(56);
  end64.writeUInt32LE(0x06064b50);
  end64.writeBigUInt64LE(44n, 4);
  end64.writeBigUInt64LE(BigInt(count), 24);
  end64.writeBigUInt64LE(BigInt(count), 32);
  end64.writeBigUInt64LE(BigInt(listLength), 40);
  end64.writeBigUInt64LE(BigInt(listAt), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50);
  locator.writeBigUInt64LE(BigInt(at + list.length), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([...bodies, list, end64, locator, last]);
}

/** What torch.save would have written around a pickle, with a storage of the numbers 1 to 4 unless said otherwise. */
export function torchFile(
  pickled: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = { 0: new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer) },
  more: readonly ZipPart[] = [{ name: 'model/byteorder', data: Buffer.from('little') }],
): Uint8Array {
  const data = Object.entries(storages).map(([key, bytes]) => ({ name: `model/data/${key}`, data: bytes }));
  return zip([{ name: 'model/data.pkl', data: pickled }, ...data, ...more]);
}
