import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import type { BackendValues, DataId, DataType, TensorInfo } from '@tensorflow/tfjs-core';
import { Graph, type Value } from './graph';
import { whole } from './kernels/record';
import { registerTracingKernels, type TracingBackend } from './kernels/register';
import type { TensorFunction, TensorSpec } from './runtime';

export const tracingBackendName = 'tracing';

/**
 * A tfjs backend whose tensors stand for values of the graph being recorded. Its kernels (in `kernels/`) add ONNX nodes
 * instead of computing, so that any tfjs function, gradients included, can be written down by running it once.
 */
class Recorder extends tf.KernelBackend implements TracingBackend {
  private current: Graph | undefined;
  private readonly values = new WeakMap<DataId, Value>();

  get graph(): Graph {
    if (!this.current) throw new Error('tensors of the tracing backend exist only while a function is being compiled');
    return this.current;
  }

  record(graph: Graph, fn: () => void): void {
    if (this.current) throw new Error('a function is being compiled already');
    this.current = graph;
    try {
      fn();
    } finally {
      this.current = undefined;
    }
  }

  valueFor({ dataId }: TensorInfo): Value {
    const value = this.values.get(dataId);
    if (!value) throw new Error('a tensor of another backend cannot be compiled: make it inside the function, or pass it as an input');
    return value;
  }

  infoFor(value: Value): TensorInfo {
    if (value.dtype === 'int64') throw new Error('int64 values stay inside kernels');
    const dataId = {};
    this.values.set(dataId, value);
    return { dataId, shape: [...value.shape], dtype: value.dtype };
  }

  override write(values: BackendValues, shape: number[], dtype: DataType): DataId {
    const info = this.infoFor(this.graph.constant(...constantOf(values, shape, dtype)));
    return info.dataId;
  }

  override move(dataId: DataId, values: BackendValues, shape: number[], dtype: DataType): void {
    this.values.set(dataId, this.graph.constant(...constantOf(values, shape, dtype)));
  }

  override readSync(dataId: DataId): BackendValues {
    const value = this.values.get(dataId);
    const data = value && this.graph.dataOf(value);
    if (!data || data instanceof BigInt64Array) throw new Error('a function that is compiled cannot read values: they are not known yet');
    return data;
  }

  override read(dataId: DataId): Promise<BackendValues> {
    return Promise.resolve(this.readSync(dataId));
  }

  override disposeData(): boolean {
    return true;
  }
  override incRef(): void {}
  override refCount(): number {
    return 1;
  }
  override numDataIds(): number {
    return 0;
  }
  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }
  override floatPrecision(): 32 {
    return 32;
  }
  override epsilon(): number {
    return 1e-7;
  }
  override timerAvailable(): boolean {
    return false;
  }
  override dispose(): void {}
}

function constantOf(values: BackendValues, shape: number[], dtype: DataType): Parameters<Graph['constant']> {
  switch (dtype) {
    case 'float32': return [{ dtype, shape }, Float32Array.from(values as Float32Array)];
    case 'int32': return [{ dtype, shape }, Int32Array.from(values as Int32Array)];
    case 'bool': return [{ dtype, shape }, Uint8Array.from(values as Uint8Array)];
    default: throw new TypeError(`tensors of type ${dtype} cannot be compiled`);
  }
}

let recorder: Recorder | undefined;

function tracingBackend(): Recorder {
  if (recorder) return recorder;
  const made = new Recorder();
  tf.registerBackend(tracingBackendName, () => made, 0);
  registerTracingKernels(tracingBackendName);
  recorder = made;
  return made;
}

/** Runs `fn` once on symbolic tensors and returns the graph of what it would compute. */
export function trace(fn: TensorFunction, inputs: readonly TensorSpec[], graph = new Graph()): Graph {
  const backend = tracingBackend();
  withBackend(tracingBackendName, () => backend.record(graph, () => {
    const engine = tf.engine();
    tf.tidy(() => {
      const tensors = inputs.map(spec => {
        const { dataId, shape, dtype } = backend.infoFor(graph.input(spec));
        return engine.makeTensorFromDataId(dataId, shape, dtype, backend);
      });
      for (const output of fn(...tensors)) graph.outputs.push(whole(graph, backend.valueFor(output)));
    });
  }));
  return graph;
}

/** Runs `work` with another tfjs backend chosen, and chooses the earlier one again. */
export function withBackend<T>(name: string, work: () => T): T {
  const engine = tf.engine();
  const before = engine.backendName;
  if (before === name) return work();
  void tf.setBackend(name);
  try {
    return work();
  } finally {
    if (before) void tf.setBackend(before);
  }
}
