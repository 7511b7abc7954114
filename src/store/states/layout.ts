import { UserError } from '../../common/errors';
import { nearestNames } from '../../common/nearest';
import type { Layout } from '../../protocol/checkpointFile';
import type { ModelConfig } from '../../protocol/config';
import { quoted } from '../safetensorsHeader';
import { described, shownName, type State } from './fileValues';

/** The value of a field of a config, and what told it. */
export interface Told {
  readonly value: unknown;
  readonly from: string;
}
export type Fields = ReadonlyMap<string, Told>;

/** Where a parameter of a model lies in a state dict. */
export interface Place {
  readonly name: string;
  /** Its axes as the layout has them: fields of the config, or products of these as in `3 · n_heads · d_head` and parts as in `d_model / 2`. */
  readonly axes: readonly string[];
  /** Whether a state without it has zeros there. */
  readonly optional: boolean;
  /** The parameter's own numbers, in TransformerLens' order, from those of the whole tensor. */
  arrange(values: Float32Array): Float32Array;
}

/** A way to name and to shape the tensors of a transformer. */
export interface StateLayout {
  readonly id: Layout;
  /** What the names and shapes of a state tell. `told` is what people and config files say. */
  fields(state: State, told: Fields): Map<string, Told>;
  /** Values of fields that nothing told. */
  defaults(state: State): Readonly<Record<string, unknown>>;
  /** Where the parameter of a model that is called `parameter` lies. */
  place(parameter: string, config: ModelConfig, state: State): Place;
  /** Whether a tensor is none of the parameters, and needs no look here: `attn.masked_bias` and the like. */
  isBuffer(name: string): boolean;
}

/** The axes of each parameter of a layer, of the embedding and of the unembedding, in TransformerLens' order. */
const axesByName: Readonly<Record<string, readonly string[]>> = {
  W_E: ['d_vocab', 'd_model'],
  W_pos: ['n_ctx', 'd_model'],
  W_Q: ['n_heads', 'd_model', 'd_head'],
  W_K: ['n_heads', 'd_model', 'd_head'],
  W_V: ['n_heads', 'd_model', 'd_head'],
  W_O: ['n_heads', 'd_head', 'd_model'],
  b_Q: ['n_heads', 'd_head'],
  b_K: ['n_heads', 'd_head'],
  b_V: ['n_heads', 'd_head'],
  b_O: ['d_model'],
  W_in: ['d_model', 'd_mlp'],
  b_in: ['d_mlp'],
  W_out: ['d_mlp', 'd_model'],
  b_out: ['d_model'],
  W_U: ['d_model', 'd_vocab_out'],
  b_U: ['d_vocab_out'],
  w: ['d_model'],
  b: ['d_model'],
};

/** The last part of a parameter's name: `W_Q` of `blocks.0.attn.W_Q`. */
function lastPart(parameter: string): string {
  return parameter.slice(parameter.lastIndexOf('.') + 1);
}

export function axesOf(parameter: string): readonly string[] {
  const axes = axesByName[lastPart(parameter)];
  if (!axes) throw new Error(`${parameter} is no parameter`);
  return axes;
}

export function isBias(parameter: string): boolean {
  return /^b_(Q|K|V|O|in|out|U)$/.test(lastPart(parameter));
}

/** The fields of an axis: `n_heads` and `d_head` of `n_heads · d_head`. */
export function factorsOf(axis: string): readonly string[] {
  return axis.replace(/ \/ \d+$/, '').split(' · ');
}

/** The size that an axis has in a model. */
export function axisSize(axis: string, config: ModelConfig): number {
  const divisor = / \/ (\d+)$/.exec(axis)?.[1] ?? 1;
  return factorsOf(axis).reduce((product, factor) => {
    if (/^\d+$/.test(factor)) return product * Number(factor);
    const size = Object.entries(config).find(([field]) => field === factor)?.[1];
    if (typeof size !== 'number') throw new Error(`${factor} is no size`);
    return product * size;
  }, 1 / Number(divisor));
}

/** What can be done with a file that is no model. */
export const canBeLookedAt = 'It can still be looked at: open the file itself.';

export function shown(axes: readonly string[]): string {
  return `[${axes.join(', ')}]`;
}

