import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';

// The steps of a norm over the last axis of `x [..., D]`, each with a gradient of its own: as few passes over the rows as its
// formula has, where differentiating operation by operation repeats each mean along its row before it is added.

/** `x` less the mean of its row. */
export function centre(x: Tensor): Tensor {
  const less = tf.customGrad((...args) => {
    const [rows] = args as unknown as [Tensor];
    return { value: tf.sub(rows, meanOfRows(rows)), gradFunc: dy => tf.sub(dy, meanOfRows(dy)) };
  });
  return less(x);
}

/** `√(mean(x²) + eps)` of each row, `[..., 1]`. */
export function rootMeanSquare(x: Tensor, eps: number): Tensor {
  const rooted = tf.customGrad((...args) => {
    const [rows, save] = args as unknown as [Tensor, Save];
    const value = tf.sqrt(tf.add(meanOfRows(tf.square(rows)), eps));
    save([rows, value]);
    return {
      value,
      gradFunc: (dy, saved) => {
        const [x, root] = saved as [Tensor, Tensor];
        return tf.mul(x, tf.div(dy, tf.mul(root, x.shape.at(-1) ?? 1)));
      },
    };
  });
  return rooted(x);
}

/** Rows `x [..., D]` by a divisor `[..., 1]` of each. */
export function divideRows(x: Tensor, divisor: Tensor): Tensor {
  const divided = tf.customGrad((...args) => {
    const [rows, by, save] = args as unknown as [Tensor, Tensor, Save];
    const value = tf.div(rows, by);
    save([value, by]);
    return {
      value,
      gradFunc: (dy, saved) => {
        const [quotient, by] = saved as [Tensor, Tensor];
        const shares = tf.expandDims(tf.sum(tf.mul(dy, quotient), -1), -1);
        return [tf.div(dy, by), tf.neg(tf.div(shares, by))];
      },
    };
  });
  return divided(x, divisor);
}

type Save = (tensors: Tensor[]) => void;

/** `[..., 1]`, made as a vector: ONNX Runtime goes through a column number by number. */
function meanOfRows(x: Tensor): Tensor {
  return tf.expandDims(tf.mean(x, -1), -1);
}
