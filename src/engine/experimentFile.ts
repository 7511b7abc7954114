import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { unknownName } from '../common/nearest';
import { experimentFileLimit } from '../protocol/experiment';
import { experimentSuffix } from './bundled';
import { readTextFile, type TextFile } from './textFile';

/** An experiment file. @throws UserError when it cannot be read; with the nearest names where there is none. */
export function readExperimentFile(file: string): Promise<TextFile> {
  return readTextFile(file, {
    what: 'an experiment file',
    limit: 4 * experimentFileLimit, // a character takes four bytes at most
    missing: async () => unknownName('experiment file', file, await experimentsBeside(file)),
  });
}

async function experimentsBeside(file: string): Promise<readonly string[]> {
  const folder = path.dirname(file);
  const files = await readdir(folder).catch(() => []);
  return files.filter(name => name.endsWith(experimentSuffix)).map(name => path.join(folder, name));
}
