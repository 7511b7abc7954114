// What TransformerLens' `get_act_name` (2.18) makes of a short name, which `cache[…]` takes too.

const layerTypes: Readonly<Record<string, string>> = { a: 'attn', m: 'mlp', b: '', block: '', blocks: '', attention: 'attn' };
const otherNames: Readonly<Record<string, string>> = {
  attn: 'pattern', attn_logits: 'attn_scores', key: 'k', query: 'q', value: 'v', mlp_pre: 'pre', mlp_mid: 'mid', mlp_post: 'post',
};
const ofAttention = new Set(['k', 'v', 'q', 'z', 'rot_k', 'rot_q', 'result', 'pattern', 'attn_scores']);
const ofMlp = new Set(['pre', 'post', 'mid', 'pre_linear']);

/** Short names of all hook points, as completion offers them. */
export const shortNames = [
  'q', 'k', 'v', 'z', 'result', 'pattern', 'attn_scores', 'rot_q', 'rot_k', 'pre', 'post', 'resid_pre', 'resid_mid', 'resid_post',
  'attn_out', 'mlp_out', 'scale', 'normalized', 'embed', 'pos_embed',
] as const;

/**
 * The full name: `pattern`, 0 → `blocks.0.attn.hook_pattern`; `scale4ln1` → `blocks.4.ln1.hook_scale`. `layer` may be any text,
 * such as `*`.
 */
export function fullName(name: string, layer?: string, layerType?: string): string {
  if ((name.includes('.') || name.startsWith('hook_')) && layer === undefined && layerType === undefined) return name;
  const together = /^([a-z]+)(\d+)([a-z]?.*)/.exec(name);
  const [given, at, type] = together ? [together[1] ?? '', together[2], together[3] === '' ? undefined : together[3]] : [name, layer, layerType];
  const own = otherNames[given] ?? given;
  const module = ofAttention.has(own) ? 'attn' : ofMlp.has(own) ? 'mlp' : type === undefined ? '' : layerTypes[type] ?? type;
  const hook = `${at === undefined ? '' : `blocks.${at}.`}${module === '' ? '' : `${module}.`}hook_${own}`;
  return (own === 'scale' || own === 'normalized') && at === undefined ? `ln_final.${hook}` : hook;
}
