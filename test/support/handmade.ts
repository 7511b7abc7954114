import type { ModelConfig } from '../../src/protocol/config';
import { configOf } from './models';

/** The architecture that the weights by hand fit, for graphs of `n` vertices. */
export function handmadeConfig(n: number, given: Partial<ModelConfig> = {}): ModelConfig {
  return configOf({
    n_layers: n, n_heads: n + 1, d_model: 4 * n + 2, d_head: n, d_mlp: n, act_fn: 'saturate', attention_dir: 'bidirectional', use_attn_scale: false,
    biases: false, init_mode: 'bfs', d_vocab: 2 ** n + 1, d_vocab_out: 1, n_ctx: n + 1, ...given,
  });
}
