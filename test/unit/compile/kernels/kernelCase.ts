import type { Tensor } from '@tensorflow/tfjs-core';
import type { HostTensor, Shape } from '../../../../src/common/tensor';
import type { TensorFunction } from '../../../../src/compile/runtime';
import type { Tolerance } from '../../../support/close';
import { Draw, type Distribution } from '../../../support/draw';

/** A function whose trace asks for the kernel, and what it is run on. */
export interface KernelCase {
  readonly what: string;
  readonly fn: TensorFunction;
  readonly inputs: readonly HostTensor[];
  readonly tolerance?: Tolerance;
}
export type CaseTable = Readonly<Record<string, readonly KernelCase[]>>;

const draw = new Draw('kernel cases');

/** An operation on one tensor of random numbers, of a shape. */
export function of(
  shape: Shape,
  op: (x: Tensor) => Tensor | Tensor[],
  distribution: Distribution = 'normal',
): KernelCase {
  return {
    what: `[${shape.join()}] ${String(op)}`,
    fn: (...inputs) => [op(inputs[0] as Tensor)].flat(),
    inputs: [draw.float32(shape, distribution)],
  };
}

/** An operation on given tensors. */
export function on(
  what: string,
  inputs: readonly HostTensor[],
  op: (...inputs: Tensor[]) => Tensor | Tensor[],
): KernelCase {
  return { what, fn: (...given) => [op(...given)].flat(), inputs };
}

export const exact: Tolerance = {};
/** Of sums in another order than tfjs': a few units in the last place of the largest term. */
const summing: Tolerance = { relative: 3e-6, absolute: 2e-5 };

export const exactly = (cases: readonly KernelCase[]): readonly KernelCase[] =>
  cases.map(each => ({ ...each, tolerance: exact }));
export const summed = (cases: readonly KernelCase[]): readonly KernelCase[] =>
  cases.map(each => ({ ...each, tolerance: summing }));
