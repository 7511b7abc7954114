import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { float32 } from '../../../src/common/tensor';
import { rotate, softmaxOverKeys } from '../../../src/model/layers';
import { expectClose } from '../../support/close';
import { Draw } from '../../support/draw';
import { readRotations } from '../../support/imported';
import { configOf } from '../../support/models';
import { onnx, runOnce } from '../../support/runtimes';

describe('softmaxOverKeys', () => {
  /** The patterns of scores `[B, T, H]`, and the gradient of the patterns weighed by `direction`. */
  const withGradient = (patterns: (scores: Tensor) => Tensor) => (scores?: Tensor, direction?: Tensor) => [
    patterns(scores as Tensor),
    tf.grad((x: Tensor) => tf.sum(tf.mul(patterns(x), direction as Tensor)))(scores as Tensor),
  ];
  const overKeys = withGradient(softmaxOverKeys);
  const turnedRound = withGradient(scores => tf.transpose(tf.softmax(tf.transpose(scores, [0, 2, 1])), [0, 2, 1]));

  test.each([[[6, 5, 3]], [[2, 40, 2]], [[4, 1, 3]]])('is the softmax of scores %j turned round, and so is its gradient', async shape => {
    const draw = new Draw('scores');
    const inputs = [draw.float32(shape), draw.float32(shape)];
    const expected = await runOnce(onnx, turnedRound, inputs);
    (await runOnce(onnx, overKeys, inputs)).forEach((value, index) => expectClose(value.data, expected[index]?.data ?? [], { absolute: 1e-6 }));
  });

  test('gives a key that the mask forbids nothing, and survives scores beyond what exp can take', async () => {
    const scores = float32([1, 3, 2], Float32Array.of(-Infinity, 900, 1000, 0, 1000, -900));
    const [pattern, gradient] = await runOnce(onnx, overKeys, [scores, float32([1, 3, 2], Float32Array.of(1, 2, 3, 4, 5, 6))]);
    expect([...(pattern?.data ?? [])]).toEqual([0, 1, 0.5, 0, 0.5, 0]);
    expect([...(gradient?.data ?? [])]).toEqual([0, 0, -0.5, 0, 0.5, 0]);
  });
});

describe('rotate', () => {
  test.each([10_000, 500_000])('turns by the angles of TransformerLens with the base %i, far into a long context too', async rotary_base => {
    const rotations = await readRotations();
    const config = configOf({ d_head: 64, positional_embedding_type: 'rotary', rotary_base });
    const positions = [...rotations.int32('positions').data];
    // (1, 0) turned by an angle is its cosine and its sine.
    const x = float32([1, 1, 1, 64], Float32Array.from({ length: 64 }, (_, at) => Number(at < 32)));
    const turned = await runOnce(onnx, (...[given]) => positions.map(position => rotate(config, given as Tensor, position)), [x]);
    turned.forEach(({ data }, row) => {
      const half = (name: string) => rotations.float32(`${name}.${rotary_base}`).data.subarray(row * 64, row * 64 + 32);
      expectClose(data, [...half('cos'), ...half('sin')], { absolute: 1e-6 }, `position ${positions[row] ?? ''}`);
    });
  });
});
