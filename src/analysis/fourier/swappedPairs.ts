import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { asFloat32, type RunnableModel } from '../../model/runnable';
import { allPairs, type ModularTask } from './modular';
import { lastPosition, pairLogits } from './pairRuns';

// p modulus · N numbers in an activation

/** How far an activation for (a, b) is from that for (b, a). */
export interface SwappedDifference {
  readonly name: string;
  /** Whether it is of the last layer's neurons, behind the nonlinearity. */
  readonly isNeurons: boolean;
  /** `[p²]`, a by b: the norm of the difference over the mean of the two norms; 0 where both are zero. */
  readonly values: Float32Array;
  /** Mean and largest over pairs of different numbers. */
  readonly mean: number;
  readonly largest: number;
}

/** The differences at `=` in the last layer, in the order in which the model computes. */
export async function differencesOfSwapped(model: RunnableModel, task: ModularTask): Promise<readonly SwappedDifference[]> {
  const { modulus: p } = task;
  const { config } = model;
  const at = `blocks.${config.n_layers - 1}`;
  const hooks = [
    { hook: `${at}.hook_attn_out`, name: 'attention output' },
    ...(config.attn_only ? [] : [{ hook: `${at}.mlp.hook_pre`, name: 'neurons before the nonlinearity' }, { hook: `${at}.mlp.hook_post`, name: 'neurons' }]),
  ];
  const outputs = await model.compute('swapped pairs', (weights, tokens) => {
    if (!tokens) throw new Error('tokens are missing');
    const seen: Tensor[] = [];
    const logits = pairLogits(config, p, weights, tokens, (name, value) => {
      if (hooks.some(({ hook }) => hook === name)) seen.push(lastPosition(value));
      return value;
    });
    return [...seen, logits].map(value => {
      const byPair = tf.reshape(value, [p, p, -1]); // [p, p, N]
      const norm = (x: Tensor) => tf.sqrt(tf.sum(tf.square(x), 2)); // [p, p]
      const norms = norm(byPair);
      const size = tf.add(norms, tf.transpose(norms));
      const difference = norm(tf.sub(byPair, tf.transpose(byPair, [1, 0, 2])));
      return tf.where(tf.greater(size, 0), tf.div(tf.mul(difference, 2), size), tf.zerosLike(size));
    });
  }, [allPairs(task)]);
  return [...hooks, { hook: 'logits', name: 'logits' }].map(({ hook, name }, index) => {
    const values = asFloat32(outputs[index]).data;
    // Of a number and itself there is no difference, so that sums over all pairs are sums over pairs of different ones.
    const mean = values.reduce((sum, value) => sum + value, 0) / (p * (p - 1));
    return { name, isNeurons: hook.endsWith('hook_post'), values, mean, largest: values.reduce((most, value) => Math.max(most, value), 0) };
  });
}
