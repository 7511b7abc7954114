import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder of its own for a test, gone afterwards. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'circuits-store-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A copy of a folder of its own for a test. */
export async function copyOf(folder: string): Promise<string> {
  const copy = path.join(await temporaryFolder(), 'copy');
  await cp(folder, copy, { recursive: true });
  return copy;
}
