import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { errorCode, messageOf, UserError } from '../common/errors';
import { nestingLimit, nestingOf } from '../protocol/nesting';

export interface TextFile {
  readonly text: string;
  /** Its path without symbolic links: the same for every name that the file has. */
  readonly realPath: string;
}

/** What a file is to hold. */
export interface TextFileKind {
  /** As in "an experiment file". */
  readonly what: string;
  /** The most bytes that one has. */
  readonly limit: number;
  /** What to say where there is none. */
  readonly missing?: (file: string) => Promise<UserError>;
}

/** A file of text that people chose. @throws UserError when it cannot be read. */
export async function readTextFile(file: string, { what, limit, missing }: TextFileKind): Promise<TextFile> {
  try {
    const realPath = await realpath(file);
    const status = await stat(realPath);
    if (status.isDirectory()) throw new UserError(`${file} is a folder, not ${what}.`);
    // A pipe would never come to its end, and a device may have none.
    if (!status.isFile()) throw new UserError(`${file} is a pipe or a device, not ${what}; save it as a file.`);
    // One byte more than may be says that a file has grown since.
    const bytes = status.size > limit ? undefined : await buffer(createReadStream(realPath, { end: limit }));
    if (!bytes || bytes.length > limit) throw new UserError(`${file} is too large for ${what}.`);
    return { text: bytes.toString('utf8'), realPath };
  } catch (error) {
    if (error instanceof UserError) throw error;
    switch (errorCode(error)) {
      case 'ENOENT': throw (await missing?.(file)) ?? new UserError(`There is no file ${file}.`);
      case 'EACCES': throw new UserError(`${file} cannot be read: permission denied.`);
      default: throw new UserError(`${file} cannot be read: ${messageOf(error)}.`);
    }
  }
}

/** What a file of JSON holds. @throws UserError when it cannot be read, or is none. */
export async function readJsonFile(file: string, kind: TextFileKind): Promise<unknown> {
  return parsedJson(file, (await readTextFile(file, kind)).text, kind);
}

/** What the text of such a file holds. @throws UserError when it is no JSON. */
export function parsedJson(file: string, text: string, kind: TextFileKind): unknown {
  const nesting = nestingOf(text);
  if (nesting > nestingLimit) throw new UserError(`${file} is nested ${nesting} levels deep; ${kind.what} needs fewer than ${nestingLimit}.`);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(`${file} is not JSON (${messageOf(error)}).`);
  }
}
