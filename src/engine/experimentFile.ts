import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { errorCode, messageOf, UserError } from '../common/errors';
import { unknownName } from '../common/nearest';
import { experimentFileLimit } from '../protocol/experiment';
import { experimentSuffix } from './bundled';

export interface ExperimentFile {
  readonly text: string;
  /** Its path without symbolic links: the same for every name that the file has. */
  readonly realPath: string;
}

/** Bytes; a character takes four at most. */
const sizeLimit = 4 * experimentFileLimit;

/** An experiment file. @throws UserError when it cannot be read; with the nearest names where there is none. */
export async function readExperimentFile(file: string): Promise<ExperimentFile> {
  try {
    const realPath = await realpath(file);
    const status = await stat(realPath);
    if (status.isDirectory()) throw new UserError(`${file} is a folder, not an experiment file.`);
    // A pipe would never come to its end, and a device may have none.
    if (!status.isFile()) throw new UserError(`${file} is a pipe or a device, not an experiment file; save the experiment as a file.`);
    // One byte more than may be says that a file has grown since.
    const bytes = status.size > sizeLimit ? undefined : await buffer(createReadStream(realPath, { end: sizeLimit }));
    if (!bytes || bytes.length > sizeLimit) throw new UserError(`${file} is too large for an experiment.`);
    return { text: bytes.toString('utf8'), realPath };
  } catch (error) {
    if (error instanceof UserError) throw error;
    switch (errorCode(error)) {
      case 'ENOENT': throw unknownName('experiment file', file, await experimentsBeside(file));
      case 'EACCES': throw new UserError(`${file} cannot be read: permission denied.`);
      default: throw new UserError(`${file} cannot be read: ${messageOf(error)}.`);
    }
  }
}

async function experimentsBeside(file: string): Promise<readonly string[]> {
  const folder = path.dirname(file);
  const files = await readdir(folder).catch(() => []);
  return files.filter(name => name.endsWith(experimentSuffix)).map(name => path.join(folder, name));
}
