import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { expect, onTestFinished, test } from 'vitest';
import { UserError } from '../../../src/common/errors';
import { float32 } from '../../../src/common/tensor';
import { openRuntime } from '../../../src/compile/devices';

const request = { threads: 1, spin: false };

/** A folder into which a package called as TensorFlow's was installed, that does `code`. */
async function folderWithTensorFlow(code: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'circuits-devices-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const at = path.join(folder, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
  await mkdir(at, { recursive: true });
  await writeFile(path.join(at, 'index.js'), code);
  return folder;
}

test('cpu computes', async () => {
  const runtime = await openRuntime({ ...request, device: 'cpu' });
  expect(runtime.description).toBe('CPU, 1 thread');
  const executable = await runtime.compile('sum', x => [tf.sum(x as Tensor)], [{ dtype: 'float32', shape: [2] }]);
  expect(await executable.run([float32([2], Float32Array.of(1, 2))])).toEqual([float32([], Float32Array.of(3))]);
  runtime.dispose();
});

test('0 threads are all that there are', async () => {
  expect((await openRuntime({ ...request, device: 'cpu', threads: 0 })).description).toMatch(/^CPU, \d+ threads?$/);
});

test('auto takes the processor for a small model', async () => {
  for (const size of [{}, { gflopPerStep: 0.1 }]) {
    expect((await openRuntime({ ...request, device: 'auto', ...size })).description).toMatch(/^CPU/);
  }
});

test('TensorFlow that is not there says what would make it available', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'circuits-devices-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const opened = openRuntime({ ...request, device: 'tensorflow', tensorflowFolder: folder });
  await expect(opened).rejects.toThrow(UserError);
  await expect(opened).rejects.toThrow(
    /^TensorFlow is not available: run "Circuits: Set Up TensorFlow GPU" in VS Code, or install @tensorflow\/tfjs-node-gpu beside this package\.$/,
  );
});

test('TensorFlow that is there but broken says what it complains of, in one line', async () => {
  const folder = await folderWithTensorFlow(
    `throw new Error('libcudart.so.11.0: cannot open shared object file\\nRequire stack:\\n- here');`,
  );
  const opened = openRuntime({ ...request, device: 'tensorflow', tensorflowFolder: folder });
  await expect(opened).rejects.toThrow(UserError);
  await expect(opened).rejects.toThrow(
    /^TensorFlow is installed but does not start: libcudart\.so\.11\.0: cannot open shared object file$/,
  );
});
