import * as v from 'valibot';
import { baseName } from '../../common/baseName';
import { layoutTitles, type ImportOrder, type ImportProposal, type InferredField, type TaskBinding } from '../../protocol/checkpointFile';
import { activationFunctions, normalizations, positionalEmbeddings } from '../../protocol/config';
import { parameterSchema, type Parameter, type ParameterValue } from '../../protocol/parameter';
import { countText, formatCount, withoutIcons } from '../format';

/** What people may say of a model where its tensors do not: field → its title and the values that it can have. */
const askedFields = {
  act_fn: { title: 'Activation function', options: activationFunctions },
  normalization_type: { title: 'Normalization', options: [null, ...normalizations] },
  positional_embedding_type: { title: 'Positional embedding', options: positionalEmbeddings },
  attention_dir: { title: 'Attention', options: ['causal', 'bidirectional'] },
  use_attn_scale: { title: 'Scores divided by √d_head', options: [true, false] },
} as const satisfies Readonly<Record<string, { readonly title: string; readonly options: readonly (string | boolean | null)[] }>>;
export type AskedField = keyof typeof askedFields;

export type ImportChoice = 'import' | 'name' | 'task' | 'config' | 'field' | AskedField;

export interface ImportItem {
  readonly label: string;
  readonly description: string;
  readonly detail?: string;
  /** A codicon. */
  readonly icon: string;
  readonly choice: ImportChoice;
}

/** The rows of the pick, the import itself first. What nothing told stands before what something did. */
export function importItems(order: ImportOrder, proposal: ImportProposal): readonly ImportItem[] {
  const { name, config, inferred } = proposal;
  const rows = inferred.flatMap(field => (isAsked(field, config.attn_only) ? [fieldItem(field)] : []));
  const isUnsure = ({ icon }: ImportItem) => icon === 'question';
  return [
    { label: 'Import', description: withoutIcons(name), detail: factsOf(proposal), icon: 'desktop-download', choice: 'import' },
    ...rows.filter(isUnsure),
    { label: 'Name', description: withoutIcons(name), icon: 'edit', choice: 'name' },
    { label: 'Task', description: withoutIcons(bindingText(order.binding)), icon: 'edit', choice: 'task' },
    ...rows.filter(row => !isUnsure(row)),
    { label: 'Config File…', description: withoutIcons(baseName(order.configFile ?? 'the one beside it, where there is one')), icon: 'json', choice: 'config' },
    { label: 'Another Field…', description: 'of the config, as field=value', icon: 'edit', choice: 'field' },
  ];
}

/** Values of a field to choose from. */
export function optionItems(field: AskedField, now: unknown): readonly { readonly label: string; readonly description?: string; readonly value: string | boolean | null }[] {
  return askedFields[field].options.map(value => ({
    label: valueText(value), value, ...(value === now && { description: 'as it is' }),
  }));
}

export function titleOf(field: AskedField): string {
  return askedFields[field].title;
}

export function bindingText(binding: TaskBinding | undefined): string {
  if (!binding || binding.kind === 'none') return 'none: it is not known what is right';
  if (binding.kind === 'prompts') return `the prompts of ${baseName(binding.file)}`;
  return `${taskText(binding)}${binding.seed === undefined ? '' : `, seed ${binding.seed}`}`;
}

/** As in `modular-arithmetic, modulus 113, operation add`. */
export function taskText({ name, parameters }: { readonly name: string; readonly parameters: Readonly<Record<string, unknown>> }): string {
  return [name, ...Object.entries(parameters).map(([parameter, value]) => `${parameter} ${String(value)}`)].join(', ');
}

/** A field given as `n_ctx=10`, whose value is JSON or a plain word; nothing where it is not of that form. */
export function fieldFromText(text: string): { readonly field: string; readonly value: unknown } | undefined {
  const [, field, given] = /^\s*([A-Za-z_]\w*)\s*=\s*(\S.*?)\s*$/.exec(text) ?? [];
  if (field === undefined || given === undefined || field === '__proto__') return undefined;
  try {
    return { field, value: JSON.parse(given) as unknown };
  } catch {
    return { field, value: given };
  }
}

/** A parameter's value as people type it, or what is wrong with it. */
export function valueFromText(parameter: Parameter, text: string): { readonly value: ParameterValue } | { readonly problem: string } {
  const isNumber = parameter.kind === 'integer' || parameter.kind === 'number';
  const read = v.safeParse(parameterSchema(parameter), isNumber ? (text.trim() === '' ? NaN : Number(text)) : text);
  return read.success ? { value: read.output } : { problem: `${parameter.title}: ${isNumber && Number.isNaN(Number(text || NaN)) ? 'a number' : read.issues[0].message}.` };
}

/** A seed as people type it; empty for none. */
export function seedFromText(text: string): { readonly seed: number | undefined } | { readonly problem: true } {
  if (text.trim() === '') return { seed: undefined };
  const seed = Number(text);
  return Number.isInteger(seed) && seed >= 0 && seed <= 0x7fffffff ? { seed } : { problem: true };
}

function isAsked({ field, from }: InferredField, attentionOnly: boolean): boolean {
  if (!Object.hasOwn(askedFields, field) || (field === 'act_fn' && attentionOnly)) return false;
  // What a tensor tells is known.
  return from === 'default' || from === 'you' || from.endsWith('.json');
}

function fieldItem({ field, value, from }: InferredField): ImportItem {
  const choice = field as AskedField;
  const isUnsure = from === 'default';
  return {
    label: titleOf(choice), description: valueText(value), icon: isUnsure ? 'question' : 'edit', choice,
    detail: isUnsure ? 'The file does not say. Change it if this is wrong.' : from === 'you' ? 'as you said' : `from ${withoutIcons(from)}`,
  };
}

function factsOf({ layout, config: { n_layers, n_heads, d_model, attn_only }, parameters, checkpoints, tokenizer }: ImportProposal): string {
  return [
    layoutTitles[layout],
    `${countText(n_layers, 'layer')} of ${countText(n_heads, 'head')}${attn_only ? ', attention only' : ''}`,
    `d_model ${formatCount(d_model)}`,
    `${formatCount(parameters)} parameters`,
    ...(checkpoints.length > 0 ? [countText(checkpoints.length, 'checkpoint')] : []),
    ...(tokenizer ? ['tokenizer'] : []),
  ].join(' · ');
}


function valueText(value: unknown): string {
  if (value === null) return 'none';
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);
}
