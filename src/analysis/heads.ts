import { UserError } from '../common/errors';
import { unknownName } from '../common/nearest';
import { headName } from '../model/names';
import type { ModelConfig } from '../protocol/config';

/** One attention head. */
export interface Head {
  readonly layer: number;
  readonly head: number;
}

/** What writes to the residual stream in a layer: a head, or the layer's MLP. */
export type Component = Head | { readonly layer: number; readonly head: undefined };

/** Every head, layer by layer. */
export function allHeads({ n_layers, n_heads }: ModelConfig): readonly Head[] {
  return Array.from({ length: n_layers * n_heads }, (_, at) => ({ layer: Math.floor(at / n_heads), head: at % n_heads }));
}

/** Every head and MLP in the order of the forward pass. */
export function allComponents(config: ModelConfig): readonly Component[] {
  return Array.from({ length: config.n_layers }, (_, layer) => [
    ...Array.from({ length: config.n_heads }, (__, head) => ({ layer, head })),
    ...(config.attn_only ? [] : [{ layer, head: undefined }]),
  ]).flat();
}

/** `L1H0`, or `MLP 1`. */
export function componentName({ layer, head }: Component): string {
  return head === undefined ? `MLP ${layer}` : headName(layer, head);
}

/**
 * `1.0` or `L1H0` as a head of the model.
 * @throws UserError for one that the model does not have, with the nearest names.
 */
export function headOf(config: ModelConfig, text: string): Head {
  const [layer = 0, head = 0] = text.split(/[.LH]/).filter(part => part !== '').map(Number);
  if (layer < config.n_layers && head < config.n_heads) return { layer, head };
  throw unknownName('head', headName(layer, head), allHeads(config).map(componentName));
}

/**
 * A list such as `1.0, L0H2, mlp 0` as components of the model, each once; empty for none.
 * @throws UserError for a part that is neither, or that the model does not have, with the nearest names.
 */
export function componentsOf(config: ModelConfig, text: string): readonly Component[] {
  const parts = text.split(',').map(part => part.trim()).filter(part => part !== '');
  const all = new Map(allComponents(config).map(component => [componentName(component), component]));
  const named = parts.map(part => {
    const head = /^L?(\d+)[.H](\d+)$/i.exec(part);
    const mlp = /^mlp ?(\d+)$/i.exec(part);
    const name = head ? headName(Number(head[1]), Number(head[2])) : mlp ? `MLP ${Number(mlp[1])}` : part;
    const component = all.get(name);
    if (component) return [name, component] as const;
    if (mlp && config.attn_only) throw new UserError(`There is no ${name}: this model has attention only.`);
    throw unknownName('head or MLP', name, [...all.keys()]);
  });
  return [...new Map(named).values()];
}
