import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, messageOf, UserError } from '../common/errors';
import { TokenizerSchema, type TokenizerDefinition } from '../protocol/tokenizer';
import { parseStored } from './modelRecord';

/** The file in a model's folder that holds its tokenizer, where it came with one. */
export const tokenizerFile = 'tokenizer.json';

/** Bytes of it; what is larger is none. */
const sizeLimit = 128 << 20;

/** The text of the file. */
export function formatTokenizer(definition: TokenizerDefinition): string {
  return JSON.stringify(definition);
}

/** The tokenizer of the model in a folder; undefined where it has none. @throws UserError when it cannot be read. */
export async function readTokenizer(folder: string): Promise<TokenizerDefinition | undefined> {
  const file = join(folder, tokenizerFile);
  try {
    if ((await stat(file)).size > sizeLimit) throw new UserError(`${file} is too large for a tokenizer.`);
    return parseStored('a tokenizer', TokenizerSchema, file, await readFile(file, 'utf8'));
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (errorCode(error) === 'ENOENT') return undefined;
    throw new UserError(`${file} cannot be read: ${messageOf(error)}.`);
  }
}
