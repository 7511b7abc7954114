import * as os from 'node:os';
import * as path from 'node:path';
import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import { messageOf, UserError } from '../common/errors';
import { float32 } from '../common/tensor';
import type { Device, DeviceStatus } from '../protocol/engine';
import { EagerRuntime } from './eagerRuntime';
import { OnnxRuntime } from './onnxRuntime';
import type { Runtime } from './runtime';

export interface RuntimeRequest {
  readonly device: Device;
  /** 0 for all cores. */
  readonly threads: number;
  /** Whether waiting threads may spin; see {@link OnnxRuntime}. */
  readonly spin: boolean;
  /** Whether memory is given back after each run, unless it is little; see {@link OnnxRuntime}. */
  readonly givesBack?: boolean;
  /** The matrix-product work of one step, by which `auto` chooses; absent: small. */
  readonly gflopPerStep?: number;
  /** Folder into which TensorFlow was set up. */
  readonly tensorflowFolder?: string;
}

/** Above this a step outweighs the transfers to and from a GPU (about 10 ms on two CPU cores). */
const gpuWorthwhileGflop = 5;

/**
 * Opens the runtime of a device; `auto` takes the fastest one that is there for the model's size.
 * @throws UserError that says what would make the device available.
 */
export async function openRuntime(request: RuntimeRequest): Promise<Runtime> {
  return (await openChosen(request)).runtime;
}

/** The device that {@link openRuntime} would open. @throws UserError as it does. */
export async function deviceFor(request: RuntimeRequest): Promise<ActualDevice> {
  if (request.device !== 'auto') return request.device;
  const { device, runtime } = await openChosen(request);
  runtime.dispose();
  return device;
}

type ActualDevice = Exclude<Device, 'auto'>;

async function openChosen(request: RuntimeRequest): Promise<{ readonly device: ActualDevice; readonly runtime: Runtime }> {
  const { device } = request;
  if (device !== 'auto') return { device, runtime: await open(device, request) };
  if ((request.gflopPerStep ?? 0) >= gpuWorthwhileGflop) {
    for (const candidate of ['tensorflow', 'webgpu'] as const) {
      try {
        return { device: candidate, runtime: await open(candidate, request) };
      } catch {
        // Not there: the next one may be.
      }
    }
  }
  return { device: 'cpu', runtime: await open('cpu', request) };
}

/** What each device is, or what would make it available. */
export async function deviceStatuses(tensorflowFolder?: string): Promise<readonly DeviceStatus[]> {
  const request = { threads: 0, spin: false, ...(tensorflowFolder === undefined ? {} : { tensorflowFolder }) };
  return Promise.all((['cpu', 'webgpu', 'tensorflow'] as const).map(async device => {
    try {
      const runtime = await open(device, { device, ...request });
      const { description } = runtime;
      runtime.dispose();
      return { device, available: true, description };
    } catch (error) {
      return { device, available: false, description: messageOf(error) };
    }
  }));
}

async function open(device: ActualDevice, { threads, spin, givesBack = false, tensorflowFolder }: RuntimeRequest): Promise<Runtime> {
  switch (device) {
    case 'cpu': return new OnnxRuntime({ device, threads: threads > 0 ? threads : os.availableParallelism(), spin, givesBack });
    case 'webgpu': return openWebGpu();
    case 'tensorflow': return openTensorFlow(tensorflowFolder);
  }
}

/** WebGPU counts as available when it has computed something. */
async function openWebGpu(): Promise<Runtime> {
  const runtime = new OnnxRuntime({ device: 'webgpu', threads: 1, spin: false });
  try {
    const probe = await runtime.compile('probe', x => [tf.add(x as tf.Tensor, 1)], [{ dtype: 'float32', shape: [2] }]);
    const [sum] = await probe.run([float32([2], Float32Array.of(1, 2))]);
    probe.dispose();
    if (sum?.data[1] !== 3) throw new Error('it added 2 and 1 wrongly');
    return runtime;
  } catch (error) {
    runtime.dispose();
    // ONNX Runtime puts the place and the condition in its source before what happened.
    const [reason = ''] = messageOf(error).replace(/^\S*\.cc:\d+ .* was false\. /, '').split('\n');
    throw new UserError(`WebGPU is not available: ${reason.replace(/\.$/, '')}. It needs a GPU with a Vulkan, Metal or Direct3D 12 driver.`, { cause: error });
  }
}

function openTensorFlow(folder: string | undefined): Runtime {
  const missing = 'TensorFlow is not available: run "Circuits: Set Up TensorFlow GPU" in VS Code, or install @tensorflow/tfjs-node-gpu beside this package.';
  try {
    const load = createRequire(path.join(folder ?? __dirname, 'package.json'));
    load('@tensorflow/tfjs-node-gpu');
    return new EagerRuntime('tensorflow');
  } catch (error) {
    if (/Cannot find module '@tensorflow\/tfjs-node-gpu'/.test(messageOf(error))) throw new UserError(missing, { cause: error });
    throw new UserError(`TensorFlow is installed but does not start: ${messageOf(error).split('\n')[0] ?? ''}`, { cause: error });
  }
}
