import { FieldError } from '../../common/errors';
import { layoutTitles } from '../../protocol/checkpointFile';
import type { ModelConfig } from '../../protocol/config';
import { described, shownValue, type State } from './fileValues';
import { nameAndShape, tellLayers, tellSizes, transposed, type Place, type StateLayout, type Told } from './layout';

// GPT-2 as Hugging Face saves it: its matrices are those of a Conv1D, `[in, out]`, and one of them makes queries, keys and
// values of all heads. Code that follows it with PyTorch's own Linear has them as `[out, in]`.

const prefix = 'transformer.';

export const gpt2: StateLayout = {
  id: 'gpt2',
  defaults: state => ({ act_fn: isLinear(state) ? 'gelu' : 'gelu_new', eps: 1e-5, use_attn_scale: true }),
  fields(state, told) {
    const fields = new Map<string, Told>();
    const at = prefixOf(state);
    tellLayers(fields, state, /^(?:transformer\.)?h\.(\d+)\./);
    tellSizes(fields, state, `${at}wte.weight`, ['d_vocab', 'd_model']);
    tellSizes(fields, state, `${at}wpe.weight`, ['n_ctx', '_']);
    const [query, inner] = [`${at}h.0.attn.c_attn.weight`, `${at}h.0.mlp.c_fc.weight`];
    const isTurned = isLinear(state);
    tellSizes(fields, state, query, isTurned ? ['heads', '_'] : ['_', 'heads']);
    tellHeads(fields, told);
    tellSizes(fields, state, inner, isTurned ? ['d_mlp', '_'] : ['_', 'd_mlp']);
    const unembedding = state.has('lm_head.weight') ? 'lm_head.weight' : `${at}wte.weight`;
    tellSizes(fields, state, unembedding, ['d_vocab_out', '_']);
    const norm = [...state].find(([name]) => /\bln_(1|2|f)\.weight$/.test(name));
    if (norm) fields.set('normalization_type', { value: 'LN', from: described(...norm) });
    const bias = [...state.keys()].find(name => /\.(c_attn|c_proj|c_fc)\.bias$/.test(name));
    fields.set('biases', { value: bias !== undefined, from: bias === undefined ? 'no tensor of a bias' : nameAndShape(bias, state) });
    for (const [field, value] of [['attn_only', false], ['positional_embedding_type', 'standard'], ['attention_dir', 'causal']] as const) {
      fields.set(field, { value, from: layoutTitles.gpt2 });
    }
    return fields;
  },
  place(parameter, config, state): Place {
    const at = prefixOf(state);
    const { name, ...place } = placeOf(parameter, config, state);
    return { ...place, name: name === 'lm_head.weight' ? name : at + name };
  },
  isBuffer: name => /^(transformer\.)?h\.\d+\.attn\.(bias|masked_bias)$/.test(name),
};

function prefixOf(state: State): string {
  return [...state.keys()].some(name => name.startsWith(prefix)) ? prefix : '';
}

/** Whether its matrices are `[out, in]`. */
function isLinear(state: State): boolean {
  const [rows = 0, columns = 0] = state.get(`${prefixOf(state)}h.0.attn.c_attn.weight`)?.shape ?? [];
  const [, width] = state.get(`${prefixOf(state)}wte.weight`)?.shape ?? [];
  return columns === width && rows !== width;
}

/** Heads of the GPT-2s that OpenAI has published, by their widths. */
const headsByWidth: Readonly<Record<number, number>> = { 768: 12, 1024: 16, 1280: 20, 1600: 25 };

/** Turns how wide queries, keys and values of all heads are into heads, of which no shape tells how many there are. */
function tellHeads(fields: Map<string, Told>, told: ReadonlyMap<string, Told>): void {
  const all = fields.get('heads');
  fields.delete('heads');
  const width = typeof all?.value === 'number' ? all.value / 3 : NaN;
  const count = told.get('n_heads') ?? { value: headsByWidth[width], from: 'default' };
  if (typeof count.value !== 'number' || !Number.isInteger(count.value) || count.value < 1 || !Number.isInteger(width / count.value)) {
    const given = told.has('n_heads') ? `; ${shownValue(count.value)} heads do not divide them` : '';
    throw new FieldError('n_heads', `Nothing in the file tells n_heads: ${all?.from ?? 'the file'} makes ${width} dimensions of all heads together${given}. Give n_heads, in a config.json too.`);
  }
  fields.set('n_heads', count);
  fields.set('d_head', { value: width / count.value, from: `${all?.from ?? ''}, by n_heads` });
}

