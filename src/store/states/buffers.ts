import { FieldError, UserError } from '../../common/errors';
import { formatShape, sizeOf } from '../../common/tensor';
import type { FileTensor, TensorFile } from '../files/tensorFile';
import { described, type State } from './fileValues';
import { canBeLookedAt, type Fields, type Told } from './layout';

// Tensors of a TransformerLens state dict that are not learnt: masks, what hidden scores are set to, tables of rotations.
// They tell what the model does with its weights, and what no model here does is an error.

/** Elements that are looked at at once. */
const piece = 1 << 20;
/** The most positions that a mask of a config has. */
const maskLimit = 4096;
/** The most dimensions that a config has rotated. */
const rotaryLimit = 16_384;
/** Scores set to this or less have no weight beside others. */
const hidden = -1e4;
/** How far a table in bfloat16 is from its sines. */
const tableTolerance = 0.01;

const bufferName = /^blocks\.\d+\.attn\.(mask|IGNORE|rotary_sin|rotary_cos)$/;

export function isKnownBuffer(name: string): boolean {
  return bufferName.test(name);
}

/** Sizes that buffers tell. */
export function tellBufferSizes(fields: Map<string, Told>, state: State): void {
  const mask = state.get('blocks.0.attn.mask');
  const table = state.get('blocks.0.attn.rotary_sin');
  const size = (field: string, name: string, tensor: FileTensor | undefined, axis: number) => {
    if (tensor?.shape.length === 2 && !fields.has(field)) fields.set(field, { value: tensor.shape[axis], from: described(name, tensor) });
  };
  size('n_ctx', 'blocks.0.attn.mask', mask, 0);
  size('n_ctx', 'blocks.0.attn.rotary_sin', table, 0);
  size('rotary_dim', 'blocks.0.attn.rotary_sin', table, 1);
  if (table) fields.set('positional_embedding_type', { value: 'rotary', from: described('blocks.0.attn.rotary_sin', table) });
}

/**
 * Fields that the buffers of a state tell by their numbers. `told` is what people and config files say.
 * @throws UserError for masks that differ between layers, and what contradicts the rest.
 */
export async function tellBuffers(file: TensorFile, state: State, told: Fields, fields: Map<string, Told>): Promise<void> {
  for (const [name, tensor] of state) {
    if (!name.endsWith('.attn.IGNORE') || !isKnownBuffer(name)) continue;
    if (sizeOf(tensor.shape) !== 1) throw new UserError(`${described(name, tensor)} is one number for each hidden score, where one for all was expected. ${canBeLookedAt}`);
    const [value = NaN] = await file.read(tensor);
    if (!(value <= hidden)) throw new UserError(`${name} is ${value}: hidden scores are set to it, and no model here leaves them that high. ${canBeLookedAt}`);
  }
  await tellMask(file, state, told, fields);
  await tellRotation(file, state, told, fields);
}

async function tellMask(file: TensorFile, state: State, told: Fields, fields: Map<string, Told>): Promise<void> {
  let first: { readonly name: string; readonly mask: Mask } | undefined;
  for (const [name, tensor] of state) {
    if (!name.endsWith('.attn.mask') || !isKnownBuffer(name)) continue;
    const mask = await readMask(file, name, tensor);
    if (first && (first.mask.kind !== mask.kind || first.mask.rows?.join() !== mask.rows?.join())) {
      throw new UserError(`${name} differs from ${first.name}, and models here have one mask for all layers. ${canBeLookedAt}`);
    }
    first ??= { name: described(name, tensor), mask };
  }
  if (!first) return;
  const { name, mask } = first;
  const [direction, own] = [told.get('attention_dir'), told.get('mask')];
  // TransformerLens keeps this mask in bidirectional models as well, and masks of hooks are in no state dict: it tells nothing.
  if (mask.kind === 'causal') return;
  if (direction?.value === 'bidirectional' && mask.kind === 'custom') {
    throw new FieldError('attention_dir', `${direction.from === 'you' ? 'You say' : `${direction.from} says`} that attention is bidirectional, and ${name} forbids some of it.`);
  }
  if (mask.rows === undefined || (mask.kind === 'all' && direction?.value !== 'causal')) {
    fields.set('attention_dir', { value: 'bidirectional', from: `${name}, which forbids nothing` });
    return;
  }
  if (own && JSON.stringify(own.value) !== JSON.stringify(mask.rows)) {
    throw new FieldError('mask', `The mask of ${own.from === 'you' ? 'yours' : own.from} is another than ${name}.`);
  }
  // What TransformerLens calls causal attention is what its mask allows.
  fields.set('mask', { value: mask.rows, from: name });
}

interface Mask {
  readonly kind: 'causal' | 'all' | 'custom';
  /** Of a mask that is not causal, as configs have it; absent of the largest ones. */
  readonly rows?: readonly string[];
}

