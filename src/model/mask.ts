import { FieldError } from '../common/errors';
import type { ModelConfig } from '../protocol/config';

/** `[T, T]` (destination, source) over the first `T` positions: 1 where attention is allowed. */
export function allowedAttention(config: ModelConfig, T: number): Uint8Array {
  const allows = (destination: number, source: number) => {
    if (config.mask) return config.mask[destination]?.[source] === 'x';
    return config.attention_dir === 'bidirectional' || source <= destination;
  };
  return Uint8Array.from({ length: T * T }, (_, at) => Number(allows(Math.floor(at / T), at % T)));
}

/** Whether no destination among the first `T` positions sees a later one, so that what changes somewhere changes nothing before. */
export function isCausal(config: ModelConfig, T: number): boolean {
  return allowedAttention(config, T).every((allowed, at) => allowed === 0 || at % T <= Math.floor(at / T));
}

/**
 * Says what is wrong with a configuration's mask, if anything: it must be `[n_ctx, n_ctx]`, and every destination must
 * be allowed some source, or its softmax would have nothing to choose from.
 */
export function checkMask({ mask, n_ctx }: ModelConfig): void {
  if (!mask) return;
  if (mask.length !== n_ctx || mask.some(row => row.length !== n_ctx)) {
    throw new FieldError('mask', `The mask must have ${n_ctx} rows of ${n_ctx} characters, one for each position of the task.`);
  }
  const blind = mask.findIndex(row => !row.includes('x'));
  if (blind >= 0) throw new FieldError('mask', `Row ${blind} of the mask allows no source; let position ${blind} attend at least to itself.`);
}