function placeOf(parameter: string, config: ModelConfig, state: State): Place {
  const inLayer = /^blocks\.(\d+)\.(.+)$/.exec(parameter);
  if (inLayer) return placeInLayer(`h.${inLayer[1] ?? ''}`, inLayer[2] ?? '', config, isLinear(state));
  const { d_model: D, d_vocab: V, d_vocab_out: U } = config;
  const same = (name: string, axes: readonly string[], optional = false): Place => ({ name, axes, optional, arrange: values => values });
  switch (parameter) {
    case 'embed.W_E': return same('wte.weight', ['d_vocab', 'd_model']);
    case 'pos_embed.W_pos': return same('wpe.weight', ['n_ctx', 'd_model']);
    case 'ln_final.w': return same('ln_f.weight', ['d_model']);
    case 'ln_final.b': return same('ln_f.bias', ['d_model'], true);
    case 'unembed.b_U': return same('lm_head.bias', ['d_vocab_out'], true);
    case 'unembed.W_U': return state.has('lm_head.weight')
      ? { name: 'lm_head.weight', axes: ['d_vocab_out', 'd_model'], optional: false, arrange: values => transposed(values, U, D) }
      : { name: 'wte.weight', axes: ['d_vocab', 'd_model'], optional: false, arrange: values => transposed(values, V, D) };
    default: throw new Error(`GPT-2 has no ${parameter}`);
  }
}

function placeInLayer(at: string, parameter: string, { n_heads: H, d_head: K, d_model: D, d_mlp: M = 4 * D }: ModelConfig, isTurned: boolean): Place {
  const vector = (name: string, axis: string, arrange = (values: Float32Array) => values): Place => ({ name: `${at}.${name}`, axes: [axis], optional: name.endsWith('.bias'), arrange });
  /** `[rows, columns]` of ours; `[columns, rows]` where they are turned. */
  const matrix = (name: string, [rows, columns]: readonly [string, string], sizes: readonly [number, number]): Place => ({
    name: `${at}.${name}.weight`,
    axes: isTurned ? [columns, rows] : [rows, columns],
    optional: false,
    arrange: values => (isTurned ? transposed(values, sizes[1], sizes[0]) : values),
  });
  const part = 'QKV'.indexOf(parameter.slice(-1));
  switch (parameter) {
    case 'ln1.w': return vector('ln_1.weight', 'd_model');
    case 'ln1.b': return vector('ln_1.bias', 'd_model');
    case 'ln2.w': return vector('ln_2.weight', 'd_model');
    case 'ln2.b': return vector('ln_2.bias', 'd_model');
    case 'attn.W_Q':
    case 'attn.W_K':
    case 'attn.W_V': return {
      name: `${at}.attn.c_attn.weight`,
      axes: isTurned ? ['3 · n_heads · d_head', 'd_model'] : ['d_model', '3 · n_heads · d_head'],
      optional: false,
      arrange: values => (isTurned ? transposed(values.slice(part * H * K * D, (part + 1) * H * K * D), K, D) : headsOf(values, part, H, D, K)),
    };
    case 'attn.b_Q':
    case 'attn.b_K':
    case 'attn.b_V': return vector('attn.c_attn.bias', '3 · n_heads · d_head', values => values.slice(part * H * K, (part + 1) * H * K));
    case 'attn.W_O': return matrix('attn.c_proj', ['n_heads · d_head', 'd_model'], [H * K, D]);
    case 'attn.b_O': return vector('attn.c_proj.bias', 'd_model');
    case 'mlp.W_in': return matrix('mlp.c_fc', ['d_model', 'd_mlp'], [D, M]);
    case 'mlp.b_in': return vector('mlp.c_fc.bias', 'd_mlp');
    case 'mlp.W_out': return matrix('mlp.c_proj', ['d_mlp', 'd_model'], [M, D]);
    case 'mlp.b_out': return vector('mlp.c_proj.bias', 'd_model');
    default: throw new Error(`GPT-2 has no ${parameter}`);
  }
}

/** Queries, keys or values `[H, D, K]` out of `[D, 3 · H · K]`. */
function headsOf(values: Float32Array, part: number, H: number, D: number, K: number): Float32Array {
  const out = new Float32Array(H * D * K);
  for (let head = 0; head < H; head++) {
    for (let row = 0; row < D; row++) {
      const start = row * 3 * H * K + (part * H + head) * K;
      out.set(values.subarray(start, start + K), (head * D + row) * K);
    }
  }
  return out;
}
