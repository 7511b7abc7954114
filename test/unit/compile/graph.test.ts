import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/compile/graph';
import type { TensorFunction } from '../../../src/compile/runtime';
import { trace } from '../../../src/compile/tracing';
import type { Shape } from '../../../src/common/tensor';

/** The operators that a function's outputs need, in the order in which they run. */
function operators(shapes: readonly Shape[], fn: (...inputs: Tensor[]) => Tensor | Tensor[]): readonly string[] {
  const traced: TensorFunction = (...inputs) => [fn(...inputs)].flat();
  return trace(
    traced,
    shapes.map(shape => ({ dtype: 'float32', shape })),
  )
    .liveNodes()
    .map(node => node.op);
}

const on = (shape: Shape, fn: (x: Tensor) => Tensor | Tensor[]) => operators([shape], x => fn(x as Tensor));
const onTwo = (a: Shape, b: Shape, fn: (x: Tensor, y: Tensor) => Tensor) =>
  operators([a, b], (x, y) => fn(x as Tensor, y as Tensor));

describe('recording', () => {
  test('computes equal computations once', () => {
    expect(on([3], x => tf.add(tf.exp(x), tf.exp(x)))).toEqual(['Exp', 'Add']);
    expect(on([3], x => [tf.exp(tf.sin(x)), tf.cos(tf.sin(x))])).toEqual(['Sin', 'Exp', 'Cos']);
  });

  test('holds equal constants once, so that what is made of them is computed once', () => {
    const some = (...numbers: number[]) => tf.tensor1d(numbers);
    expect(on([3], x => tf.add(tf.exp(tf.mul(x, some(1, 2, 3))), tf.exp(tf.mul(x, some(1, 2, 3)))))).toEqual(['Mul', 'Exp', 'Add']);
    expect(on([2], x => tf.add(tf.div(x, some(1, 0)), tf.div(x, some(1, -0))))).toEqual(['Div', 'Div', 'Add']);
  });

  test('keeps apart what differs in inputs, attributes or shape', () => {
    expect(onTwo([3], [3], (x, y) => tf.add(tf.exp(x), tf.exp(y)))).toEqual(['Exp', 'Exp', 'Add']);
    expect(onTwo([3], [3], (x, y) => tf.add(tf.sub(x, y), tf.sub(y, x)))).toEqual(['Sub', 'Sub', 'Add']);
    expect(on([2, 2], x => tf.add(tf.sum(x, 0), tf.sum(x, 1)))).toEqual(['ReduceSum', 'ReduceSum', 'Add']);
    expect(on([2, 2], x => [tf.sum(x, 0), tf.sum(x, 0, true)])).toEqual(['ReduceSum', 'ReduceSum']);
    expect(on([2, 2, 2], x => tf.add(tf.transpose(x, [1, 0, 2]), tf.transpose(x, [0, 2, 1])))).toEqual([
      'Transpose',
      'Transpose',
      'Add',
    ]);
    expect(on([2, 2], x => tf.add(tf.softmax(x), tf.transpose(tf.softmax(tf.transpose(x)))))).toEqual([
      'Softmax',
      'Transpose',
      'Softmax',
      'Transpose',
      'Add',
    ]);
  });

  test('drops what no output needs', () => {
    expect(
      on([3], x => {
        tf.exp(tf.sin(x));
        return tf.cos(x);
      }),
    ).toEqual(['Cos']);
  });

  test('keeps a node of which only one output is needed', () => {
    expect(on([6], x => tf.neg(tf.split(x, 3)[1] as Tensor))).toEqual(['Split', 'Neg']);
  });
});

