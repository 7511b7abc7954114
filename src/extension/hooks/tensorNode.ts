import { groupOfParameter, type ModelNode } from '../models/modelNodes';
import type { TensorTarget } from '../contributions';

/** The row of the tree that stands for a tensor: a parameter, a head, or the layer or part that a hook point is in. */
export function nodeOfTensor({ model, name, head }: TensorTarget, facts: { readonly n_heads: number; readonly isParameter: boolean; readonly attn_only: boolean }): ModelNode {
  const layerText = /^blocks\.(\d+)\./.exec(name)?.[1];
  const layer = layerText === undefined ? undefined : Number(layerText);
  const only = facts.n_heads === 1 ? 0 : undefined;
  if (facts.isParameter) {
    return layer !== undefined && head !== undefined ? { kind: 'head', model, layer, head } : { kind: 'parameter', model, name };
  }
  if (layer === undefined) {
    return { kind: 'group', model, group: groupOfParameter(name.replace(/^hook_(pos_)?embed$/, '$1embed.')).group };
  }
  const ofHead = head ?? only;
  if (ofHead !== undefined && name.includes('.attn.')) return { kind: 'head', model, layer, head: ofHead };
  const inMlp = !facts.attn_only && /\.(mlp\.|hook_mlp_)/.test(name);
  return inMlp ? { kind: 'group', model, group: 'mlp', layer } : { kind: 'layer', model, layer };
}
