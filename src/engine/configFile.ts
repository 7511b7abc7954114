import { stat } from 'node:fs/promises';
import path from 'node:path';
import { readJsonFile } from './textFile';

/** What a config file holds, not looked into yet. */
export interface ConfigFile {
  /** Without its folder. */
  readonly name: string;
  readonly value: unknown;
}

const kind = { what: 'the config of a model', limit: 1 << 20 };

/**
 * The config that goes with a file of weights: the given one; otherwise the one beside it that has its name, as
 * `grokked.config.json` beside `grokked.pt`, or is called `config.json`.
 * @throws UserError for one that cannot be read, or is not JSON; where the given one is not there.
 */
export async function findConfig(file: string, given?: string): Promise<ConfigFile | undefined> {
  const { dir, name } = path.parse(file);
  const beside = [`${name}.config.json`, 'config.json'].map(each => path.join(dir, each));
  const found = given ?? (await firstThere(beside));
  return found === undefined ? undefined : { name: path.basename(found), value: await readJsonFile(found, kind) };
}

async function firstThere(files: readonly string[]): Promise<string | undefined> {
  for (const file of files) if (await stat(file).catch(() => undefined)) return file;
  return undefined;
}
