import type { ModelConfig } from '../protocol/config';

/** What of a model no HookedTransformer has, in words that go on after "because"; undefined where one computes the same. */
export function missingInTransformerLens({ normalization_position, tokens_per_position, padding_token }: ModelConfig): string | undefined {
  if (normalization_position === 'after') return 'its norms come after its sublayers';
  if (tokens_per_position !== undefined) return 'each of its positions holds a pair of tokens';
  if (padding_token !== undefined) return 'its positions can be empty';
  return undefined;
}
