import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { errorCode, UserError } from '../../common/errors';

/** No system reads more than 2³¹ - 1 bytes in one call. */
const readLimit = 2 ** 30;

/** Bytes that are read in pieces: a file, or what stands for one. */
export interface ByteSource {
  /** What errors call it. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /**
   * A copy of some of its bytes, in a buffer that holds nothing else.
   * @throws UserError when it has changed since it was opened, or when there is no memory for so many.
   */
  read(from: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** Opens a file. Throws a UserError when there is none, or none that can be read. */
export async function openByteSource(path: string): Promise<ByteSource> {
  // Without waiting: a pipe would keep this until somebody writes to it.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw errorOfOpening(path, error);
  });
  try {
    const status = await file.stat({ bigint: true });
    if (!status.isFile()) throw new UserError(`${path} is not a file.`);
    return {
      name: path,
      size: Number(status.size),
      close: () => file.close(),
      async read(from, length) {
        const bytes = allocate(path, length);
        let done = 0;
        while (done < length) {
          const { bytesRead } = await file.read(bytes, done, Math.min(length - done, readLimit), from + done);
          if (bytesRead === 0) throw new UserError(`${path} is cut short: it became shorter while it was read.`);
          done += bytesRead;
        }
        // What was read before belongs to what is read now, or nothing of it may be used. Not the time of the inode: a file that another
        // is renamed over stays what it was for whoever has it open.
        const { size, mtimeNs } = await file.stat({ bigint: true });
        if (size !== status.size || mtimeNs !== status.mtimeNs) {
          throw new UserError(`${path} changed while it was read; open it again when nothing writes to it any more.`);
        }
        return bytes;
      },
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** A file that is in memory already. */
export function bytesInMemory(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.length,
    close: () => Promise.resolve(),
    read(from, length) {
      // Readers check what a file says before they believe it; this says where one did not.
      if (from < 0 || from + length > bytes.length) throw new RangeError(`no bytes ${from} to ${from + length} in ${name}`);
      return Promise.resolve(new Uint8Array(bytes.subarray(from, from + length)));
    },
  };
}

/** Memory for so many bytes: a file with holes in it can be larger than any memory and be what it says all the same. */
export function allocate(what: string, bytes: number): Uint8Array<ArrayBuffer> {
  const tooLarge = new UserError(`${what}: ${bytes} bytes are wanted at once, more than there is memory for.`);
  if (bytes > totalmem()) throw tooLarge; // some systems promise memory that they do not have
  try {
    return new Uint8Array(bytes);
  } catch {
    throw tooLarge;
  }
}

function errorOfOpening(path: string, error: unknown): unknown {
  switch (errorCode(error)) {
    case 'ENOENT': return new UserError(`There is no file ${path}.`);
    case 'EACCES':
    case 'EPERM': return new UserError(`${path} cannot be read: its permissions do not allow it.`);
    default: return error instanceof Error ? new UserError(`${path} cannot be read: ${error.message}.`) : error;
  }
}
