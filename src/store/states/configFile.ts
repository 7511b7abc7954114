import { FieldError, UserError } from '../../common/errors';
import { nearestNames } from '../../common/nearest';
import { ModelConfigSchema } from '../../protocol/config';
import { quoted } from '../safetensorsHeader';
import { shownValue } from './fileValues';
import { canBeLookedAt, type Told } from './layout';

// What config files say of a model, as fields of ours: HookedTransformerConfigs as dictionaries, and those of GPT-2.

const ourFields: readonly string[] = Object.keys(ModelConfigSchema.pipe[0].entries);

/** Fields of a HookedTransformerConfig that do not change what a model computes from its weights. */
const ignored = new Set([
  'model_name', 'use_attn_result', 'use_split_qkv_input', 'use_hook_mlp_in', 'use_attn_in', 'ungroup_grouped_query_attention', 'original_architecture',
  'from_checkpoint', 'checkpoint_index', 'checkpoint_label_type', 'checkpoint_value', 'tokenizer_name', 'window_size', 'device', 'n_devices', 'seed',
  'init_weights', 'init_mode', 'n_params', 'use_hook_tokens', 'default_prepend_bos', 'dtype', 'tokenizer_prepends_bos', 'trust_remote_code', 'load_in_4bit',
  'decoder_start_token_id', 'tie_word_embeddings', 'NTK_by_parts_low_freq_factor', 'NTK_by_parts_high_freq_factor', 'NTK_by_parts_factor',
  'NTK_original_ctx_len', 'relative_attention_max_distance', 'relative_attention_num_buckets', 'attn_types', 'mlp_type', 'experts_per_token',
]);

/** Fields that ask for what no model here does, and the values with which they do not. Null always is one. */
const harmless: Readonly<Record<string, (value: unknown, fields: Readonly<Record<string, unknown>>) => boolean>> = {
  use_qk_norm: isFalse,
  use_local_attn: isFalse,
  scale_attn_by_inverse_layer_idx: isFalse,
  final_rms: isFalse,
  parallel_attn_mlp: isFalse,
  gated_mlp: isFalse,
  n_key_value_heads: (value, { n_heads }) => value === n_heads,
  post_embedding_ln: isFalse,
  rotary_base_local: () => false,
  num_experts: () => false,
  use_normalization_before_and_after: isFalse,
  attn_scores_soft_cap: value => typeof value === 'number' && value <= 0,
  output_logits_soft_cap: value => typeof value === 'number' && value <= 0,
  use_NTK_by_parts_rope: isFalse,
};

function isFalse(value: unknown): boolean {
  return value === false;
}

/** What is written where a size or a number is not set. */
const unset = new Set(['d_vocab', 'd_vocab_out', 'n_heads', 'attn_scale', 'initializer_range']);

/** Other names of our activation functions. `gelu_fast` and PyTorch's approximation by tanh are GPT-2's, written otherwise. */
const otherActivations: Readonly<Record<string, string>> = {
  gelu_fast: 'gelu_new', gelu_pytorch_tanh: 'gelu_new', gelu_python: 'gelu', swish: 'silu',
};

/** Fields of GPT-2's config by the names that Hugging Face, and code in its footsteps, gives them. */
const gpt2Names: Readonly<Record<string, string>> = {
  n_layer: 'n_layers', n_head: 'n_heads', n_embd: 'd_model', n_positions: 'n_ctx', n_ctx: 'n_ctx', block_size: 'n_ctx', n_inner: 'd_mlp', vocab_size: 'd_vocab',
  activation_function: 'act_fn', layer_norm_epsilon: 'eps', scale_attn_weights: 'use_attn_scale', bias: 'biases',
};
const gpt2Harmless: typeof harmless = { scale_attn_by_inverse_layer_idx: isFalse, add_cross_attention: isFalse };

interface ConfigReading {
  /** What to call the config. */
  readonly name: string;
  /** Whether what no config has is left out, as in the settings of a study that stand in one dictionary with its model's. */
  readonly lenient?: boolean;
}

/**
 * The fields of a config file, parsed from JSON.
 * @throws FieldError for what no model here has, by its field, its value and what can be done.
 */
export function fieldsOfConfig(document: unknown, { name, lenient = false }: ConfigReading): Map<string, Told> {
  if (!isObject(document)) throw new UserError(`${name} is not a config: a JSON object was expected, with fields such as n_heads and act_fn.`);
  const { model_type: type } = document;
  if (type !== undefined && type !== 'gpt2') {
    throw new FieldError('model_type', `${name} is of a model of type ${shownValue(type)}; of Hugging Face's models only "gpt2" can be read. Load others in TransformerLens, and save its state dict and config.`);
  }
  const isGpt2 = type === 'gpt2' || 'n_embd' in document;
  const fields = new Map<string, Told>();
  for (const [field, value] of Object.entries(document)) {
    const [our, isHarmless] = isGpt2 ? [own(gpt2Names, field), own(gpt2Harmless, field)] : [field, ourFields.includes(field) ? undefined : own(harmless, field)];
    if ((our === undefined || (lenient && !ourFields.includes(our))) && !isHarmless) continue;
    if (value === null && field !== 'normalization_type') continue;
    if (isHarmless) {
      if (!isHarmless(value, document)) throw new FieldError(field, `${name} has ${field} as ${shownValue(value)}, which no model here does. ${canBeLookedAt}`);
    } else if (our !== undefined && isKept(our, value, name)) {
      fields.set(our, { value: activation(our, value), from: name });
    }
  }
  return fields;
}

/** Fields that people gave. */
export function fieldsGiven(given: Readonly<Record<string, unknown>>): Map<string, Told> {
  const fields = new Map<string, Told>();
  for (const [field, value] of Object.entries(given)) {
    if (field === 'layout' || value === undefined) continue;
    if (!ourFields.includes(field)) throw unknownField(field, 'You gave a field');
    fields.set(field, { value: activation(field, value), from: 'you' });
  }
  return fields;
}

/** Whether a field tells something; what is not known at all is an error. */
function isKept(field: string, value: unknown, name: string): boolean {
  if (ignored.has(field)) return false;
  if (!ourFields.includes(field)) throw unknownField(field, `${name} has a field`);
  return !(unset.has(field) && typeof value === 'number' && value < 0);
}

function unknownField(field: string, what: string): FieldError {
  const near = nearestNames(field, ourFields, 2);
  const hint = near.length > 0 ? `; the nearest ${near.length > 1 ? 'are' : 'is'} ${near.join(' and ')}` : '';
  return new FieldError(field, `${what} ${quoted(field)} that no model here has${hint}.`, near);
}

function activation(field: string, value: unknown): unknown {
  return field === 'act_fn' && typeof value === 'string' ? own(otherActivations, value) ?? value : value;
}

/** An entry of a table by a name that a file gives, which may be that of something every object has. */
function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
