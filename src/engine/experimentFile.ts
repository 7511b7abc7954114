import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { errorCode, UserError } from '../common/errors';
import { unknownName } from '../common/nearest';
import { experimentFileLimit } from '../protocol/experiment';
import { experimentSuffix } from './bundled';

/** The text of an experiment file. @throws UserError when it cannot be read; with the nearest names where there is none. */
export async function readExperimentFile(file: string): Promise<string> {
  try {
    const bytes = await readFile(file);
    if (bytes.length > 4 * experimentFileLimit) throw new UserError(`${file} is too large for an experiment.`);
    return bytes.toString('utf8');
  } catch (error) {
    switch (errorCode(error)) {
      case 'ENOENT': throw unknownName('experiment file', file, await experimentsBeside(file));
      case 'EISDIR': throw new UserError(`${file} is a folder, not an experiment file.`);
      case 'EACCES': throw new UserError(`${file} cannot be read: permission denied.`);
      default: throw error;
    }
  }
}

async function experimentsBeside(file: string): Promise<readonly string[]> {
  const folder = path.dirname(file);
  const files = await readdir(folder).catch(() => []);
  return files.filter(name => name.endsWith(experimentSuffix)).map(name => path.join(folder, name));
}
