import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { UserError } from '../common/errors';
import type { TaskSnapshot } from '../protocol/taskModule';
import type { ModelSizes } from '../tasks/fitted';
import { promptsSnapshot } from '../tasks/prompts';
import type { Tokenizer } from '../tasks/tokenizer';
import { parsedJson, readTextFile } from './textFile';

const kind = { what: 'a file of prompts', limit: 32 << 20 };

/** The task that a file of prompts poses to a model. @throws UserError that says where in the file what is wrong. */
export async function readPrompts(file: string, sizes: ModelSizes, tokenizer?: Tokenizer): Promise<TaskSnapshot> {
  const { text, realPath } = await readTextFile(file, kind);
  const value = parsedJson(file, text, kind);
  try {
    return promptsSnapshot({ name: basename(realPath), folder: dirname(realPath), text, value }, sizes, tokenizer, digestOf);
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${basename(file)}: ${error.message}`) : error;
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
