import type { HostTensor } from '../common/tensor';
import { allowedAttention } from '../model/mask';
import type { AttentionFigure, AttentionHead } from '../protocol/figure';
import { defineAnalysis } from './define';
import { exampleParameters, examplesFor } from './examples';
import { headOf } from './heads';

// B batch · T positions · H heads

/** Where each head looks: the attention patterns, averaged over a batch or of one prompt. */
export const attention = defineAnalysis({
  id: 'attention',
  title: 'Attention',
  description: 'The attention pattern of every head, averaged over examples or for one prompt.',
  group: 'Attention',
  live: true,
  params: {
    ...exampleParameters,
    head: { kind: 'head', title: 'Head', description: 'The head that is drawn large and measured.', default: '' },
  },
  scalars: {
    entropy: 'mean entropy of the rows of the chosen head (of all heads without a choice), in nats',
    largest: 'mean of the largest weight in each row',
  },
  appliesTo: () => true,
  async run(context, { head, ...chosenExamples }) {
    const { details, model } = context;
    const { tokens, positions, title } = examplesFor(context, chosenExamples);
    const [B = 0, T = 0] = tokens.shape; // [B, T]
    const { n_layers, n_heads } = details.config;
    const chosen = head === '' ? undefined : headOf(details.config, head);
    const hooks = Array.from({ length: n_layers }, (_, layer) => `blocks.${layer}.attn.hook_pattern`);
    const { cache } = await model.runWithCache(tokens, hooks);
    const heads = hooks.flatMap((hook, layer) => meanPatterns(cache.get(hook), layer, B, n_heads, T));

    const figure: AttentionFigure = {
      kind: 'attention',
      title: `Attention ${title}`,
      caption: 'Each row is a destination; its weights on the sources sum to 1.',
      tokens: positions,
      heads,
      allowed: allowedAttention(details.config, T),
    };
    const measured = chosen ? heads.filter(({ layer, head: index }) => layer === chosen.layer && index === chosen.head) : heads;
    return { figures: [figure], scalars: { entropy: meanOverRows(measured, T, entropy), largest: meanOverRows(measured, T, row => Math.max(...row)) } };
  },
});

/** Means over the batch of `pattern [B, H, T, T]`, one a head. */
function meanPatterns(pattern: HostTensor<'float32'> | undefined, layer: number, B: number, H: number, T: number): AttentionHead[] {
  if (!pattern) throw new Error(`layer ${layer} gave no pattern`);
  const size = T * T;
  return Array.from({ length: H }, (_, head) => {
    const sum = new Float64Array(size);
    for (let row = 0; row < B; row++) {
      const from = (row * H + head) * size;
      for (let at = 0; at < size; at++) sum[at] = (sum[at] ?? 0) + (pattern.data[from + at] ?? 0);
    }
    return { layer, head, pattern: Float32Array.from(sum, value => value / B) };
  });
}

function entropy(row: Float32Array): number {
  return row.reduce((sum, weight) => (weight > 0 ? sum - weight * Math.log(weight) : sum), 0);
}

function meanOverRows(heads: readonly AttentionHead[], T: number, measure: (row: Float32Array) => number): number {
  const values = heads.flatMap(({ pattern }) => Array.from({ length: T }, (_, row) => measure(pattern.subarray(row * T, (row + 1) * T))));
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
