import { float32, type HostTensor } from '../../common/tensor';
import { allowedAttention } from '../../model/mask';
import type { ParameterValuesByName } from '../../model/parameters';
import type { ModelConfig } from '../../protocol/config';

/** A config as the file beside exported weights has it. */
export type ConfigFile = Readonly<Record<string, string | number | boolean | null>>;

/**
 * The config under TransformerLens' names: the keyword arguments of a `HookedTransformerConfig`. Where a HookedTransformer
 * has no such thing, the value or the field is one that only this program reads ({@link missingInTransformerLens}), or that
 * the Python beside it replaces.
 */
export function configFile(config: ModelConfig, seed: number): ConfigFile {
  const { n_layers, n_heads, d_model, d_head, d_mlp, d_vocab, d_vocab_out, n_ctx, act_fn, normalization_type, eps, attn_only } = config;
  return {
    n_layers, d_model, n_ctx, d_head, n_heads, d_mlp: d_mlp ?? 4 * d_model, d_vocab, d_vocab_out,
    act_fn, normalization_type, eps, attn_only,
    // A HookedTransformer that is bidirectional does not look at its mask.
    attention_dir: config.mask ? 'causal' : config.attention_dir,
    positional_embedding_type: config.positional_embedding_type,
    ...(config.rotary_dim !== undefined && { rotary_dim: config.rotary_dim }),
    ...(config.rotary_base !== undefined && { rotary_base: config.rotary_base }),
    ...(config.rotary_adjacent_pairs && { rotary_adjacent_pairs: true }),
    use_attn_scale: config.use_attn_scale,
    ...(config.attn_scale !== undefined && { attn_scale: config.attn_scale }),
    initializer_range: config.initializer_range, init_weights: false, seed,
    // What is checked and copied as code is computed where its tensors are.
    device: 'cpu',
    ...(config.normalization_position && { normalization_position: config.normalization_position }),
    ...(config.tokens_per_position && { tokens_per_position: config.tokens_per_position }),
    ...(config.padding_token !== undefined && { padding_token: config.padding_token }),
  };
}

/**
 * The model's state dict as a HookedTransformer has it: its parameters, and of each layer's attention the buffers `mask
 * [n_ctx, n_ctx]`, true where attention is allowed, and `IGNORE`. The tables of rotary embeddings are left out, which a
 * HookedTransformer computes by itself.
 */
export function hookedStateDict(config: ModelConfig, weights: ParameterValuesByName): ReadonlyMap<string, HostTensor> {
  const { n_ctx, n_layers } = config;
  // What a causal mask forbids; a HookedTransformer that is bidirectional has one too, and does not look at it.
  const allowed = allowedAttention({ ...config, attention_dir: 'causal' }, n_ctx);
  const mask: HostTensor<'bool'> = { dtype: 'bool', shape: [n_ctx, n_ctx], data: allowed };
  const ignore = float32([], Float32Array.of(-Infinity));
  const buffers = Array.from({ length: n_layers }, (_, layer) => [
    [`blocks.${layer}.attn.mask`, mask] as const, [`blocks.${layer}.attn.IGNORE`, ignore] as const,
  ]);
  return new Map<string, HostTensor>([...weights, ...buffers.flat()]);
}
