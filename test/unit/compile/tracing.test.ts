import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { float32 } from '../../../src/common/tensor';
import type { TensorSpec } from '../../../src/compile/runtime';
import { trace, withBackend } from '../../../src/compile/tracing';
import { onnx, runOnce } from '../../support/runtimes';

const matrix: TensorSpec = { dtype: 'float32', shape: [2, 3] };
const traceOf = (fn: (x: Tensor) => Tensor) => () => trace(x => [fn(x as Tensor)], [matrix]);

describe('what cannot be compiled says why', () => {
  test('a kernel that is missing is named, with the op that asked for it', () => {
    expect(traceOf(x => tf.topk(x as tf.Tensor2D, 1).values)).toThrow(
      'The kernel TopK, which topk asked for, cannot be compiled to ONNX.',
    );
    expect(traceOf(x => tf.image.resizeBilinear(tf.reshape(x, [2, 3, 1]) as tf.Tensor3D, [4, 4]))).toThrow(
      /kernel ResizeBilinear, which resizeBilinear asked for/,
    );
    expect(traceOf(x => tf.cumprod(x))).toThrow(/kernel Cumprod, which cumprod asked for/);
  });

  test('a kernel that is compiled in part names the part', () => {
    expect(traceOf(x => tf.gather(x, tf.zeros([2, 1], 'int32') as tf.Tensor2D, 1, 1))).toThrow(
      /GatherV2 with batchDims/,
    );
  });

  test('reading a value', () => {
    expect(traceOf(x => tf.scalar(x.dataSync()[0] ?? 0))).toThrow(/cannot read values/);
    expect(traceOf(x => tf.scalar(tf.sum(tf.exp(x)).arraySync() as number))).toThrow(/cannot read values/);
  });

  test('a tensor that was made outside of the function', () => {
    const outside = withBackend('cpu', () => tf.tensor1d([1, 2, 3]));
    expect(traceOf(x => tf.add(x, outside))).toThrow(/make it inside the function, or pass it as an input/);
  });

  test('texts and complex numbers', () => {
    expect(traceOf(x => tf.complex(x, x))).toThrow(/complex/i);
  });

  test('shapes that do not fit, with their sizes', () => {
    expect(traceOf(x => tf.matMul(x, x))).toThrow(/inner.*3.*2/i);
    expect(traceOf(x => tf.add(x, tf.tensor1d([1, 2])))).toThrow(/broadcast/);
  });
});

describe('tracing', () => {
  test('can read constants of the function', () => {
    expect(traceOf(x => tf.mul(x, tf.tensor1d([2, 3]).dataSync()[1] ?? 0))).not.toThrow();
  });

  test('inside of tracing is refused', () => {
    expect(
      traceOf(x => {
        trace(y => [y as Tensor], [matrix]);
        return x;
      }),
    ).toThrow(/being compiled already/);
  });

  test('leaves the chosen backend as it was, also after an error', async () => {
    await tf.setBackend('cpu');
    trace(x => [x as Tensor], [matrix]);
    expect(traceOf(() => tf.scalar(tf.zeros([1]).dataSync()[1] as number, 'complex64'))).toThrow();
    expect(tf.getBackend()).toBe('cpu');
    const [output] = await runOnce(onnx, x => [tf.neg(x as Tensor)], [float32([1], Float32Array.of(2))]);
    expect(output?.data[0]).toBe(-2);
  });

  test('leaves no tensors behind', () => {
    const before = tf.memory().numTensors;
    trace(x => [tf.sum(tf.exp(x as Tensor))], [matrix]);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('can be done again and again: the graphs do not know each other', () => {
    const fn = (x: Tensor) => [tf.exp(x)];
    const [first, second] = [trace(x => fn(x as Tensor), [matrix]), trace(x => fn(x as Tensor), [matrix])];
    expect(second.liveNodes()).toEqual(first.liveNodes());
    expect(second.outputs[0]).not.toBe(first.outputs[0]);
  });
});
