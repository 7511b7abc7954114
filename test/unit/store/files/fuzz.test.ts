import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { UserError } from '../../../../src/common/errors';
import { Random } from '../../../../src/common/random';
import { sizeOf } from '../../../../src/common/tensor';
import { choice, mutatedPickle, mutatedSafetensors, mutatedTorch, torchSeed } from './mutations';
import { opened } from './opening';

// Files that are almost right, the same ones each time. CIRCUITS_FUZZ=100000 makes that many of each format in place of a few.

const count = Number(process.env['CIRCUITS_FUZZ'] ?? 1500);
const read = (name: string) => readFile(path.join(import.meta.dirname, '../../../fixtures/files', name));

const safetensors = [await read('types.safetensors')];
const torch = await Promise.all(
  ['types.pt', 'views.pt', 'tied.pt', 'parameters.pt', 'run-protocol-2.pt', 'run-protocol-4.pt', 'run-protocol-5.pt', 'training-protocol-2.pt', 'training-protocol-4.pt',
    'arrays-numpy-1-protocol-2.pt', 'arrays-numpy-2-protocol-5.pt', 'tensor.pt'].map(async name => torchSeed(await read(name))),
);

test.each<readonly [string, (random: Random) => Uint8Array]>([
  ['safetensors', random => mutatedSafetensors(random, choice(random, safetensors))],
  ['torch zip', random => mutatedTorch(random, choice(random, torch))],
  ['pickle', random => mutatedPickle(random, choice(random, torch))],
])('a mutated %s is read, or refused with a sentence, at once and in little memory', async (format, mutate) => {
  const before = process.memoryUsage.rss();
  const began = performance.now();
  const reasons = new Map<string, number>();
  let [slowest, largest, readable] = [0, 0, 0];
  for (let index = 0; index < count; index++) {
    const bytes = mutate(new Random(index, format));
    const start = performance.now();
    const error = await openAndRead(bytes);
    slowest = Math.max(slowest, performance.now() - start);
    if (error === undefined) readable++;
    else {
      const message = error instanceof UserError ? error.message : `no UserError but ${String(error)}`;
      expect(error, `${format} ${index}: ${message}`).toBeInstanceOf(UserError);
      expect(message, `${format} ${index}`).toMatch(/^FILE\b[^\n\u001b]{1,2000}\.$/);
      const reason = message.replaceAll(/"([^"\\]|\\.)*"/g, '"…"').replaceAll(/-?\d+/g, '#').slice(0, 60);
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
    if (index % 100 === 0) largest = Math.max(largest, process.memoryUsage.rss() - before);
  }
  if (process.env['CIRCUITS_FUZZ'] !== undefined) {
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    console.log(`${format}: ${count} in ${seconds} s, ${readable} readable, the slowest ${slowest.toFixed(0)} ms, ${(largest / 2 ** 20).toFixed(0)} MB more`);
    console.log([...reasons].sort(([, a], [, b]) => b - a).map(([reason, times]) => `  ${times} ${reason}`).join('\n'));
  }
  expect(slowest, 'milliseconds').toBeLessThan(1000);
  expect(largest, 'bytes of memory').toBeLessThan(512 * 2 ** 20);
  // Else the mutations stop at the first look, or change nothing.
  expect(readable).toBeGreaterThan(count / 100);
  expect(readable).toBeLessThan(count * 0.8);
  expect(reasons.size).toBeGreaterThan(15);
}, 20_000 + count * 20);

/** What was thrown, if anything. */
async function openAndRead(bytes: Uint8Array): Promise<unknown> {
  try {
    const file = await opened(bytes);
    for (const tensor of file.tensors.values()) {
      const size = sizeOf(tensor.shape);
      const elements = await file.read(tensor, 0, Math.min(size, 1000));
      expect(elements.length).toBe(Math.min(size, 1000));
      if (size > 1000) await file.read(tensor, size - 3, 3);
    }
    return undefined;
  } catch (error) {
    return error;
  }
}
