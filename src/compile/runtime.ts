import type { Tensor } from '@tensorflow/tfjs-core';
import type { DType, HostTensor, Shape } from '../common/tensor';

/** A function of tensors to tensors, written in plain tfjs-core. It must not read values, nor keep tensors of its own. */
export type TensorFunction = (...inputs: Tensor[]) => Tensor[];

export interface TensorSpec {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** A tensor function made ready to run on one device. */
export interface Executable {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /**
   * Runs once. The outputs are written into `into` where it is given (one tensor an output, none of which may be an
   * input of the same call), which spares allocating them anew every step.
   * @throws TypeError when an input does not have its shape or type.
   */
  run(inputs: readonly HostTensor[], into?: readonly HostTensor[]): Promise<readonly HostTensor[]>;
  dispose(): void;
}

/** Where tensor functions run: ONNX Runtime on a device, or an eager tfjs backend. */
export interface Runtime {
  readonly description: string;
  /** `name` is for error messages and profiles, as in `training step`. */
  compile(name: string, fn: TensorFunction, inputs: readonly TensorSpec[]): Promise<Executable>;
  dispose(): void;
}
