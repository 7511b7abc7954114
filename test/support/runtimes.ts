import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { HostTensor } from '../../src/common/tensor';
import { EagerRuntime } from '../../src/compile/eagerRuntime';
import { OnnxRuntime } from '../../src/compile/onnxRuntime';
import type { Runtime } from '../../src/compile/runtime';

// Without this the reference backend greets every process with advice on other backends.
tf.env().set('PROD', true);

/** What the product computes with: traced functions on ONNX Runtime, one thread. */
export const onnx = new OnnxRuntime({ device: 'cpu', threads: 1, spin: false });
/** What it is checked against: the same functions, operation by operation, on tfjs' own kernels in plain JavaScript. */
export const eager = new EagerRuntime('cpu');

/** Runs a function once on some inputs. */
export async function runOnce(
  runtime: Runtime,
  fn: (...inputs: Tensor[]) => Tensor[],
  inputs: readonly HostTensor[],
): Promise<readonly HostTensor[]> {
  const executable = await runtime.compile(
    'test',
    fn,
    inputs.map(({ dtype, shape }) => ({ dtype, shape })),
  );
  const outputs = await executable.run(inputs);
  executable.dispose();
  return outputs;
}
