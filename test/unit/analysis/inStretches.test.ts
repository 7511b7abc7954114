import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { computeInStretches } from '../../../src/analysis/inStretches';
import { ordinaryRoom, rowsAtOnce } from '../../../src/analysis/patching/patchingPasses';
import { CancelledError } from '../../../src/common/errors';
import { float32, int32 } from '../../../src/common/tensor';
import { RunnableModel } from '../../../src/model/runnable';
import { configOf, randomParameters } from '../../support/models';
import { onnx } from '../../support/runtimes';

// Neurons enough that only a few prompts fit at once.
const config = configOf({ n_layers: 1, n_heads: 1, d_model: 2, d_head: 1, d_mlp: 65_536, n_ctx: 64 });
const model = new RunnableModel(config, randomParameters(config), onnx);
const most = rowsAtOnce(config, 64, 64, ordinaryRoom);
const count = 2 * most + 1;
const tokens = int32([count, 64], Int32Array.from({ length: 64 * count }, (_, at) => at % 7));
const others = float32([count, 2, 1], Float32Array.from({ length: 2 * count }, (_, at) => at));

describe('computing in stretches', () => {
  test('runs no more prompts at once than fit, each with its own row of what else is given, and joins what comes out', async () => {
    const sizes: number[] = [];
    const [sums, same] = await computeInStretches({ model, signal: new AbortController().signal }, 'sums', (weights, given, other) => {
      if (!other) throw new Error('the other is missing');
      sizes.push(given.shape[0] ?? 0);
      return [tf.add(tf.sum(tf.cast(given, 'float32'), 1), tf.sum(tf.mul(other, weights('blocks.0.attn.b_Q')), [1, 2])), tf.mul(other, 2)];
    }, tokens, [others]);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(most);
    expect(sizes.length).toBeGreaterThan(1);
    const bias = model.parameter('blocks.0.attn.b_Q').data[0] ?? NaN;
    const expected = Array.from({ length: count }, (_, row) =>
      Array.from({ length: 64 }, (__, at) => (64 * row + at) % 7).reduce((sum, token) => sum + token, 0) + bias * (4 * row + 1));
    expect(sums?.shape).toEqual([count]);
    sums?.data.forEach((value, row) => expect(value).toBeCloseTo(expected[row] ?? NaN, 3));
    expect(same?.shape).toEqual([count, 2, 1]);
    expect([...same?.data ?? []]).toEqual([...others.data].map(value => 2 * value));
  });

  test('stops between stretches when nobody waits any more', async () => {
    const controller = new AbortController();
    const running = computeInStretches({ model, signal: controller.signal }, 'stopped', (_, given) => {
      controller.abort();
      return [tf.cast(given, 'float32')];
    }, tokens);
    await expect(running).rejects.toThrow(CancelledError);
  });

  test('refuses tokens outside of the vocabulary', async () => {
    await expect(computeInStretches({ model, signal: new AbortController().signal }, 'never', () => [], int32([1, 2], Int32Array.of(1, 7)))).rejects.toThrow(/^Token 7 at position 1/);
  });
});
