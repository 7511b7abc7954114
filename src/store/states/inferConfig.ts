import * as v from 'valibot';
import { FieldError } from '../../common/errors';
import { escaped, jsonText } from '../../common/printable';
import type { InferredField } from '../../protocol/checkpointFile';
import { ModelConfigSchema, type ModelConfig } from '../../protocol/config';
import { checkArchitecture } from '../../model/architecture';
import { described, shownValue, type State } from './fileValues';
import { canBeLookedAt, type Fields, type StateLayout, type Told } from './layout';

/** In the order in which they are listed, when they matter to the model. */
const listedFields = [
  'n_layers', 'n_heads', 'd_model', 'd_head', 'd_mlp', 'd_vocab', 'd_vocab_out', 'n_ctx', 'attn_only', 'act_fn', 'normalization_type',
  'normalization_position', 'eps', 'positional_embedding_type', 'rotary_dim', 'rotary_base', 'rotary_adjacent_pairs', 'attention_dir', 'mask',
  'use_attn_scale', 'attn_scale', 'biases', 'tokens_per_position', 'padding_token',
];
const rotaryFields = ['rotary_dim', 'rotary_base', 'rotary_adjacent_pairs'];

export interface InferredConfig {
  readonly config: ModelConfig;
  readonly inferred: readonly InferredField[];
}

/**
 * The config of a state: what its tensors tell, what people and config files say of the rest, and defaults.
 * @param shapes what the tensors tell
 * @throws FieldError where one contradicts the other, or a field has no value that a model can have.
 */
export function inferConfig(layout: StateLayout, state: State, shapes: Fields, told: Fields): InferredConfig {
  const values = new Map<string, Told>(shapes);
  for (const [field, said] of told) {
    const shown = shapes.get(field);
    if (shown && field !== 'biases' && !sameValue(shown.value, said.value) && matters(field, shapes)) throw contradiction(field, said, shown);
    if (!shown || field === 'biases') values.set(field, said);
  }
  for (const [field, value] of Object.entries(layout.defaults(state))) {
    if (!values.has(field)) values.set(field, { value, from: 'default' });
  }
  checkPositions(state, values);
  for (const field of [...values.keys()]) if (!matters(field, values)) values.delete(field);
  if (!values.has('n_ctx')) throw new FieldError('n_ctx', 'Nothing in the file tells n_ctx, the most positions that the model reads; give it, in a config.json too.');
  const width = values.get('d_model')?.value;
  const range = typeof width === 'number' ? 0.8 / Math.sqrt(width) : undefined;
  const plain = Object.fromEntries([...values].filter(([field, { value }]) => !isAbsent(field, value, values)).map(([field, { value }]) => [field, value]));
  const result = v.safeParse(ModelConfigSchema, { initializer_range: range, ...plain });
  if (!result.success) {
    const [issue] = result.issues;
    const field = String(issue.path?.[0]?.key ?? 'config');
    throw new FieldError(field, `${source(values.get(field))} ${field} as ${shownValue(values.get(field)?.value)}, which no model here has: ${escaped(issue.message)}. ${canBeLookedAt}`);
  }
  checkArchitecture(result.output);
  return { config: result.output, inferred: listedFields.flatMap(field => {
    const said = values.get(field);
    return said ? [{ field, value: said.value, from: said.from }] : [];
  }) };
}

/** Whether a field says anything about a model with the other fields. */
function matters(field: string, values: Fields): boolean {
  const value = (name: string) => values.get(name)?.value;
  if (field === 'd_mlp' || field === 'act_fn') return value('attn_only') !== true;
  if (field === 'eps') return value('normalization_type') !== null;
  if (field === 'attn_scale') return value('use_attn_scale') !== false;
  if (field === 'attention_dir') return !values.has('mask');
  if (rotaryFields.includes(field)) return value('positional_embedding_type') === 'rotary';
  return true;
}

/** Whether a field has the value for which configs leave it out. */
function isAbsent(field: string, value: unknown, values: Fields): boolean {
  const size = values.get('d_head')?.value;
  if (field === 'rotary_dim') return value === size;
  if (field === 'rotary_base') return value === 10_000;
  if (field === 'rotary_adjacent_pairs') return value === false;
  // Python's square root and ours may differ in the last digit.
  if (field === 'attn_scale') return typeof value === 'number' && typeof size === 'number' && Math.abs(value / Math.sqrt(size) - 1) < 1e-6;
  return false;
}

function checkPositions(state: State, values: Fields): void {
  const positions = values.get('positional_embedding_type');
  const table = state.get('pos_embed.W_pos');
  if (!table || !positions || positions.value === 'standard' || positions.value === 'shortformer') return;
  throw new FieldError('positional_embedding_type', `${source(positions)} positional_embedding_type as ${shownValue(positions.value)}, and there is ${described('pos_embed.W_pos', table)}, which only "standard" and "shortformer" models have.`);
}

function contradiction(field: string, said: Told, shown: Told): FieldError {
  return new FieldError(field, `${source(said)} ${field} as ${shownValue(said.value)}, and it is ${shownValue(shown.value)} by ${shown.from}.`);
}

function source(said: Told | undefined): string {
  if (said?.from === 'you') return 'You gave';
  return `${said?.from ?? 'The config'} has`;
}

function sameValue(a: unknown, b: unknown): boolean {
  return jsonText(a) === jsonText(b);
}
