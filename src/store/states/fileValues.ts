import { escaped, jsonText } from '../../common/printable';
import { formatShape, type Shape } from '../../common/tensor';
import type { FileTensor, FileValue } from '../files/tensorFile';
import { quoted } from '../safetensorsHeader';

/** A state dict: its tensors by name, as the file has them, and names of those that lie beside a model in its wrapper's. */
export type State = ReadonlyMap<string, FileTensor> & { readonly leftOut?: readonly string[] };

export type FileDictionary = ReadonlyMap<string | number, FileValue>;

export function isTensor(value: FileValue | undefined): value is FileTensor {
  return typeof value === 'object' && value !== null && 'kind' in value;
}

export function isDictionary(value: FileValue | undefined): value is FileDictionary {
  return value instanceof Map;
}

export function isList(value: FileValue | undefined): value is readonly FileValue[] {
  return Array.isArray(value);
}

/** A whole number that is exact, from 0 on. */
export function countIn(value: FileValue | undefined): number | undefined {
  const number = typeof value === 'bigint' ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

/** `embed.W_E [114, 128]` */
export function described(name: string, { shape }: { readonly shape: Shape }): string {
  return `${shownName(name)} ${formatShape(shape)}`;
}

/** A name from a file as it may be shown: what no model of ours would be called is quoted. */
export function shownName(name: string): string {
  return /^[\w.]{1,80}$/.test(name) ? name : quoted(name);
}

/** A value from a file as it may be shown. */
export function shownValue(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  const json = jsonText(value);
  return escaped(json.length > 80 ? `${json.slice(0, 80)}…` : json);
}

/** Names one after the other, the first few of many. */
export function listed(names: readonly string[], most = 5): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
