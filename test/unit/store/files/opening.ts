import { expect } from 'vitest';
import { UserError } from '../../../../src/common/errors';
import { bytesInMemory } from '../../../../src/store/files/byteSource';
import { openTensors } from '../../../../src/store/files/open';
import type { FileTensor, TensorFile } from '../../../../src/store/files/tensorFile';

/** A file with these bytes, which errors call FILE. */
export function opened(bytes: Uint8Array): Promise<TensorFile> {
  return openTensors(bytesInMemory('FILE', bytes));
}

/** The sentence with which these bytes are refused. */
export async function refusalOf(bytes: Uint8Array): Promise<string> {
  return sentenceOf(opened(bytes));
}

export async function sentenceOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(() => undefined, (thrown: unknown) => thrown);
  expect(error, 'a UserError').toBeInstanceOf(UserError);
  const message = error instanceof UserError ? error.message : '';
  expect(message).toMatch(/^[^\n]+\.$/);
  return message;
}

export function tensorOf(file: TensorFile, name: string): FileTensor {
  const tensor = file.tensors.get(name);
  if (!tensor) throw new Error(`no tensor ${name}: ${[...file.tensors.keys()].join(', ')}`);
  return tensor;
}
