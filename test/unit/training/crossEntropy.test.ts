import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import { float32, int32 } from '../../../src/common/tensor';
import { crossEntropy } from '../../../src/training/crossEntropy';
import { expectClose } from '../../support/close';
import { Draw } from '../../support/draw';
import { readFixture } from '../../support/fixtures';
import { eager, onnx, runOnce } from '../../support/runtimes';

const { document, tensors } = await readFixture('cross-entropy');
const { cases } = v.parse(
  v.object({ cases: v.array(v.object({ name: v.string(), what: v.string(), rows: v.number(), classes: v.number() })) }),
  document,
);

/** Each row's own loss and gradient. */
function rowByRow(logits: Tensor, labels: Tensor): Tensor[] {
  const [rows = 0] = logits.shape;
  return Array.from({ length: rows }, (_, row) => {
    const loss = (x: Tensor) => crossEntropy(tf.slice(x, [row, 0], [1, -1]), tf.slice(labels, [row], [1])) as tf.Scalar;
    const { value, grad } = tf.valueAndGrad(loss)(logits);
    return [value, tf.slice(grad, [row, 0], [1, -1])];
  }).flat();
}

/** Below the smallest normal float32 digits are lost, and processors may give 0. */
const smallest = 1.2e-38;

describe.each([
  ['ONNX Runtime', onnx],
  ['tfjs', eager],
])('on %s keeps five digits of loss and gradient', (_, runtime) => {
  test.each(cases.map(each => [each.name, each.what, each] as const))('%s: %s', async (name, __, { rows, classes }) => {
    const results = await runOnce(runtime, (logits, labels) => rowByRow(logits as Tensor, labels as Tensor), [
      tensors.float32(`${name}.logits`),
      tensors.int32(`${name}.labels`),
    ]);
    const [losses, gradients] = [tensors.float32(`${name}.loss`).data, tensors.float32(`${name}.gradient`).data];
    for (let row = 0; row < rows; row++) {
      const tolerance = { relative: 1e-5, absolute: smallest };
      expectClose(results[2 * row]?.data ?? [], losses.subarray(row, row + 1), tolerance, `loss of row ${row}`);
      expectClose(
        results[2 * row + 1]?.data ?? [],
        gradients.subarray(row * classes, (row + 1) * classes),
        tolerance,
        `gradient of row ${row}`,
      );
    }
  });
});

describe('of a batch', () => {
  const draw = new Draw('cross-entropy');
  const [logits, labels] = [draw.float32([6, 5]), draw.int32([6], 0, 5)];

  test('is the mean over its rows of minus the logarithm of softmax', async () => {
    const [loss, gradient] = await runOnce(
      onnx,
      (x, y) => {
        const { value, grad } = tf.valueAndGrad((given: Tensor) => crossEntropy(given, y as Tensor) as tf.Scalar)(
          x as Tensor,
        );
        return [value, grad];
      },
      [logits, labels],
    );
    const rows = Array.from({ length: 6 }, (_, row) => {
      const powers = [...logits.data.subarray(row * 5, row * 5 + 5)].map(Math.exp);
      return powers.map(power => power / powers.reduce((sum, each) => sum + each, 0));
    });
    const right = (row: number) => labels.data[row] ?? 0;
    const naive = -rows.reduce((sum, softmax, row) => sum + Math.log(softmax[right(row)] ?? 0), 0) / 6;
    expectClose(loss?.data ?? [], [naive], { relative: 1e-6 });
    expectClose(
      gradient?.data ?? [],
      rows.flatMap((softmax, row) => softmax.map((p, j) => (p - Number(j === right(row))) / 6)),
      { relative: 1e-5, absolute: 1e-8 },
    );
  });

  test('its gradient is scaled by that of what comes after it', async () => {
    const [once, thrice] = await runOnce(
      onnx,
      (x, y) =>
        [1, 3].map(times => tf.grad((given: Tensor) => tf.mul(crossEntropy(given, y as Tensor), times))(x as Tensor)),
      [logits, labels],
    );
    expectClose(
      thrice?.data ?? [],
      Array.from(once?.data ?? [], value => 3 * value),
      { relative: 1e-6 },
    );
  });

  test('is NaN, not a wrong number, when a logit is', async () => {
    const [loss] = await runOnce(onnx, (x, y) => [crossEntropy(x as Tensor, y as Tensor)], [
      float32([1, 3], Float32Array.of(1, Number.NaN, 2)),
      int32([1]),
    ]);
    expect(loss?.data[0]).toBeNaN();
  });
});
