import * as tf from '@tensorflow/tfjs-core';
import * as kernelNames from '@tensorflow/tfjs-core/dist/kernel_names';
import type { NamedAttrMap, NamedTensorInfoMap, TensorInfo } from '@tensorflow/tfjs-core';
import type { Graph, Value } from '../graph';
import { elementwiseKernels } from './elementwise';
import { indexingKernels } from './indexing';
import { linearKernels } from './linear';
import { reductionKernels } from './reduction';
import { shapeKernels } from './shape';

/** What a kernel records into. */
export interface TracingBackend {
  readonly graph: Graph;
  valueFor(info: TensorInfo): Value;
  infoFor(value: Value): TensorInfo;
}

/** A kernel's inputs by name; variadic kernels have them as `0`, `1`, …. */
export type Inputs = Readonly<Record<string, Value>>;

/** Records what a tfjs kernel computes. `attrs` are those of the kernel's tfjs definition. */
export type TracingKernel = (graph: Graph, inputs: Inputs, attrs: NamedAttrMap) => Value | readonly Value[];
export type KernelTable = Readonly<Record<string, TracingKernel>>;

const kernels: KernelTable = {
  ...elementwiseKernels,
  ...indexingKernels,
  ...linearKernels,
  ...reductionKernels,
  ...shapeKernels,
};

/** The tfjs kernels that can be compiled. */
export const compiledKernelNames: readonly string[] = Object.keys(kernels);

/** Registers every kernel; those of tfjs that cannot be compiled say so, and which op asked for them. */
export function registerTracingKernels(backendName: string): void {
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: ({ inputs, backend, attrs }) => {
        const recorder = backend as TracingBackend;
        const output = kernel(recorder.graph, valuesOf(recorder, inputs), attrs ?? {});
        return Array.isArray(output) ? output.map(value => recorder.infoFor(value)) : recorder.infoFor(output as Value);
      },
    });
  }
  for (const kernelName of Object.values(kernelNames)) {
    if (typeof kernelName !== 'string' || Object.hasOwn(kernels, kernelName)) continue;
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: () => {
        const op = tf.engine().state.activeScope?.name.replace(/__op$/, '') ?? 'an unnamed op';
        throw new Error(`The kernel ${kernelName}, which ${op} asked for, cannot be compiled to ONNX.`);
      },
    });
  }
}

function valuesOf(recorder: TracingBackend, inputs: NamedTensorInfoMap): Inputs {
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, info]) => (info === undefined ? [] : [[name, recorder.valueFor(info as TensorInfo)]])),
  );
}
