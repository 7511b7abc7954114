import type { HostTensor } from '../common/tensor';
import { allowedAttention } from '../model/mask';
import type { AttentionFigure, AttentionHead } from '../protocol/figure';
import { defineAnalysis } from './define';
import { exampleParameters, examplesFor } from './examples';
import { mean } from './attribution/logitContrast';
import { headOf } from './heads';
import { patternsOf } from './patterns';

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
    entropy: 'entropy of where a destination looks, in nats; mean over destinations and examples, of the chosen head or of all',
    largest: 'largest weight of a destination; mean over destinations and examples, of the chosen head or of all',
  },
  appliesTo: () => true,
  async run(context, { head, ...chosenExamples }) {
    const { details, model } = context;
    const { tokens, positions, title } = examplesFor(context, chosenExamples);
    const [B = 0, T = 0] = tokens.shape; // [B, T]
    const { n_heads } = details.config;
    const chosen = head === '' ? undefined : headOf(details.config, head);
    const heads = (await patternsOf(model, tokens)).flatMap((pattern, layer) => measuredHeads(pattern, layer, B, n_heads, T));

    const figure: AttentionFigure = {
      kind: 'attention',
      title: `Attention ${title}`,
      caption: 'Each row is a destination; its weights on the sources sum to 1.',
      tokens: positions,
      heads: heads.map(({ layer, head, pattern }) => ({ layer, head, pattern })),
      allowed: allowedAttention(details.config, T),
      scalar: 'largest',
    };
    const measured = chosen ? heads.filter(({ layer, head: index }) => layer === chosen.layer && index === chosen.head) : heads;
    return { figures: [figure], scalars: { entropy: mean(measured.map(each => each.entropy)), largest: mean(measured.map(each => each.largest)) } };
  },
});

/** A head's mean pattern, and what its rows come to in each example: a mean pattern looks everywhere that any of them does. */
interface MeasuredHead extends AttentionHead {
  /** Means over examples and destinations. */
  readonly entropy: number;
  readonly largest: number;
}

/** Means over the batch of `pattern [B, H, T, T]`, one a head. */
function measuredHeads(pattern: HostTensor<'float32'>, layer: number, B: number, H: number, T: number): MeasuredHead[] {
  const size = T * T;
  return Array.from({ length: H }, (_, head) => {
    const sum = new Float64Array(size);
    let [entropySum, largestSum] = [0, 0];
    for (let example = 0; example < B; example++) {
      const from = (example * H + head) * size;
      for (let at = 0; at < size; at++) sum[at] = (sum[at] ?? 0) + (pattern.data[from + at] ?? 0);
      for (let row = 0; row < T; row++) {
        const weights = pattern.data.subarray(from + row * T, from + (row + 1) * T);
        entropySum += entropyOf(weights);
        largestSum += Math.max(...weights);
      }
    }
    return { layer, head, pattern: Float32Array.from(sum, value => value / B), entropy: entropySum / (B * T), largest: largestSum / (B * T) };
  });
}

function entropyOf(row: Float32Array): number {
  return row.reduce((sum, weight) => (weight > 0 ? sum - weight * Math.log(weight) : sum), 0);
}
