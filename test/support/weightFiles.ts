import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ModelConfig } from '../../src/protocol/config';
import { configFile } from '../../src/store/export/hookedTransformer';
import { encodeSafetensors, type SavedTensor } from '../../src/store/safetensors';
import { randomParameters } from './models';

/** Writes a model of random parameters, and its config beside it, as people have them from Python. */
export async function writeModelFile(file: string, config: ModelConfig, seed = 1): Promise<string> {
  const { dir, name } = path.parse(file);
  await writeFile(path.join(dir, `${name}.config.json`), JSON.stringify(configFile(config, 0)));
  return writeTensors(file, randomParameters(config, seed));
}

export async function writeTensors(file: string, tensors: ReadonlyMap<string, SavedTensor>): Promise<string> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, Buffer.concat(encodeSafetensors(tensors)));
  return file;
}
