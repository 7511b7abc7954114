import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';

// N rows · U outputs

/**
 * The mean cross-entropy, in nats, of `logits [N, U]` against the right outputs `labels [N]`: a scalar that keeps its
 * relative precision in float32 however small it is, and so do its gradients. A grokking run lives at losses of 1e-8,
 * where the usual log-softmax has already rounded to 0.
 *
 * With d_j = l_j − l_y and M = max_j d_j ≥ 0 the loss is log Σ_j exp(d_j) = M + log1p((exp(−M) − 1) + Σ_{j≠y} exp(d_j − M)).
 * Where the right output leads, M is 0 and the loss is log1p(Σ_{j≠y} exp d_j): no 1 to lose digits against. Where it does
 * not, the sum is at least 1 and float32's absolute precision suffices. Nothing can overflow, as every exponent is ≤ 0.
 * The gradient of the right logit is taken as minus the sum of the others', so it does not cancel either.
 */
export function crossEntropy(logits: Tensor, labels: Tensor): Tensor {
  const [N = 1] = logits.shape;
  const rows = tf.tensor1d(Int32Array.from({ length: N }, (_, row) => row), 'int32');
  const loss = tf.customGrad((...args) => {
    const [x, save] = args as unknown as [Tensor, (tensors: Tensor[]) => void]; // [N, U]
    const at = tf.stack([rows, labels], 1); // [N, 2], where the right outputs stand
    const right = tf.gatherND(x, at) as Tensor; // [N], l_y
    const largest = tf.max(x, 1) as Tensor; // [N]
    const lead = tf.sub(largest, right); // M
    const all = tf.exp(tf.sub(x, tf.expandDims(largest, 1))); // exp(d_j − M)
    const others = tf.tensorScatterUpdate(all, at, tf.zeros([N])); // [N, U]
    // What there is one of a row is a vector: as a column, ONNX Runtime goes through it number by number.
    const sum = tf.sum(others, 1) as Tensor; // [N]
    const rest = tf.exp(tf.neg(lead));
    const each = tf.add(lead, tf.log1p(tf.add(tf.sub(rest, 1), sum))); // [N]
    save([others, sum, rest, at]);
    return {
      value: tf.mean(each),
      gradFunc: (dy, saved) => {
        const [others, sum, rest, at] = saved as [Tensor, Tensor, Tensor, Tensor];
        const numerator = tf.tensorScatterUpdate(others, at, tf.sub(0, sum));
        return tf.mul(numerator, tf.expandDims(tf.div(dy, tf.mul(tf.add(rest, sum), N)), 1));
      },
    };
  });
  return loss(logits);
}
