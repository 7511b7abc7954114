import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { describe, test } from 'vitest';
import type { Runtime } from '../../../src/compile/runtime';
import { centre, divideRows, rootMeanSquare } from '../../../src/model/norms';
import { expectClose } from '../../support/close';
import { Draw } from '../../support/draw';
import { eager, onnx, runOnce } from '../../support/runtimes';

const draw = new Draw('norms');
const eps = 1e-3;

/** Each step beside what it is, operation by operation, with tfjs' own gradients. */
const steps: readonly (readonly [string, (x: Tensor) => Tensor, (x: Tensor) => Tensor])[] = [
  ['centring', centre, x => tf.sub(x, tf.mean(x, -1, true))],
  ['the root mean square', x => rootMeanSquare(x, eps), plainRoot],
  ['dividing rows by what is made of them', x => divideRows(x, tf.exp(tf.mean(x, -1, true))), x => tf.div(x, tf.exp(tf.mean(x, -1, true)))],
  [
    'the whole norm',
    x => {
      const centred = centre(x);
      return divideRows(centred, rootMeanSquare(centred, eps));
    },
    x => {
      const centred = tf.sub(x, tf.mean(x, -1, true));
      return tf.div(centred, plainRoot(centred));
    },
  ],
];

function plainRoot(x: Tensor): Tensor {
  return tf.sqrt(tf.add(tf.mean(tf.square(x), -1, true), eps));
}

/** A step's value, and the gradient of its sum under random weights. */
function valueAndGradient(step: (x: Tensor) => Tensor): (...inputs: Tensor[]) => Tensor[] {
  return (...inputs) => {
    const [x] = inputs as [Tensor];
    const weigh = (value: Tensor) => tf.sum(tf.mul(value, tf.tensor(new Draw('weights').float32(value.shape).data, value.shape)));
    return [step(x), tf.grad(given => weigh(step(given)))(x)];
  };
}

describe.each<readonly [string, Runtime]>([['compiled', onnx], ['eager', eager]])('%s', (_, runtime) => {
  test.each(steps)('%s: its numbers and gradient are those of the operations it stands for', async (what, step, plain) => {
    for (const shape of [[7], [5, 6], [2, 3, 4]]) {
      const x = draw.float32(shape);
      const made = await runOnce(runtime, valueAndGradient(step), [x]);
      const expected = await runOnce(eager, valueAndGradient(plain), [x]);
      expected.forEach(({ data }, index) => expectClose(made[index]?.data ?? [], data, { relative: 1e-5, absolute: 2e-6 }, `${what} of [${shape.join()}]`));
    }
  });
});
