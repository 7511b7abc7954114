import { InvalidArgumentError } from 'commander';
import { UserError } from '../common/errors';
import { int32, type HostTensor } from '../common/tensor';
import type { ModelConfig } from '../protocol/config';
import { jsonOrText } from '../training/experiment';

/** Reads a whole number of at least `least` from an option. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return text => {
    const value = /^-?\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
    if (!(value >= least)) throw new InvalidArgumentError(`It must be a whole number, at least ${least}.`);
    if (value > most) throw new InvalidArgumentError(`It must be at most ${most}.`);
    return value;
  };
}

/** Gathers an option that can be given more than once. */
export function gather(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/**
 * Reads `field=value` texts, whose values are JSON or plain words.
 * @throws UserError for a text without `=`.
 */
export function fieldsFromText(texts: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(texts.map(text => {
    const equals = text.indexOf('=');
    if (equals < 1) throw new UserError(`"${text}" is not of the form field=value, as in act_fn=gelu.`);
    return [text.slice(0, equals), jsonOrText(text.slice(equals + 1))];
  }));
}

/** A model, and the step after an `@` where there is one: `modular-addition@1000`. */
export function modelAtStep(text: string): { readonly reference: string; readonly checkpoint?: number } {
  const [, reference, step] = /^(.+)@(\d+)$/.exec(text) ?? [];
  return reference === undefined || step === undefined ? { reference: text } : { reference, checkpoint: wholeNumber(0)(step) };
}

/** The names in a list separated by commas. */
export function names(text: string): string[] {
  const list = text.split(',').map(name => name.trim()).filter(name => name !== '');
  if (list.length === 0) throw new InvalidArgumentError('It needs at least one name.');
  return list;
}

/**
 * Token ids `[B, T]` from nested JSON arrays, one a prompt. Where a position holds a pair, a prompt lists its parts one after
 * the other, twice as many numbers.
 * @throws UserError for anything but equally long rows of ids in the vocabulary, and for half a pair.
 */
export function tokensFromText(text: string, { d_vocab: vocabulary, n_ctx, tokens_per_position }: Reading): HostTensor<'int32'> {
  const each: number = tokens_per_position ?? 1;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UserError(`--tokens is not JSON; write prompts as nested arrays of token ids, as in '[[3, 1, 4], [1, 5, 9]]'.`);
  }
  if (!Array.isArray(value) || value.length === 0 || !value.every(row => Array.isArray(row))) {
    throw new UserError(`--tokens must be an array of prompts, each an array of token ids, as in '[[3, 1, 4], [1, 5, 9]]'.`);
  }
  const rows: readonly (readonly unknown[])[] = value;
  const T = rows[0]?.length ?? 0;
  if (T === 0) throw new UserError('A prompt in --tokens is empty.');
  const odd = rows.findIndex(row => row.length !== T);
  if (odd >= 0) {
    throw new UserError(`The prompts in --tokens must have one length, but the first has ${T} tokens and prompt ${odd + 1} has ${rows[odd]?.length}.`);
  }
  if (T % each !== 0) {
    throw new UserError(`The prompts in --tokens have ${T} numbers; each position of this model holds ${each}, so there must be an even number of them, at most ${each * n_ctx}.`);
  }
  const parts = rows.flatMap((row, i) => row.map((token, at) => {
    if (typeof token === 'number' && Number.isInteger(token) && token >= 0 && token < vocabulary) return token;
    const place = each === 1 ? `at position ${at}` : `(the ${at % each === 0 ? 'first' : 'second'} at position ${Math.floor(at / each)})`;
    throw new UserError(`Token ${JSON.stringify(token)} ${place} of prompt ${i + 1} is outside the vocabulary of ${vocabulary} tokens (0 to ${vocabulary - 1}).`);
  }));
  // The code of a pair is `first · d_vocab + second`.
  const codes = each === 1 ? parts : parts.flatMap((first, at) => (at % 2 === 0 ? [first * vocabulary + (parts[at + 1] ?? 0)] : []));
  return int32([rows.length, T / each], Int32Array.from(codes));
}

type Reading = Pick<ModelConfig, 'd_vocab' | 'n_ctx' | 'tokens_per_position'>;
