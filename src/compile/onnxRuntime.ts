import type * as Ort from 'onnxruntime-node';
import { formatShape, sameShape, sizeOf, type HostTensor } from '../common/tensor';
import { Graph } from './graph';
import { inputName, outputName, writeOnnx } from './onnx';
import type { Executable, Runtime, TensorFunction, TensorSpec } from './runtime';
import { trace } from './tracing';
import { isLittleWork, largestValue } from './work';

export interface OnnxRuntimeOptions {
  readonly device: 'cpu' | 'webgpu';
  /** Threads for the arithmetic, the calling one included; graphs of little work have one. */
  readonly threads: number;
  /**
   * Whether waiting threads spin: faster steps, but everything else on the machine starves meanwhile (a niced process
   * beside it got 3 % of a core).
   */
  readonly spin: boolean;
  /**
   * Whether the memory of a run is given back after it, unless it is little. Training keeps it for the next step; an analysis
   * of a large model runs many graphs in turn, and each would keep its own.
   */
  readonly givesBack?: boolean;
  /** Writes ONNX Runtime's own profile of every session under this prefix. */
  readonly profile?: string;
}

/**
 * Bytes of the largest value of a graph whose memory is little: getting it from the system anew for every run can take as
 * long as the arithmetic, and keeping it is cheap.
 */
const littleMemory = 8 * 2 ** 20;

/** WebGPU promises a shader 8 storage buffers, one of which is the input. ONNX Runtime does not divide a Split that needs more. */
const webGpuMostOutputs = 7;

/** Runs traced functions with ONNX Runtime. Graphs are cached by function and input shapes. */
export class OnnxRuntime implements Runtime {
  readonly description: string;
  private readonly cache = new Map<TensorFunction, Map<string, Promise<OnnxExecutable>>>();

  constructor(private readonly options: OnnxRuntimeOptions) {
    this.description = options.device === 'cpu' ? `CPU, ${options.threads} thread${options.threads > 1 ? 's' : ''}` : 'WebGPU';
  }

  compile(name: string, fn: TensorFunction, inputs: readonly TensorSpec[]): Promise<Executable> {
    const shapes = this.cache.get(fn) ?? new Map<string, Promise<OnnxExecutable>>();
    this.cache.set(fn, shapes);
    const key = inputs.map(({ dtype, shape }) => `${dtype}${formatShape(shape)}`).join();
    const known = shapes.get(key);
    if (known) return known;
    const made = this.createExecutable(name, fn, inputs, () => shapes.delete(key));
    shapes.set(key, made);
    made.catch(() => shapes.delete(key));
    return made;
  }

  dispose(): void {
    for (const shapes of this.cache.values()) {
      for (const executable of shapes.values()) executable.then(live => live.dispose(), () => undefined);
    }
    this.cache.clear();
  }

  private async createExecutable(name: string, fn: TensorFunction, inputs: readonly TensorSpec[], forget: () => void): Promise<OnnxExecutable> {
    const { device, threads, spin, givesBack = false, profile } = this.options;
    const graph = trace(fn, inputs, new Graph(device === 'webgpu' ? webGpuMostOutputs : Infinity));
    const ort = await loadOnnxRuntime();
    const session = await ort.InferenceSession.create(writeOnnx(graph, name), {
      executionProviders: device === 'webgpu' ? ['webgpu', 'cpu'] : ['cpu'],
      intraOpNumThreads: isLittleWork(graph) ? 1 : threads,
      interOpNumThreads: 1,
      graphOptimizationLevel: 'all',
      enableCpuMemArena: !givesBack || 4 * largestValue(graph) <= littleMemory,
      logSeverityLevel: 3,
      extra: { session: { 'intra_op.allow_spinning': spin ? '1' : '0' } },
      ...(profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: `${profile}-${name.replaceAll(/\W+/g, '-')}` }),
    });
    return new OnnxExecutable(ort, session, graph, forget);
  }
}

/**
 * Nothing leaves the machine: ONNX Runtime would report to its makers, and keep a number for this machine, unless it finds
 * this in the environment when it is loaded (on Windows, the system's own privacy settings rule).
 */
function loadOnnxRuntime(): Promise<typeof Ort> {
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
  return import('onnxruntime-node');
}

class OnnxExecutable implements Executable {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** One wrapper a buffer: runs reuse their buffers, and wrapping costs more than a small graph's node. */
  private readonly wrapped = new WeakMap<HostTensor, Ort.Tensor>();

  constructor(
    private readonly ort: typeof Ort,
    private readonly session: Ort.InferenceSession,
    graph: Graph,
    private readonly forget: () => void,
  ) {
    const specOf = ({ dtype, shape }: Graph['inputs'][number]): TensorSpec => {
      if (dtype === 'int64') throw new Error('int64 values stay inside kernels');
      return { dtype, shape };
    };
    this.inputs = graph.inputs.map(specOf);
    this.outputs = graph.outputs.map(specOf);
  }

  async run(inputs: readonly HostTensor[], into?: readonly HostTensor[]): Promise<readonly HostTensor[]> {
    const outputs = into ?? this.outputs.map(emptyTensor);
    checkTensors('input', inputs, this.inputs);
    checkTensors('output', outputs, this.outputs);
    const feeds: Record<string, Ort.Tensor> = {};
    const fetches: Record<string, Ort.Tensor> = {};
    inputs.forEach((tensor, index) => (feeds[inputName(index)] = this.wrap(tensor)));
    outputs.forEach((tensor, index) => (fetches[outputName(index)] = this.wrap(tensor)));
    await this.session.run(feeds, fetches);
    return outputs;
  }

  dispose(): void {
    this.forget();
    void this.session.release();
  }

  private wrap(tensor: HostTensor): Ort.Tensor {
    const known = this.wrapped.get(tensor);
    if (known) return known;
    const dims = [...tensor.shape];
    const made = new this.ort.Tensor(tensor.dtype, tensor.data as Float32Array, dims);
    this.wrapped.set(tensor, made);
    return made;
  }
}

function emptyTensor({ dtype, shape }: TensorSpec): HostTensor {
  const size = sizeOf(shape);
  switch (dtype) {
    case 'float32': return { dtype, shape, data: new Float32Array(size) };
    case 'int32': return { dtype, shape, data: new Int32Array(size) };
    case 'bool': return { dtype, shape, data: new Uint8Array(size) };
  }
}

export function checkTensors(what: string, given: readonly HostTensor[], expected: readonly TensorSpec[]): void {
  if (given.length !== expected.length) throw new TypeError(`${given.length} ${what}s were given, not ${expected.length}`);
  expected.forEach(({ dtype, shape }, index) => {
    const tensor = given[index];
    if (tensor?.dtype === dtype && sameShape(tensor.shape, shape)) return;
    const got = tensor ? `${tensor.dtype} ${formatShape(tensor.shape)}` : 'nothing';
    throw new TypeError(`${what} ${index} is ${got}, not ${dtype} ${formatShape(shape)}`);
  });
}
