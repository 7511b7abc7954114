import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { buildBundles } from '../../support/bundles';
import { expectClose } from '../../support/close';
import { onnx, runOnce } from '../../support/runtimes';
import { problems } from './webGpuProblem';
import type { WebGpuReport } from './webGpuProcess';

/** SwiftShader, a GPU in software that comes with Debian's chromium: a Vulkan driver for machines without a GPU. */
const driverFolder = '/usr/lib/chromium';
const driver = `${driverFolder}/vk_swiftshader_icd.json`;
const isThere = existsSync(driver);

/** Computes the problems in a process of its own: the Vulkan loader reads its environment once. */
async function onSwiftShader(): Promise<WebGpuReport> {
  const bundles = await buildBundles({ webGpu: 'test/unit/compile/webGpuProcess.ts' });
  onTestFinished(() => bundles.dispose());
  const child = fork(path.join(bundles.folder, 'webGpu.js'), {
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // Chromium brings the Vulkan loader as well.
    env: { ...process.env, VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver, LD_LIBRARY_PATH: driverFolder },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let complaints = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  const ended = once(child, 'exit').then(() => {
    throw new Error(`the process ended without a report: ${complaints}`);
  });
  const [report] = (await Promise.race([once(child, 'message'), ended])) as [WebGpuReport];
  ended.catch(() => undefined);
  return report;
}

test.skipIf(!isThere)(
  `WebGPU agrees with the CPU${isThere ? '' : `: not run, because there is no ${driver} (it comes with Debian's chromium)`}`,
  async () => {
    const { description, outputs } = await onSwiftShader();
    expect(description).toBe('WebGPU');
    for (const [name, { fn, inputs }] of Object.entries(problems())) {
      const expected = await runOnce(onnx, fn, inputs);
      expected.forEach(({ data, shape, dtype }, index) => {
        const got = outputs[name]?.[index];
        expect({ shape: got?.shape, dtype: got?.dtype }, `${name}, output ${index}`).toEqual({ shape, dtype });
        expectClose(got?.data ?? [], data, { absolute: 1e-4 }, `${name}, output ${index}`);
      });
    }
  },
  60_000,
);
