import process from 'node:process';
import type { HostTensor } from '../../../src/common/tensor';
import { openRuntime } from '../../../src/compile/devices';
import { problems } from './webGpuProblem';

/** What this process tells: the device, and every problem's outputs on it. */
export interface WebGpuReport {
  readonly description: string;
  readonly outputs: Readonly<Record<string, readonly HostTensor[]>>;
}

async function main(): Promise<void> {
  const runtime = await openRuntime({ device: 'webgpu', threads: 1, spin: false });
  const outputs: Record<string, readonly HostTensor[]> = {};
  for (const [name, { fn, inputs }] of Object.entries(problems())) {
    const executable = await runtime.compile(
      name,
      fn,
      inputs.map(({ dtype, shape }) => ({ dtype, shape })),
    );
    outputs[name] = await executable.run(inputs);
  }
  const report: WebGpuReport = { description: runtime.description, outputs };
  process.send?.(report, () => process.disconnect());
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
  process.disconnect();
});
