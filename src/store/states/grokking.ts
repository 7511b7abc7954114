import { FieldError } from '../../common/errors';
import { layoutTitles } from '../../protocol/checkpointFile';
import { described, type State } from './fileValues';
import { axesOf, axisSize, isBias, tellLayers, tellSizes, transposed, type Place, type StateLayout, type Told } from './layout';
import { tellParts } from './transformerLens';

// The code that the studies of grokking before TransformerLens share: every matrix stands on its side.

/** Parameters whose last two axes are exchanged there; of `W_O` the heads are one axis with their dimensions besides. */
const turned: Readonly<Record<string, readonly string[]>> = {
  W_E: ['d_model', 'd_vocab'],
  W_Q: ['n_heads', 'd_head', 'd_model'],
  W_K: ['n_heads', 'd_head', 'd_model'],
  W_V: ['n_heads', 'd_head', 'd_model'],
  W_O: ['d_model', 'n_heads · d_head'],
  W_in: ['d_mlp', 'd_model'],
  W_out: ['d_model', 'd_mlp'],
};

const normWeight = /^(blocks\.\d+\.ln[12]|ln(_final)?)\.w_ln$/;

export const grokking: StateLayout = {
  id: 'grokking',
  defaults: () => ({ act_fn: 'relu', eps: 1e-5 }),
  fields(state, told) {
    const fields = new Map<string, Told>();
    tellLayers(fields, state, /^blocks\.(\d+)\./);
    tellSizes(fields, state, 'embed.W_E', turned['W_E'] ?? []);
    tellSizes(fields, state, 'blocks.0.attn.W_Q', turned['W_Q'] ?? []);
    tellSizes(fields, state, 'unembed.W_U', axesOf('unembed.W_U'));
    tellParts(fields, state, 'blocks.0.mlp.W_in', turned['W_in'] ?? []);
    tellNorms(fields, state, told);
    for (const [field, value] of [['positional_embedding_type', 'standard'], ['use_attn_scale', true], ['attention_dir', 'causal']] as const) {
      fields.set(field, { value, from: layoutTitles.grokking });
    }
    return fields;
  },
  place(parameter, config, state): Place {
    const name = state.has(`${parameter}_ln`) ? `${parameter}_ln` : parameter.startsWith('ln_final.') ? `ln.${parameter.slice(-1)}_ln` : parameter;
    const axes = turned[parameter.slice(parameter.lastIndexOf('.') + 1)];
    if (!axes) return { name, axes: axesOf(parameter), optional: isBias(parameter), arrange: values => values };
    const [rows = 1, columns = 1] = axes.slice(-2).map(axis => axisSize(axis, config));
    return { name, axes, optional: false, arrange: values => transposed(values, rows, columns) };
  },
  /** Norms that the model has and does not use. */
  isBuffer: name => /(^|\.)ln\w*\.[wb]_ln$/.test(name),
};

/**
 * Its norm divides by the standard deviation of a sample plus 1e-4, and only where its model was told to: no norm of ours
 * does, so that someone has to say what was computed.
 */
function tellNorms(fields: Map<string, Told>, state: State, told: ReadonlyMap<string, Told>): void {
  const weight = [...state].find(([name]) => normWeight.test(name));
  if (!weight) {
    fields.set('normalization_type', { value: null, from: 'no tensor of a norm' });
    return;
  }
  if (told.has('normalization_type')) return;
  throw new FieldError('normalization_type', `${described(...weight)} is of a norm that divides by the standard deviation plus 1e-4, which no model here does exactly; give normalization_type as null if the model did not use it, or as "LN" to take it for a LayerNorm.`);
}
