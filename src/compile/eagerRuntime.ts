import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import type { DType, HostTensor } from '../common/tensor';
import { checkTensors } from './onnxRuntime';
import type { Executable, Runtime, TensorFunction, TensorSpec } from './runtime';
import { trace, withBackend } from './tracing';

/** Runs functions operation by operation on a registered tfjs backend. */
export class EagerRuntime implements Runtime {
  readonly description: string;

  constructor(private readonly backendName: string) {
    if (!tf.findBackend(backendName)) throw new Error(`the tfjs backend ${backendName} is not registered`);
    this.description = `tfjs ${backendName}`;
  }

  async compile(name: string, fn: TensorFunction, inputs: readonly TensorSpec[]): Promise<Executable> {
    // Tracing gives the outputs' shapes, and the same errors for functions that read values.
    const outputs = trace(fn, inputs).outputs.map(({ dtype, shape }): TensorSpec => ({ dtype: dtype === 'int64' ? 'int32' : dtype, shape }));
    return {
      inputs,
      outputs,
      run: async (values, into) => {
        checkTensors('input', values, inputs);
        if (into) checkTensors('output', into, outputs);
        return this.run(name, fn, values, into);
      },
      dispose: () => undefined,
    };
  }

  dispose(): void {}

  private run(name: string, fn: TensorFunction, values: readonly HostTensor[], into?: readonly HostTensor[]): readonly HostTensor[] {
    return withBackend(this.backendName, () => {
      const outputs: HostTensor[] = [];
      tf.tidy(() => {
        const tensors = values.map(({ data, shape, dtype }) => tf.tensor(data, [...shape], dtype));
        for (const tensor of this.explain(name, () => fn(...tensors))) {
          const made = hostTensor(tensor);
          const target = into?.[outputs.length];
          target?.data.set(made.data);
          outputs.push(target ?? made);
        }
      });
      return outputs;
    });
  }

  /** tfjs names the kernel that a backend lacks; say what needed it as well. */
  private explain(name: string, work: () => tf.Tensor[]): tf.Tensor[] {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Error) || !/kernel/i.test(error.message)) throw error;
      throw new Error(`"${name}" cannot run on tfjs ${this.backendName}: ${error.message}`, { cause: error });
    }
  }
}

function hostTensor(tensor: tf.Tensor): HostTensor {
  const [dtype, { shape }] = [tensor.dtype as DType, tensor];
  const data = tensor.dataSync();
  switch (dtype) {
    case 'float32': return { dtype, shape, data: Float32Array.from(data) };
    case 'int32': return { dtype, shape, data: Int32Array.from(data) };
    case 'bool': return { dtype, shape, data: Uint8Array.from(data) };
  }
}
