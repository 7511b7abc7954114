import { FieldError } from '../common/errors';
import type { ModelConfig } from '../protocol/config';

/**
 * Whether a destination may attend to a source in prompts of `T` tokens. Of a mask TransformerLens reads the last `T` rows
 * and columns (`apply_causal_mask`), so that of a shorter prompt its first position is no longer the mask's first.
 */
export function attentionRule({ mask, n_ctx, attention_dir }: ModelConfig, T: number): (destination: number, source: number) => boolean {
  const skipped = n_ctx - T;
  if (mask) return (destination, source) => mask[skipped + destination]?.[skipped + source] === 'x';
  return (destination, source) => attention_dir === 'bidirectional' || source <= destination;
}

/** `[T, T]` (destination, source) of prompts of `T` tokens: 1 where attention is allowed. */
export function allowedAttention(config: ModelConfig, T: number): Uint8Array {
  const allows = attentionRule(config, T);
  return Uint8Array.from({ length: T * T }, (_, at) => Number(allows(Math.floor(at / T), at % T)));
}

/** The first position of prompts shorter than n_ctx that what is read of the mask leaves nothing to attend to. */
export function blindPosition(config: ModelConfig, T: number): number | undefined {
  if (!config.mask || T >= config.n_ctx) return undefined;
  const allowed = allowedAttention(config, T);
  return Array.from({ length: T }, (_, destination) => destination).find(destination => !allowed.subarray(destination * T, (destination + 1) * T).includes(1));
}

/** Whether no destination in prompts of `T` tokens sees a later one, so that what changes somewhere changes nothing before. */
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
