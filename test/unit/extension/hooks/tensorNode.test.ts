import { expect, test } from 'vitest';
import { nodeOfTensor } from '../../../../src/extension/hooks/tensorNode';

const facts = { n_heads: 4, attn_only: false };

test.each([
  ['blocks.1.attn.W_O', undefined, { kind: 'parameter', name: 'blocks.1.attn.W_O' }],
  ['blocks.1.attn.W_O', 2, { kind: 'head', layer: 1, head: 2 }],
  ['embed.W_E', undefined, { kind: 'parameter', name: 'embed.W_E' }],
  ['hook_embed', undefined, { kind: 'group', group: 'embedding' }],
  ['hook_pos_embed', undefined, { kind: 'group', group: 'embedding' }],
  ['ln_final.hook_scale', undefined, { kind: 'group', group: 'unembedding' }],
  ['blocks.1.attn.hook_pattern', undefined, { kind: 'layer', layer: 1 }],
  ['blocks.1.hook_resid_pre', undefined, { kind: 'layer', layer: 1 }],
  ['blocks.0.mlp.hook_post', undefined, { kind: 'group', group: 'mlp', layer: 0 }],
  ['blocks.0.hook_mlp_out', undefined, { kind: 'group', group: 'mlp', layer: 0 }],
] as const)('%s, head %s, is at its row', (name, head, node) => {
  const target = { model: 'm', name, ...(head !== undefined && { head }) };
  expect(nodeOfTensor(target, { ...facts, isParameter: !name.includes('hook_') })).toEqual({ model: 'm', ...node });
});

test('an only head is the layer\'s', () => {
  expect(nodeOfTensor({ model: 'm', name: 'blocks.0.attn.hook_z' }, { n_heads: 1, attn_only: true, isParameter: false })).toEqual({ kind: 'head', model: 'm', layer: 0, head: 0 });
});
