import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { compiledKernelNames } from '../../../../src/compile/kernels/register';
import { float32, int32, type HostTensor } from '../../../../src/common/tensor';
import { OnnxRuntime } from '../../../../src/compile/onnxRuntime';
import type { Runtime } from '../../../../src/compile/runtime';
import { expectClose } from '../../../support/close';
import { Draw } from '../../../support/draw';
import { eager, onnx, runOnce } from '../../../support/runtimes';
import { elementwiseCases } from './elementwiseCases';
import type { CaseTable, KernelCase } from './kernelCase';
import { reductionCases } from './reductionCases';
import { structuralCases } from './structuralCases';

const cases: CaseTable = { ...elementwiseCases, ...reductionCases, ...structuralCases };

afterEach(() => vi.restoreAllMocks());

test('every compiled kernel has cases', () => {
  expect(Object.keys(cases).sort()).toEqual([...compiledKernelNames].sort());
  for (const name of compiledKernelNames) expect(cases[name]?.length, name).toBeGreaterThan(0);
});

/** Runs all cases of a kernel as one function, for one session instead of dozens. Returns each case's outputs. */
async function runCases(
  runtime: Runtime,
  together: readonly KernelCase[],
): Promise<readonly (readonly HostTensor[])[]> {
  const counts: number[] = [];
  const outputs = await runOnce(
    runtime,
    (...inputs) => {
      counts.length = 0;
      let at = 0;
      return together.flatMap(({ fn, inputs: own }) => {
        const made = fn(...inputs.slice(at, (at += own.length)));
        counts.push(made.length);
        return made;
      });
    },
    together.flatMap(({ inputs }) => inputs),
  );
  let at = 0;
  return counts.map(count => outputs.slice(at, (at += count)));
}

describe('compiled to ONNX gives what the eager kernel gives', () => {
  test.each(compiledKernelNames)('%s', async name => {
    const together = cases[name] ?? [];
    const asked = vi.spyOn(tf.engine(), 'runKernel');
    const compiled = await runCases(onnx, together);
    expect(
      asked.mock.calls.map(([kernel]) => kernel),
      'kernels asked for',
    ).toContain(name);
    const expected = await runCases(eager, together);
    together.forEach(({ what, tolerance = { relative: 2e-6, absolute: 5e-7 } }, index) => {
      const [got = [], wanted = []] = [compiled[index], expected[index]];
      const specs = (tensors: readonly HostTensor[]) => tensors.map(({ dtype, shape }) => ({ dtype, shape }));
      expect(specs(got), what).toEqual(specs(wanted));
      wanted.forEach(({ data }, output) => expectClose(got[output]?.data ?? [], data, tolerance, what));
    });
  });
});

describe('where the eager kernels are wrong', () => {
  const draw = new Draw('where tfjs is wrong');

  test('matMul repeats batches of both operands, as numpy does', async () => {
    const [a, b] = [draw.float32([3, 1, 2, 5]), draw.float32([1, 2, 5, 3])];
    const [product, tiled] = await runOnce(
      onnx,
      (x, y) => [
        tf.matMul(x as Tensor, y as Tensor),
        tf.matMul(tf.tile(x as Tensor, [1, 2, 1, 1]), tf.tile(y as Tensor, [3, 1, 1, 1])),
      ],
      [a, b],
    );
    expect(product?.shape).toEqual([3, 2, 2, 3]);
    expectClose(product?.data ?? [], tiled?.data ?? [], { absolute: 1e-6 });
  });

  test('cumsum counts a negative axis from the end', async () => {
    const [sums] = await runOnce(onnx, x => [tf.cumsum(x as Tensor, -1)], [
      float32([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)),
    ]);
    expect(sums).toEqual(float32([2, 3], Float32Array.of(1, 3, 6, 4, 9, 15)));
  });
});

describe('float32 keeps its digits', () => {
  const magnitudes = Array.from({ length: 3301 }, (_, index) => 10 ** (-30 + index / 100)); // 1e-30 … 1e3

  test('step from the least normal number to the largest, and to infinity', async () => {
    const sizes = [0, 2 ** -126, 1e-30, 1, 3.4e38, Infinity];
    const x = Float32Array.from([...sizes, ...sizes.map(size => -size)]);
    const [result] = await runOnce(onnx, y => [tf.step(y as Tensor)], [float32([x.length], x)]);
    expect([...(result?.data ?? [])]).toEqual(Array.from(x, value => Number(value > 0)));
  });

  test('sums of many rows of equal index lose no term on two threads', async () => {
    const [rows, columns, segments] = [11_490, 128, 5];
    const threads = new OnnxRuntime({ device: 'cpu', threads: 2, spin: true });
    const specs = [{ dtype: 'float32' as const, shape: [rows, columns] }, { dtype: 'int32' as const, shape: [rows] }];
    const sums = await threads.compile('sums', (x, ids) => [tf.unsortedSegmentSum(x as Tensor, ids as tf.Tensor1D, segments)], specs);
    const ids = Int32Array.from({ length: rows }, (_, row) => row % segments);
    const inputs = [float32([rows, columns], new Float32Array(rows * columns).fill(1)), int32([rows], ids)];
    for (let run = 0; run < 200; run++) {
      const [result] = await sums.run(inputs);
      expect(result?.data.every(sum => sum === rows / segments), `run ${run}`).toBe(true);
    }
    threads.dispose();
  });

  test('log1p from 1e-30 to 1e3, and below 0', async () => {
    const x = Float32Array.from([
      ...magnitudes,
      ...magnitudes.filter(value => value < 0.999).map(value => -value),
      0,
      2 ** -24,
      -(2 ** -24),
      1,
      3e38,
    ]);
    const [result] = await runOnce(onnx, y => [tf.log1p(y as Tensor)], [float32([x.length], x)]);
    expectClose(result?.data ?? [], Float64Array.from(x, Math.log1p), { relative: 4e-7 });
  });

  test('expm1 from 1e-30 to overflow, and below 0', async () => {
    const x = Float32Array.from([
      ...magnitudes,
      ...magnitudes.map(value => -value),
      0,
      2 ** -24,
      -(2 ** -24),
      1,
      88,
      89,
    ]);
    const [result] = await runOnce(onnx, y => [tf.expm1(y as Tensor)], [float32([x.length], x)]);
    expectClose(result?.data ?? [], Float32Array.from(x, Math.expm1), { relative: 8e-7 });
  });
});
