import { FieldError } from '../common/errors';
import type { ModelConfig } from '../protocol/config';
import { checkMask } from './mask';

/**
 * Says what keeps a configuration from being computed, or what in it means nothing, wherever it comes from.
 * @throws FieldError for the field that does not fit the others.
 */
export function checkArchitecture(config: ModelConfig): void {
  const { d_model, d_head, rotary_dim = d_head, positional_embedding_type, tokens_per_position = 1 } = config;
  if (positional_embedding_type === 'rotary') {
    if (rotary_dim > d_head || rotary_dim % 2 !== 0) throw new FieldError('rotary_dim', `rotary_dim ${rotary_dim} must be even and at most d_head ${d_head}.`);
  } else {
    const idle = (['rotary_dim', 'rotary_base', 'rotary_adjacent_pairs'] as const).find(field => config[field] !== undefined);
    if (idle !== undefined) throw new FieldError(idle, `${idle} has a meaning only with rotary positional embeddings.`);
  }
  if (config.attn_scale !== undefined && !config.use_attn_scale) throw new FieldError('attn_scale', 'attn_scale has no use when use_attn_scale is false; leave one of them out.');
  if (d_model % tokens_per_position !== 0) throw new FieldError('d_model', `d_model ${d_model} must be even: each position of this task embeds two things, one in each half.`);
  if (config.normalization_position !== undefined && config.normalization_type === null) throw new FieldError('normalization_position', 'normalization_position has a meaning only with a normalization_type.');
  checkMask(config);
}
