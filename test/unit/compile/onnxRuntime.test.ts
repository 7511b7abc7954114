import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { float32, int32 } from '../../../src/common/tensor';
import { OnnxRuntime } from '../../../src/compile/onnxRuntime';
import type { TensorFunction, TensorSpec } from '../../../src/compile/runtime';
import { eager, onnx, runOnce } from '../../support/runtimes';

const of = (...values: number[]) => float32([values.length], Float32Array.from(values));
const vector = (length: number): TensorSpec => ({ dtype: 'float32', shape: [length] });
const double: TensorFunction = x => [tf.mul(x as Tensor, 2)];

describe('outputs', () => {
  test('may be inputs, constants, and the same value twice', async () => {
    const [x, same, tripled, again, dense, splat, scalar] = await runOnce(
      onnx,
      x => {
        const tripled = tf.mul(x as Tensor, 3);
        return [
          x as Tensor,
          x as Tensor,
          tripled,
          tripled,
          tf.tensor1d([7, 8]),
          tf.fill([2, 2], 9),
          tf.scalar(4, 'int32'),
        ];
      },
      [of(1, 2)],
    );
    expect([x, same, tripled, again, dense]).toEqual([of(1, 2), of(1, 2), of(3, 6), of(3, 6), of(7, 8)]);
    expect([splat, scalar]).toEqual([float32([2, 2], Float32Array.of(9, 9, 9, 9)), int32([], Int32Array.of(4))]);
  });

  test('that depend on no input are computed', async () => {
    const [sum] = await runOnce(onnx, () => [tf.sum(tf.exp(tf.tensor1d([0, Math.LN2])))], []);
    expect(sum?.data[0]).toBeCloseTo(3, 6);
  });

  test('are written into the tensors that are given', async () => {
    const executable = await onnx.compile('double', double, [vector(2)]);
    const into = of(0, 0);
    const outputs = await executable.run([of(3, 4)], [into]);
    expect(outputs[0]).toBe(into);
    expect(into).toEqual(of(6, 8));
  });

  test('follow an input that is changed in place between runs', async () => {
    const executable = await onnx.compile('double', double, [vector(2)]);
    const [input, into] = [of(1, 1), of(0, 0)];
    await executable.run([input], [into]);
    input.data.set([5, 6]);
    await executable.run([input], [into]);
    expect(into).toEqual(of(10, 12));
  });

  test('of runs that overlap do not mix', async () => {
    const executable = await onnx.compile('double', double, [vector(1)]);
    const values = Array.from({ length: 20 }, (_, index) => index);
    const outputs = await Promise.all(values.map(value => executable.run([of(value)])));
    expect(outputs.map(([output]) => output?.data[0])).toEqual(values.map(value => 2 * value));
  });
});

describe('executables are cached by function and shapes', () => {
  test('the same function and shapes give the same executable', async () => {
    const fn: TensorFunction = x => [tf.neg(x as Tensor)];
    const [first, second] = await Promise.all([onnx.compile('a', fn, [vector(3)]), onnx.compile('b', fn, [vector(3)])]);
    expect(second).toBe(first);
  });

  test('another shape, another type or another function is compiled anew', async () => {
    const fn: TensorFunction = x => [tf.add(x as Tensor, x as Tensor)];
    const first = await onnx.compile('f', fn, [vector(3)]);
    expect(await onnx.compile('f', fn, [vector(4)])).not.toBe(first);
    expect(await onnx.compile('f', fn, [{ dtype: 'int32', shape: [3] }])).not.toBe(first);
    expect(await onnx.compile('f', x => [tf.add(x as Tensor, x as Tensor)], [vector(3)])).not.toBe(first);
  });

  test('a disposed executable is forgotten, and so are all when the runtime is disposed', async () => {
    const runtime = new OnnxRuntime({ device: 'cpu', threads: 1, spin: false });
    const first = await runtime.compile('double', double, [vector(2)]);
    first.dispose();
    const second = await runtime.compile('double', double, [vector(2)]);
    expect(second).not.toBe(first);
    runtime.dispose();
    const third = await runtime.compile('double', double, [vector(2)]);
    expect(third).not.toBe(second);
    expect(await third.run([of(1, 2)])).toEqual([of(2, 4)]);
    runtime.dispose();
  });

  test('a function that could not be compiled is tried again', async () => {
    let broken = true;
    const fn: TensorFunction = x => {
      if (broken) throw new Error('not yet');
      return [x as Tensor];
    };
    await expect(onnx.compile('f', fn, [vector(2)])).rejects.toThrow('not yet');
    broken = false;
    expect(await (await onnx.compile('f', fn, [vector(2)])).run([of(1, 2)])).toEqual([of(1, 2)]);
  });
});

describe.each([
  ['ONNX Runtime', onnx],
  ['tfjs', eager],
])('wrong tensors on %s', (_, runtime) => {
  const inputs: readonly TensorSpec[] = [vector(2), { dtype: 'int32', shape: [1, 2] }];
  const fn: TensorFunction = (x, ids) => [tf.add(x as Tensor, tf.cast(ids as Tensor, 'float32'))];
  const right = [of(1, 2), int32([1, 2])] as const;

  test.each([
    ['a shape', [of(1, 2, 3), right[1]], 'input 0 is float32 [3], not float32 [2]'],
    ['a rank', [right[0], int32([2])], 'input 1 is int32 [2], not int32 [1, 2]'],
    ['a type', [right[0], float32([1, 2])], 'input 1 is float32 [1, 2], not int32 [1, 2]'],
    ['too few', [right[0]], '1 inputs were given, not 2'],
  ])('%s', async (__, given, message) => {
    const executable = await runtime.compile('sum', fn, inputs);
    await expect(executable.run(given)).rejects.toThrow(new TypeError(message));
  });

  test('an output of the wrong shape', async () => {
    const executable = await runtime.compile('sum', fn, inputs);
    await expect(executable.run([...right], [of(0, 0)])).rejects.toThrow(
      new TypeError('output 0 is float32 [2], not float32 [1, 2]'),
    );
  });
});
