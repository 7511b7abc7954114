import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';

// N rows · S senders · T positions · D d_model

/** What the senders of an edge graph write to the residual stream, collected in their order while a forward pass runs. */
export class SentValues {
  private readonly parts: Tensor[] = []; // [N, some senders, T, D]

  /** To be told of every hook's value; of a forward pass with `wantsResult`. */
  see(name: string, value: Tensor): void {
    if (name === 'blocks.0.hook_resid_pre' || name.endsWith('.hook_mlp_out')) this.parts.push(tf.expandDims(value, 1));
    if (name.endsWith('.attn.hook_result')) this.parts.push(tf.transpose(value, [0, 2, 1, 3]));
  }

  /** `[N, S, T, D]` of those that have written by now. */
  all(): Tensor {
    return tf.concat(this.parts, 1);
  }
}
