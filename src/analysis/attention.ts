import type { HostTensor } from '../common/tensor';
import { allowedAttention } from '../model/mask';
import type { AttentionFigure, AttentionHead } from '../protocol/figure';
import { defineAnalysis } from './define';
import { exampleParameters, examplesFor } from './examples';
import { mean } from './attribution/logitContrast';
import { headOf } from './heads';
import { patternsOf } from './patterns';
import { promptLines } from './python/written';

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
  python(context, { head: _, ...chosenExamples }) {
    const { tokens } = examplesFor(context, chosenExamples);
    return [
      ...promptLines({ tokens }),
      '_, cache = model.run_with_cache(tokens)',
      'figure = torch.stack([cache["pattern", layer].mean(0) for layer in range(model.cfg.n_layers)])  # [layer, head, query, key]',
    ];
  },
  async run(context, { head, ...chosenExamples }) {
    const { details, model } = context;
    const { tokens, positions, title } = examplesFor(context, chosenExamples);
    const T = tokens.shape[1] ?? 0; // [B, T]
    const { n_heads, padding_token } = details.config;
    const holding = Uint8Array.from(tokens.data, token => Number(token !== padding_token)); // [B, T]
    const chosen = head === '' ? undefined : headOf(details.config, head);
    const heads = (await patternsOf(model, tokens)).flatMap((pattern, layer) => measuredHeads(pattern, layer, n_heads, holding));

    const figure: AttentionFigure = {
      kind: 'attention',
      title: `Attention ${title}`,
      caption: `Each row is a destination; its weights on the sources sum to 1.${holding.includes(0) ? ' Positions that hold nothing are left out of the mean.' : ''}`,
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

/**
 * Means over the batch of `pattern [B, H, T, T]`, one a head: for each destination over the examples in which it holds something
 * (`holding [B, T]`), or over all where it never does.
 */
function measuredHeads({ shape, data }: HostTensor<'float32'>, layer: number, H: number, holding: Uint8Array): MeasuredHead[] {
  const [B = 0, , T = 0] = shape;
  const counts = Array.from({ length: T }, (_, row) => Array.from({ length: B }, (__, example) => holding[example * T + row] ?? 0).reduce((sum, holds) => sum + holds, 0));
  const rows = counts.reduce((sum, count) => sum + count, 0);
  return Array.from({ length: H }, (_, head) => {
    const sum = new Float64Array(T * T);
    let [entropySum, largestSum] = [0, 0];
    for (let example = 0; example < B; example++) {
      for (let row = 0; row < T; row++) {
        const holds = holding[example * T + row] === 1;
        if (!holds && counts[row] !== 0) continue;
        const weights = data.subarray(((example * H + head) * T + row) * T, ((example * H + head) * T + row + 1) * T);
        weights.forEach((weight, source) => (sum[row * T + source] = (sum[row * T + source] ?? 0) + weight));
        if (!holds) continue;
        entropySum += entropyOf(weights);
        largestSum += Math.max(...weights);
      }
    }
    const pattern = Float32Array.from(sum, (value, at) => value / (counts[Math.floor(at / T)] || B));
    return { layer, head, pattern, entropy: entropySum / rows, largest: largestSum / rows };
  });
}

function entropyOf(row: Float32Array): number {
  return row.reduce((sum, weight) => (weight > 0 ? sum - weight * Math.log(weight) : sum), 0);
}
