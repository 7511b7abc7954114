/** The state-dict names of an attention-only model. */
export function parameterNames(layers: number): readonly string[] {
  const attention = ['W_Q', 'W_K', 'W_V', 'W_O', 'b_Q', 'b_K', 'b_V', 'b_O'];
  const blocks = Array.from({ length: layers }, (_, layer) => attention.map(name => `blocks.${layer}.attn.${name}`));
  return ['embed.W_E', 'pos_embed.W_pos', ...blocks.flat(), 'unembed.W_U', 'unembed.b_U'];
}
