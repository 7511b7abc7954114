import { processingSteps, type ProcessingStep } from './checkpointFile';
import type { ModelConfig } from './config';

/** Why weights of a model cannot be processed in a way, in a sentence; undefined where they can. */
export function obstacleTo(step: ProcessingStep, config: ModelConfig): string | undefined {
  const { normalization_type: norm, normalization_position, positional_embedding_type, tokens_per_position, d_vocab_out, biases } = config;
  switch (step) {
    case 'fold-layer-norm':
      if (norm === null) return 'This model does not normalize (normalization_type is null), so there is no LayerNorm to fold.';
      if (normalization_position === 'after') return 'The norms of this model come after its sublayers, and what they scale stays in the residual stream, so they cannot be folded.';
      if (positional_embedding_type === 'shortformer') {
        return 'This model adds its positions after the norm (positional_embedding_type is "shortformer"), so the norm cannot be folded into queries and keys without changing what they read of positions.';
      }
      return undefined;
    case 'center-writing-weights':
      if (norm !== 'LN' && norm !== 'LNPre') {
        return `Only a LayerNorm takes the mean away from what it reads, and the normalization_type of this model is ${norm ?? 'null'}, so centering what is written would change its logits.`;
      }
      if (normalization_position === 'after') return 'The norms of this model come after its sublayers, and its first layer reads the embedding as it is, so centering what is written would change its logits.';
      if (tokens_per_position !== undefined) return 'Each position of this model holds a pair of tokens, which share the residual stream half and half, so W_E cannot be centered without changing its logits.';
      return undefined;
    case 'center-unembedding':
      return d_vocab_out === 1 ? 'This model has a single output, which centering would make 0.' : undefined;
    case 'fold-value-biases':
      return biases ? undefined : 'This model has no biases, so there is no value bias to fold.';
    default: return step satisfies never;
  }
}

/** The ways to process weights that are worth offering for a model, in the order in which they are done; a norm that is folded is not folded again. */
export function possibleSteps(config: ModelConfig): readonly ProcessingStep[] {
  const isFolded = config.normalization_type === 'LNPre' || config.normalization_type === 'RMSPre';
  return processingSteps.filter(step => obstacleTo(step, config) === undefined && !(step === 'fold-layer-norm' && isFolded));
}
