import { expect, test } from 'vitest';
import { fullName } from '../../../../src/extension/hooks/shortNames';

// As TransformerLens 2.18 answers.
test.each([
  [['k', '6', 'a'], 'blocks.6.attn.hook_k'],
  [['pre', '2'], 'blocks.2.mlp.hook_pre'],
  [['embed'], 'hook_embed'],
  [['normalized', '27', 'ln2'], 'blocks.27.ln2.hook_normalized'],
  [['k6'], 'blocks.6.attn.hook_k'],
  [['scale4ln1'], 'blocks.4.ln1.hook_scale'],
  [['pre5'], 'blocks.5.mlp.hook_pre'],
  [['attn', '1'], 'blocks.1.attn.hook_pattern'],
  [['attn_logits', '1'], 'blocks.1.attn.hook_attn_scores'],
  [['mlp_post', '0'], 'blocks.0.mlp.hook_post'],
  [['resid_pre', '0'], 'blocks.0.hook_resid_pre'],
  [['scale'], 'ln_final.hook_scale'],
  [['hook_embed'], 'hook_embed'],
  [['blocks.0.hook_resid_mid'], 'blocks.0.hook_resid_mid'],
] as const)('%j is %s', ([name, layer, type], full) => expect(fullName(name ?? '', layer, type)).toBe(full));
