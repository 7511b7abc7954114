import { unknownName } from '../common/nearest';
import type { ModelConfig } from '../protocol/config';

/** A head's name in the field's way: `L0H3`. */
export function headName(layer: number, head: number): string {
  return `L${layer}H${head}`;
}

/** Every hook point that a model of this configuration has, in the order in which the forward pass meets them. */
export function hookNames(config: ModelConfig): readonly string[] {
  const { n_layers, attn_only, normalization_type, normalization_position, positional_embedding_type } = config;
  const isPostNorm = normalization_position === 'after';
  const norm = (at: string) => (normalization_type === null ? [] : [`${at}.hook_scale`, `${at}.hook_normalized`]);
  const learnt = positional_embedding_type === 'standard' || positional_embedding_type === 'shortformer';
  const block = (layer: number) => {
    const at = `blocks.${layer}`;
    return [
      `${at}.hook_resid_pre`,
      ...(isPostNorm ? [] : norm(`${at}.ln1`)),
      ...['q', 'k', 'v'].map(part => `${at}.attn.hook_${part}`),
      ...(positional_embedding_type === 'rotary' ? [`${at}.attn.hook_rot_q`, `${at}.attn.hook_rot_k`] : []),
      ...['attn_scores', 'pattern', 'z', 'result'].map(part => `${at}.attn.hook_${part}`),
      `${at}.hook_attn_out`,
      ...(attn_only ? [] : [`${at}.hook_resid_mid`, ...norm(`${at}.${isPostNorm ? 'ln1' : 'ln2'}`), `${at}.mlp.hook_pre`, `${at}.mlp.hook_post`, `${at}.hook_mlp_out`]),
      `${at}.hook_resid_post`,
      ...(isPostNorm ? [...norm(`${at}.${attn_only ? 'ln1' : 'ln2'}`), `${at}.hook_normalized_resid_post`] : []),
    ];
  };
  return [
    'hook_embed',
    ...(learnt ? ['hook_pos_embed'] : []),
    ...Array.from({ length: n_layers }, (_, layer) => block(layer)).flat(),
    ...(isPostNorm ? [] : norm('ln_final')),
  ];
}

/** Throws a UserError with the nearest names when the model has no such hook point. */
export function checkHookName(config: ModelConfig, name: string): void {
  const names = hookNames(config);
  if (!names.includes(name)) throw unknownName('hook point', name, names);
}
