import { readFile } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { openTensorFile } from '../../src/store/files/open';
import { readSafetensors } from '../../src/store/safetensors';
import { readImport } from '../../src/store/states/import';
import type { ImportedState } from '../../src/store/states/importedState';
import { FixtureTensors } from './fixtures';

// The files of test/fixtures/imported, whose README says what is in them.

const folder = path.join(import.meta.dirname, '../fixtures/imported');

/** Those of a single state, with all that TransformerLens computed with it. */
export const importedFixtures: readonly string[] = namesOf('.run.safetensors').filter(name => name !== 'checkpoints');
/** Those whose weights TransformerLens processed. */
export const processedFixtures: readonly string[] = namesOf('.processed.safetensors');

function namesOf(ending: string): readonly string[] {
  return readdirSync(folder).filter(name => name.endsWith(ending)).map(name => name.replace(ending, ''));
}

/** A file and the config beside it; `grokking` has none. */
function placesOf(name: string): { readonly weights: string; readonly config?: string } {
  if (name === 'gpt2') return { weights: 'gpt2/model.safetensors', config: 'gpt2/config.json' };
  return { weights: `${name}.pt`, ...(name !== 'grokking' && { config: `${name}.config.json` }) };
}

/** Calls `use` with a file's model, told by its config file too, while the file is open. */
export async function withImported<T>(name: string, use: (state: ImportedState) => Promise<T>): Promise<T> {
  const { weights, config } = placesOf(name);
  const file = await openTensorFile(path.join(folder, weights));
  try {
    const document = config === undefined ? undefined : (JSON.parse(await readFile(path.join(folder, config), 'utf8')) as unknown);
    return await use(await readImport(file, { config: document }));
  } finally {
    await file.close();
  }
}

/** A file's config and weights. */
export function readImported(name: string) {
  return withImported(name, async state => ({ config: state.config, weights: await state.weights() }));
}

export function readRun(name: string): Promise<FixtureTensors> {
  return readTensors(`${name}.run.safetensors`);
}

export function readProcessed(name: string): Promise<FixtureTensors> {
  return readTensors(`${name}.processed.safetensors`);
}

/** What TransformerLens computed of prompts shorter than n_ctx, by their length. */
export function readShort(name: string): Promise<FixtureTensors> {
  return readTensors(`${name}.short.safetensors`);
}

/** Rows of TransformerLens' tables of rotations. */
export function readRotations(): Promise<FixtureTensors> {
  return readTensors('rotations.safetensors');
}

async function readTensors(file: string): Promise<FixtureTensors> {
  return new FixtureTensors((await readSafetensors(path.join(folder, file))).tensors);
}
