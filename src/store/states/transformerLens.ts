import { axesOf, isBias, nameAndShape, tellLayers, tellSizes, type Place, type StateLayout, type Told } from './layout';
import { described, type State } from './fileValues';

/** The state dict of a HookedTransformer: what this program uses itself. */
export const transformerLens: StateLayout = {
  id: 'transformer-lens',
  defaults: state => ({
    act_fn: 'relu', normalization_type: null, use_attn_scale: true, eps: 1e-5, attention_dir: 'causal',
    positional_embedding_type: state.has('pos_embed.W_pos') ? 'standard' : 'none',
  }),
  fields(state, told) {
    const fields = new Map<string, Told>();
    tellLayers(fields, state, /^blocks\.(\d+)\./);
    tellSizes(fields, state, 'embed.W_E', axesOf('embed.W_E'));
    const width = fields.get('d_model');
    if (told.get('tokens_per_position')?.value === 2 && typeof width?.value === 'number') fields.set('d_model', { ...width, value: 2 * width.value });
    tellSizes(fields, state, 'blocks.0.attn.W_Q', axesOf('blocks.0.attn.W_Q'));
    tellSizes(fields, state, 'unembed.W_U', axesOf('unembed.W_U'));
    tellParts(fields, state, 'blocks.0.mlp.W_in', axesOf('blocks.0.mlp.W_in'));
    tellNorms(fields, state);
    return fields;
  },
  place(parameter, { tokens_per_position = 1 }): Place {
    const isHalf = parameter === 'embed.W_E' && tokens_per_position === 2;
    return { name: parameter, axes: isHalf ? ['d_vocab', 'd_model / 2'] : axesOf(parameter), optional: isBias(parameter), arrange: values => values };
  },
  isBuffer: () => false,
};

/** What is there and what is not, under the names that TransformerLens shares with the code before it. */
export function tellParts(fields: Map<string, Told>, state: State, mlp: string, axes: readonly string[]): void {
  const names = [...state.keys()];
  const ofMlp = names.find(name => /^blocks\.\d+\.mlp\./.test(name));
  if (ofMlp !== undefined) tellSizes(fields, state, mlp, axes);
  fields.set('attn_only', ofMlp === undefined ? { value: true, from: 'no tensor of an MLP' } : { value: false, from: nameAndShape(ofMlp, state) });
  if (state.has('pos_embed.W_pos')) tellSizes(fields, state, 'pos_embed.W_pos', axesOf('pos_embed.W_pos'));
  const biases = names.filter(name => /^(blocks\.\d+\.(attn|mlp)|unembed)\.b_/.test(name) && isBias(name));
  const [first] = biases;
  fields.set('biases', { value: first !== undefined, from: first === undefined ? 'no tensor of a bias' : nameAndShape(first, state) });
}

function tellNorms(fields: Map<string, Told>, state: State): void {
  const [weight, bias] = ['w', 'b'].map(part => [...state].find(([name]) => new RegExp(`^(blocks\\.\\d+\\.ln[12]|ln_final)\\.${part}$`).test(name)));
  if (weight) fields.set('normalization_type', { value: bias ? 'LN' : 'RMS', from: described(...(bias ?? weight)) });
}