/** The name nearest to another. Names from a file are many, and long, before they are those of tensors. */
export function nearestTensor(name: string, known: readonly string[]): string | undefined {
  const [most, longest] = [2000, 200];
  if (name.length > longest) return undefined;
  return nearestNames(name, known.filter(({ length }) => length <= longest).slice(0, most), 1)[0];
}

/** Names that are right in one of the layouts, so that they are none that were meant to be others. */
const rightName = /^(embed\.W_E|pos_embed\.W_pos|unembed\.[Wb]_U|blocks\.\d+\.(attn\.([Wb]_[QKVO]|mask|IGNORE|rotary_\w+)|mlp\.[Wb]_(in|out)|ln[12]\.(w|b|w_ln|b_ln))|ln_final\.[wb]|(transformer\.)?(wte\.weight|wpe\.weight|ln_f\.(weight|bias)|h\.\d+\.(attn\.(bias|masked_bias)|(ln_[12]|attn\.c_attn|attn\.c_proj|mlp\.c_fc|mlp\.c_proj)\.(weight|bias)))|lm_head\.weight)$/;

/** The error for a tensor that a state dict does not have; `expected` are its axes, or its sizes. */
export function missingTensor(name: string, state: State, expected: readonly (string | number)[]): UserError {
  const near = nearestTensor(name, [...state.keys()].filter(other => !rightName.test(other)));
  const nearest = near === undefined ? '' : `; the nearest name that it has besides is ${quoted(near)}`;
  return new UserError(`The state dict lacks ${name}, which was expected as [${expected.join(', ')}]${nearest}. ${canBeLookedAt}`);
}

/** Sizes that a tensor tells, by the field of each axis; axes called `_` tell nothing. @throws UserError where it is not there. */
export function tellSizes(fields: Map<string, Told>, state: State, name: string, axes: readonly string[]): void {
  const tensor = state.get(name);
  if (!tensor) throw missingTensor(name, state, axes);
  if (tensor.shape.length !== axes.length) {
    throw new UserError(`${described(name, tensor)} has ${tensor.shape.length} axes, where ${axes.length} were expected: ${shown(axes)}. ${canBeLookedAt}`);
  }
  axes.forEach((field, axis) => {
    if (field !== '_' && !fields.has(field)) fields.set(field, { value: tensor.shape[axis], from: described(name, tensor) });
  });
}

/**
 * How many layers the names of a state speak of, in `fields`: `pattern` captures a layer's number.
 * @throws UserError where one between them is missing.
 */
export function tellLayers(fields: Map<string, Told>, state: State, pattern: RegExp): void {
  const layers = new Map<number, string>();
  for (const name of state.keys()) {
    const layer = pattern.exec(name)?.[1];
    if (layer !== undefined && !layers.has(Number(layer))) layers.set(Number(layer), name);
  }
  const count = Math.max(-1, ...layers.keys()) + 1;
  const gap = Array.from({ length: Math.min(count, layers.size + 1) }, (_, layer) => layer).find(layer => !layers.has(layer));
  const last = layers.get(count - 1);
  if (gap !== undefined || last === undefined) {
    const found = last === undefined ? 'none of its names is of a layer' : `it has ${shownName(last)}, and nothing of layer ${gap ?? 0}`;
    throw new UserError(`The state dict lacks layers: ${found}. ${canBeLookedAt}`);
  }
  fields.set('n_layers', { value: count, from: nameAndShape(last, state) });
}

/** A tensor of a state, as what told something. */
export function nameAndShape(name: string, state: State): string {
  const tensor = state.get(name);
  return tensor ? described(name, tensor) : name;
}

/** `[..., rows, columns]` with its last two axes exchanged. In squares, so that neither side is jumped through. */
export function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  const [size, block] = [rows * columns, 32];
  for (let start = 0; start < values.length; start += size) {
    for (let top = 0; top < rows; top += block) {
      for (let left = 0; left < columns; left += block) {
        const [bottom, right] = [Math.min(rows, top + block), Math.min(columns, left + block)];
        for (let row = top; row < bottom; row++) {
          for (let column = left; column < right; column++) {
            out[start + column * rows + row] = values[start + row * columns + column] ?? NaN;
          }
        }
      }
    }
  }
  return out;
}