async function readMask(file: TensorFile, name: string, tensor: FileTensor): Promise<Mask> {
  const [T = 0, sources] = tensor.shape;
  if (tensor.shape.length !== 2 || T !== sources || T === 0) {
    throw new UserError(`${described(name, tensor)} is no mask: [n_ctx, n_ctx] was expected. ${canBeLookedAt}`);
  }
  let [isCausal, isAll] = [true, true];
  const rows: string[] = [];
  const rowsAtOnce = Math.max(1, Math.floor(piece / T));
  for (let row = 0; row < T; row += rowsAtOnce) {
    const count = Math.min(rowsAtOnce, T - row);
    const values = await file.read(tensor, row * T, count * T);
    values.forEach((value, at) => {
      if (value !== 0 && value !== 1) throw new UserError(`${described(name, tensor)} holds ${value}, where a mask is 1 (or true) for what may be attended to and 0 for what may not. ${canBeLookedAt}`);
      isAll &&= value === 1;
      isCausal &&= value === Number(at % T <= row + Math.floor(at / T));
    });
    if (T > maskLimit) continue;
    for (let index = 0; index < count; index++) rows.push(Array.from(values.subarray(index * T, (index + 1) * T), value => (value === 1 ? 'x' : '.')).join(''));
  }
  // Of a single position both are true.
  if (isCausal) return { kind: 'causal' };
  if (isAll && T > maskLimit) return { kind: 'all' };
  if (isAll) return { kind: 'all', rows };
  if (T > maskLimit) throw new UserError(`${described(name, tensor)} is a mask of its own kind, of which ${maskLimit} positions are the most here. ${canBeLookedAt}`);
  return { kind: 'custom', rows };
}

/** A way to rotate: dimensions are paired with those half a table further, or with their neighbours. */
interface Rotation {
  readonly base: number;
  readonly adjacent: boolean;
}

/** The base of rotations, and which dimensions they pair: those that were told, where the table fits them, or what fits the table. */
async function tellRotation(file: TensorFile, state: State, told: Fields, fields: Map<string, Told>): Promise<void> {
  const [sineName, cosineName] = ['blocks.0.attn.rotary_sin', 'blocks.0.attn.rotary_cos'];
  const [sine, cosine] = [state.get(sineName), state.get(cosineName)];
  if (!sine || !cosine) return;
  const from = described(sineName, sine);
  const [T = 0, size = 0] = sine.shape;
  if (sine.shape.length !== 2 || size % 2 !== 0 || size > rotaryLimit || formatShape(cosine.shape) !== formatShape(sine.shape)) {
    throw new UserError(`${from} and ${described(cosineName, cosine)} are no tables of rotations: two of [n_ctx, rotary_dim] were expected. ${canBeLookedAt}`);
  }
  if (T < 2 || size === 0) return;
  const half = size / 2;
  const rows = await Promise.all([1, T - 1].map(async position => ({ position, sines: await file.read(sine, position * size, size), cosines: await file.read(cosine, position * size, size) })));
  const [first] = rows;
  const angle = (index: number) => Math.atan2(first?.sines[index] ?? NaN, first?.cosines[index] ?? NaN);
  const [saidBase, saidAdjacent] = [told.get('rotary_base')?.value, told.get('rotary_adjacent_pairs')?.value];
  const candidates = [saidAdjacent === true, saidAdjacent !== true].flatMap((adjacent): Rotation[] => {
    const exact = angle(adjacent ? 2 : 1) ** -half;
    return [typeof saidBase === 'number' ? saidBase : 10_000, Number(exact.toPrecision(3)), Math.round(exact), exact].map(base => ({ base, adjacent }));
  });
  /** The largest difference of the tables from those of a rotation. */
  const difference = ({ base, adjacent }: Rotation) => Math.max(...rows.flatMap(({ position, sines, cosines }) => Array.from(sines, (value, index) => {
    const expected = position / base ** ((adjacent ? Math.floor(index / 2) : index % half) / half);
    return Math.max(Math.abs(Math.sin(expected) - value), Math.abs(Math.cos(expected) - (cosines[index] ?? NaN)));
  })));
  const least = Math.min(...candidates.map(difference).filter(value => !Number.isNaN(value)));
  const rounding = sine.dtype === 'float32' || sine.dtype === 'float64' ? 1e-3 : tableTolerance / 2;
  const rotation = least <= tableTolerance ? candidates.find(candidate => difference(candidate) <= least + rounding) : undefined;
  if (!rotation) throw new UserError(`${from} holds other angles than those of rotary position embeddings of one base. ${canBeLookedAt}`);
  if (saidBase === undefined && half > 1) fields.set('rotary_base', { value: rotation.base, from });
  if (typeof saidBase === 'number' && half > 1 && rotation.base !== saidBase) {
    throw new FieldError('rotary_base', `rotary_base is given as ${saidBase}, and ${from} is of the base ${rotation.base}.`);
  }
  // Two dimensions are one pair either way.
  if (half === 1) return;
  if (typeof saidAdjacent === 'boolean' && saidAdjacent !== rotation.adjacent) {
    throw new FieldError('rotary_adjacent_pairs', `rotary_adjacent_pairs is given as ${saidAdjacent}, and ${from} has the angles of the other way.`);
  }
  fields.set('rotary_adjacent_pairs', { value: rotation.adjacent, from });
}
