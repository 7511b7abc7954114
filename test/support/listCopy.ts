import type { AnalysisContext } from '../../src/analysis/define';
import { float32 } from '../../src/common/tensor';
import { contextOf } from './analyses';
import { prepared } from './experiments';
import { randomParameters } from './models';

/** The study's mask of `d1 d2 SEP o1 o2`: digits see earlier ones, outputs never see digits, and nothing but d1 sees itself. */
export const listCopyMask = ['x....', 'x....', 'xx...', '..x..', '..xx.'];

/**
 * A model of list copy with the sizes and the mask of the study, its weights drawn at random and large enough for its attention
 * to differ. `task` and `model` change it.
 */
export function listCopyContext(task: object = {}, model: object = {}): AnalysisContext {
  const context = contextOf(prepared({
    task: { name: 'list-copy', modulus: undefined, trainFraction: undefined, ...task },
    model: {
      n_layers: 3, n_heads: 1, d_model: 8, d_head: 8, d_mlp: undefined, attn_only: true, biases: false,
      identity: ['blocks.*.attn.W_V', 'blocks.*.attn.W_O'], mask: listCopyMask, ...model,
    },
    training: { batch: 8 },
  }));
  const large = [...randomParameters(context.details.config)].map(([name, { shape, data }]) => [name, float32(shape, data.map(value => 1.5 * value))] as const);
  return { ...context, model: context.model.withWeights(new Map(large)) };
}
