import { randomUUID } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { errorCode, UserError } from '../common/errors';

/** Bytes of one write: whoever is killed by then does not wait for long. */
const writtenAtOnce = 64 << 20;

/**
 * Writes a file whole or not at all. The content goes to a temporary file beside it, reaches the disk, and then takes
 * the file's name in one step, so that readers, and whoever comes after a crash, find the old content or the new.
 * @throws UserError when the disk is full, the folder is read-only or not there; nothing is left behind then.
 */
export async function writeFileAtomically(path: string, content: string | readonly Uint8Array[]): Promise<void> {
  const folder = dirname(path);
  const chunks = typeof content === 'string' ? [Buffer.from(content)] : content;
  const temporary = join(folder, `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    const file = await open(temporary, 'wx');
    try {
      for (const chunk of chunks) await writeWhole(file, chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    await replace(temporary, path);
    await syncFolder(folder);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw writeFailure(error, path, chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  }
}

/** As writeFile does, but not in pieces of half a megabyte, each of which waits for whatever else this process does. */
async function writeWhole(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let from = 0; from < chunk.length;) {
    const { bytesWritten } = await file.write(chunk, from, Math.min(chunk.length - from, writtenAtOnce));
    from += bytesWritten;
  }
}

/** Whether a file is one that {@link writeFileAtomically} was writing; after a crash it stays behind. */
export function isTemporary(name: string): boolean {
  return name.startsWith('.') && name.endsWith('.tmp');
}

/** Makes what was made, renamed or removed in a folder outlast a power cut, where the system can say so. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return; // Windows opens no folders as files
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EPERM', 'EACCES', 'EBADF', 'EISDIR'].includes(errorCode(error) ?? '')) throw error;
  } finally {
    await handle.close();
  }
}

/** What to tell people when `path` could not be written; the error itself where they can do nothing about it. */
export function writeFailure(error: unknown, path: string, bytes?: number): unknown {
  const [folder, name] = [dirname(path), basename(path)];
  switch (errorCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT': {
      const needed = bytes === undefined ? 'there is no room' : `${megabytes(bytes)} were needed`;
      return new UserError(`The disk that holds ${folder} is full: ${needed} for ${name}.`);
    }
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return new UserError(
        `${folder} is read-only, so ${name} cannot be written there; make it writable or choose another folder.`,
      );
    case 'ENOENT':
    case 'ENOTDIR':
      return new UserError(`There is no folder ${folder} to write ${name} in.`);
    default:
      return error;
  }
}

function megabytes(bytes: number): string {
  return `${(Math.ceil(bytes / 1e5) / 10).toFixed(1)} MB`;
}

/** On Windows a file cannot be replaced while somebody reads it, and readers here are done in milliseconds. */
async function replace(from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await rename(from, to);
    } catch (error) {
      const isBusy = process.platform === 'win32' && ['EPERM', 'EACCES', 'EBUSY'].includes(errorCode(error) ?? '');
      if (!isBusy || attempt === 10) throw error;
      await wait(10 * attempt);
    }
  }
}