describe('simplification', () => {
  test('adding or subtracting 0, multiplying or dividing by 1 does nothing', () => {
    for (const same of [
      (x: Tensor) => tf.add(x, 0),
      (x: Tensor) => tf.add(tf.zeros([3]), x),
      (x: Tensor) => tf.sub(x, 0),
      (x: Tensor) => tf.mul(1, x),
      (x: Tensor) => tf.div(x, 1),
    ]) {
      expect(on([3], same)).toEqual([]);
    }
  });

  test('subtracting from 0 and dividing 1 are not nothing', () => {
    expect(on([3], x => tf.sub(0, x))).toEqual(['Sub']);
    expect(on([3], x => tf.div(1, x))).toEqual(['Div']);
  });

  test('constants whose elements are all equal are folded through elementwise operators, shapes and reductions', () => {
    const folded = (x: Tensor) =>
      tf.mul(x, tf.sum(tf.transpose(tf.reshape(tf.exp(tf.mul(tf.fill([4, 6], 0.25), 2)), [3, 8])), 0));
    expect(on([3], folded)).toEqual(['Mul']);
  });

  test('a tensor that was repeated to the shape of its partner is not repeated', () => {
    expect(onTwo([3], [2, 3], (x, y) => tf.add(tf.broadcastTo(x, [2, 3]), y)).includes('Expand')).toBe(false);
    expect(onTwo([1, 3], [2, 3], (x, y) => tf.mul(y, tf.tile(x, [2, 1])))).toEqual(['Mul']);
  });

  test('it is repeated where nothing else gives the result its shape', () => {
    const graph = trace(
      (x, y) => [tf.add(tf.tile(x as Tensor, [2, 1]), y as Tensor)],
      [
        { dtype: 'float32', shape: [1, 3] },
        { dtype: 'float32', shape: [3] },
      ],
    );
    expect(graph.liveNodes().map(node => node.op)).toEqual(['Expand', 'Add']);
    expect(graph.outputs[0]?.shape).toEqual([2, 3]);
  });

  test('transposes of transposes become one, or none', () => {
    expect(on([2, 3, 4], x => tf.transpose(tf.transpose(x, [2, 0, 1]), [1, 0, 2]))).toEqual(['Transpose']);
    expect(on([2, 3, 4], x => tf.transpose(tf.transpose(x, [2, 0, 1]), [1, 2, 0]))).toEqual([]);
    expect(on([2, 3, 4], x => tf.transpose(x, [0, 1, 2]))).toEqual([]);
  });

  test('moving axes of length 1 is a reshape', () => {
    expect(on([2, 1, 4], x => tf.transpose(x, [1, 0, 2]))).toEqual(['Reshape']);
    expect(on([2, 1, 4], x => tf.transpose(x, [2, 1, 0]))).toEqual(['Transpose']);
  });

  test('reshapes of reshapes become one, or none', () => {
    expect(on([2, 6], x => tf.reshape(tf.reshape(x, [12]), [3, 4]))).toEqual(['Reshape']);
    expect(on([2, 6], x => tf.reshape(tf.reshape(x, [12]), [2, 6]))).toEqual([]);
  });

  test('a product of two matrices transposes by itself', () => {
    expect(onTwo([4, 2], [3, 4], (x, y) => tf.matMul(x, y, true, true))).toEqual(['Gemm']);
  });

  test('a product with the identity is its other factor, whichever is transposed', () => {
    const identity = (size: number) => tf.tensor(Float32Array.from({ length: size ** 2 }, (_, at) => Number(at % (size + 1) === 0)), [size, size]);
    expect(on([3, 2], x => tf.matMul(x, identity(2)))).toEqual([]);
    expect(on([3, 2], x => tf.matMul(identity(3), x, true))).toEqual([]);
    expect(on([3, 2], x => tf.matMul(x, identity(3), true))).toEqual(['Transpose']);
    expect(on([3, 2], x => tf.matMul(identity(2), x, false, true))).toEqual(['Transpose']);
    expect(on([3, 2], x => tf.matMul(x, tf.reshape(tf.transpose(tf.reshape(identity(2), [1, 2, 2]), [1, 0, 2]), [2, 2])))).toEqual([]);
  });

  test('a product with what is nearly the identity is computed', () => {
    expect(on([3, 2], x => tf.matMul(x, tf.tensor([1, 0, 0, 2], [2, 2])))).toEqual(['Gemm']);
    expect(on([3, 2], x => tf.matMul(x, tf.tensor([0, 1, 1, 0], [2, 2])))).toEqual(['Gemm']);
    expect(on([3, 2], x => tf.matMul(x, tf.tensor([1, 0, 0, 0, 1, 0], [2, 3])))).toEqual(['Gemm']);
  });

  test('a constant takes another shape by itself, large ones once for all who ask', () => {
    const ramp = (x: Tensor) => tf.range(0, x.size);
    expect(on([40, 50], x => tf.add(x, tf.reshape(ramp(x), [40, 50])))).toEqual(['Add']);
    const twice = (x: Tensor, constant: Tensor) => [tf.exp(tf.mul(x, tf.reshape(constant, [40, 50]))), tf.exp(tf.mul(x, tf.reshape(constant, [40, 50])))];
    expect(on([40, 50], x => twice(x, ramp(x)))).toEqual(['Mul', 'Exp']);
  });

  test('taking all of a tensor is no slice', () => {
    expect(on([2, 3], x => tf.slice(x, [0, 0], [2, -1]))).toEqual([]);
    expect(on([6], x => tf.split(x, [6]))).toEqual([]);
  });
});

describe('Graph', () => {
  test('where nodes may not have many outputs, a split is slices', () => {
    const specs = [{ dtype: 'float32', shape: [2, 8] }] as const;
    const parts = (count: number) =>
      trace(x => tf.split(x as Tensor, count, 1), specs, new Graph(4))
        .liveNodes()
        .map(node => node.op);
    expect(parts(4)).toEqual(['Split']);
    expect(parts(8)).toEqual(Array.from({ length: 8 }, () => 'Slice'));
  });

  test('refuses a constant that does not fill its shape', () => {
    expect(() => new Graph().constant({ dtype: 'float32', shape: [2, 2] }, Float32Array.of(1, 2, 3))).toThrow(
      '3 values for [2, 2]',
    );
  });

  test('tells 0 from -0 and keeps NaN among constants', () => {
    const graph = new Graph();
    expect(graph.splat('float32', [2], 0)).not.toBe(graph.splat('float32', [2], -0));
    expect(graph.constant({ dtype: 'float32', shape: [2] }, Float32Array.of(0, -0)).splat).toBeUndefined();
    expect(graph.constant({ dtype: 'float32', shape: [2] }, Float32Array.of(Number.NaN, Number.NaN)).splat).toBeNaN();
  });
});
