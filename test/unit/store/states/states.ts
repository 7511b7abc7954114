import type { HostTensor } from '../../../../src/common/tensor';
import type { ModelConfig } from '../../../../src/protocol/config';

// State dicts of other layouts, written the slow way round: each element is put where its axes say.

type Entry = readonly [name: string, tensor: HostTensor<'float32'>];

/** A tensor with its axes in another order, each of them of several given axes taken together: `[[2], [0, 1]]`. */
export function rearranged({ shape, data }: HostTensor<'float32'>, axes: readonly (readonly number[])[]): HostTensor<'float32'> {
  const order = axes.flat();
  const size = (axis: number) => shape[axis] ?? 1;
  const out = new Float32Array(data.length);
  data.forEach((value, at) => {
    const index = shape.map((_, axis) => Math.floor(at / shape.slice(axis + 1).reduce((a, b) => a * b, 1)) % size(axis));
    out[order.reduce((place, axis) => place * size(axis) + (index[axis] ?? 0), 0)] = value;
  });
  return { dtype: 'float32', shape: axes.map(group => group.reduce((product, axis) => product * size(axis), 1)), data: out };
}

const turned: Readonly<Record<string, readonly (readonly number[])[]>> = {
  W_E: [[1], [0]], W_Q: [[0], [2], [1]], W_K: [[0], [2], [1]], W_V: [[0], [2], [1]], W_O: [[2], [0, 1]], W_in: [[1], [0]], W_out: [[1], [0]],
};

/** As the grokking code from before TransformerLens has them; it has no biases of attention and of the unembedding. */
export function grokkingState(weights: ReadonlyMap<string, HostTensor<'float32'>>): Map<string, HostTensor<'float32'>> {
  return new Map([...weights].flatMap(([name, tensor]): Entry[] => {
    if (/\.b_[QKVOU]$/.test(name)) return [];
    const axes = turned[name.slice(name.lastIndexOf('.') + 1)];
    return [[name, axes ? rearranged(tensor, axes) : tensor]];
  }));
}

/** As Hugging Face's GPT-2 has them; `linear` as PyTorch's Linear would. It has no bias of the unembedding. */
export function gpt2State({ n_layers }: ModelConfig, weights: ReadonlyMap<string, HostTensor<'float32'>>, linear = false): Map<string, HostTensor<'float32'>> {
  const get = (name: string) => weights.get(name) ?? { dtype: 'float32' as const, shape: [0], data: new Float32Array() };
  const matrix = (name: string, value: HostTensor<'float32'>): Entry => [name, linear ? rearranged(value, [[1], [0]]) : value];
  /** `[rows, n]` of several one beside the other. */
  const beside = (parts: readonly HostTensor<'float32'>[]): HostTensor<'float32'> => {
    const rows = parts[0]?.shape.length === 2 ? parts[0].shape[0] ?? 1 : 1;
    const width = (part: HostTensor<'float32'>) => part.data.length / rows;
    const all = Array.from({ length: rows }, (_, row) => parts.flatMap(part => [...part.data.subarray(row * width(part), (row + 1) * width(part))])).flat();
    return { dtype: 'float32', shape: parts[0]?.shape.length === 2 ? [rows, all.length / rows] : [all.length], data: Float32Array.from(all) };
  };
  const layers = Array.from({ length: n_layers }, (_, layer): Entry[] => {
    const [ours, theirs] = [`blocks.${layer}`, `transformer.h.${layer}`];
    return [
      ...['1', '2'].flatMap((norm): Entry[] => [[`${theirs}.ln_${norm}.weight`, get(`${ours}.ln${norm}.w`)], [`${theirs}.ln_${norm}.bias`, get(`${ours}.ln${norm}.b`)]]),
      matrix(`${theirs}.attn.c_attn.weight`, beside(['Q', 'K', 'V'].map(part => rearranged(get(`${ours}.attn.W_${part}`), [[1], [0, 2]])))),
      [`${theirs}.attn.c_attn.bias`, beside(['Q', 'K', 'V'].map(part => rearranged(get(`${ours}.attn.b_${part}`), [[0, 1]])))],
      matrix(`${theirs}.attn.c_proj.weight`, rearranged(get(`${ours}.attn.W_O`), [[0, 1], [2]])),
      [`${theirs}.attn.c_proj.bias`, get(`${ours}.attn.b_O`)],
      matrix(`${theirs}.mlp.c_fc.weight`, get(`${ours}.mlp.W_in`)),
      [`${theirs}.mlp.c_fc.bias`, get(`${ours}.mlp.b_in`)],
      matrix(`${theirs}.mlp.c_proj.weight`, get(`${ours}.mlp.W_out`)),
      [`${theirs}.mlp.c_proj.bias`, get(`${ours}.mlp.b_out`)],
    ];
  });
  return new Map<string, HostTensor<'float32'>>([
    ['transformer.wte.weight', get('embed.W_E')],
    ['transformer.wpe.weight', get('pos_embed.W_pos')],
    ...layers.flat(),
    ['transformer.ln_f.weight', get('ln_final.w')],
    ['transformer.ln_f.bias', get('ln_final.b')],
    ['lm_head.weight', rearranged(get('unembed.W_U'), [[1], [0]])],
  ]);
}
