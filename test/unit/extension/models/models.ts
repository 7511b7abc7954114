import type { ModelDetails, ModelSummary } from '../../../../src/protocol/model';

/** A finished model to begin from. */
export function modelSummary(changes: Partial<ModelSummary> = {}): ModelSummary {
  return {
    id: 'm', name: 'array-update', task: 'array-update', status: 'finished', progress: { step: 1000, steps: 1000 },
    metrics: { trainLoss: 0.02, testLoss: 0.0123, testAccuracy: 0.99986 }, n_layers: 2, n_heads: 3, attn_only: true,
    createdAt: 1_700_000_000_000, path: '/models/m', resumable: false, ...changes,
  };
}

export function modelDetails(
  { layers, heads, attentionOnly, checkpoints }: {
    readonly layers: number; readonly heads: number; readonly attentionOnly: boolean; readonly checkpoints: readonly number[];
  },
): ModelDetails {
  const summary = modelSummary({ n_layers: layers, n_heads: heads, attn_only: attentionOnly });
  const block = ['attn.W_Q', 'attn.b_O', ...(attentionOnly ? [] : ['mlp.W_in', 'mlp.b_out'])];
  const blocks = Array.from({ length: layers }, (_, layer) => block.map(name => `blocks.${layer}.${name}`)).flat();
  const names = ['embed.W_E', 'pos_embed.W_pos', ...blocks, 'unembed.W_U'];
  const model = { n_layers: layers, n_heads: heads, d_model: 8, d_head: 4 };
  return {
    summary,
    checkpoints,
    parameters: names.map(name => ({ name, shape: [4, 8], trainable: name !== 'embed.W_E' })),
    // What the extension shows needs no more of these.
    experiment: { name: 'array-update', seed: 0, task: { name: 'array-update', parameters: {} }, model } as unknown as ModelDetails['experiment'],
    config: model as unknown as ModelDetails['config'],
  };
}
