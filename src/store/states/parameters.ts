import { UserError } from '../../common/errors';
import { allFinite, float32, formatShape, sameShape, sizeOf, type HostTensor, type Shape } from '../../common/tensor';
import type { ModelConfig } from '../../protocol/config';
import { parameterSpecs, type ParameterSpec } from '../../model/parameters';
import type { Weights } from '../checkpoints';
import type { FileTensor, TensorFile } from '../files/tensorFile';
import { quoted } from '../safetensorsHeader';
import { isKnownBuffer } from './buffers';
import { described, type State } from './fileValues';
import { axisSize, canBeLookedAt, factorsOf, isBias, missingTensor, nearestTensor, type Fields, type Place, type StateLayout } from './layout';

/** A parameter of a model, and where it lies in a state dict. */
interface PlacedParameter {
  readonly spec: ParameterSpec;
  readonly place: Place;
}

/** The parameters of a model with their places in the states of a file. */
export class StateParameters {
  private readonly placed: readonly PlacedParameter[];

  /** @param told the fields of the config and what told them */
  constructor(private readonly layout: StateLayout, private readonly config: ModelConfig, private readonly told: Fields, state: State) {
    this.placed = parameterSpecs(config).map(spec => ({ spec, place: layout.place(spec.name, config, state) }));
  }

  /** Element types that are not float32. */
  otherTypes(state: State): readonly string[] {
    const types = this.placed.flatMap(({ place }) => state.get(place.name)?.dtype ?? []);
    return [...new Set(types)].filter(type => type !== 'float32');
  }

  /** Parameters that a state leaves out, and that are zeros in a model that uses them. */
  missing(state: State): readonly string[] {
    if (!this.config.biases) return [];
    return this.placed.flatMap(({ spec, place }) => (state.has(place.name) ? [] : [spec.name]));
  }

  /** @throws UserError for the first tensor that a state lacks, has in another shape or type, or has besides. */
  check(state: State): void {
    for (const { place } of this.placed) {
      const tensor = state.get(place.name);
      const shape = place.axes.map(axis => axisSize(axis, this.config));
      if (tensor) this.checkTensor(place.name, tensor, shape, place.axes);
      else if (!place.optional) throw missingTensor(place.name, state, shape);
    }
    const expected = new Set(this.placed.map(({ place }) => place.name));
    for (const [name, tensor] of state) {
      if (expected.has(name) || this.layout.isBuffer(name)) continue;
      if (!isKnownBuffer(name)) throw extraTensor(name, tensor, [...expected]);
      const axes = /\.mask$/.test(name) ? ['n_ctx', 'n_ctx'] : /\.rotary_/.test(name) ? ['n_ctx', this.config.rotary_dim === undefined ? 'd_head' : 'rotary_dim'] : [];
      const shape = axes.map(axis => axisSize(axis, this.config));
      if (axes.length > 0 && !sameShape(tensor.shape, shape)) throw this.wrongShape(name, tensor.shape, shape, axes);
    }
  }

  /** Reads the parameters of a state. @throws UserError for one that is not finite. */
  async read(file: TensorFile, state: State): Promise<Weights> {
    const weights = new Map<string, HostTensor<'float32'>>();
    let last: { readonly name: string; readonly values: Float32Array } | undefined;
    for (const { spec, place } of this.placed) {
      const tensor = state.get(place.name);
      if (tensor && last?.name !== place.name) last = { name: place.name, values: await finiteValues(file, place.name, tensor) };
      const value = tensor && last ? float32(spec.shape, place.arrange(last.values)) : float32(spec.shape);
      if (!this.config.biases && isBias(spec.name) && value.data.some(number => number !== 0)) {
        throw new UserError(`${place.name} holds other numbers than 0, and ${this.told.get('biases')?.from ?? 'the config'} says that the model has no biases.`);
      }
      weights.set(spec.name, value);
    }
    return weights;
  }

  private checkTensor(name: string, tensor: FileTensor, expected: Shape, axes: readonly string[]): void {
    if (!sameShape(tensor.shape, expected)) throw this.wrongShape(name, tensor.shape, expected, axes);
    if (!['float64', 'float32', 'float16', 'bfloat16'].includes(tensor.dtype)) {
      throw new UserError(`${described(name, tensor)} is of ${tensor.dtype}, where weights are expected as float32, float16, bfloat16 or float64. ${canBeLookedAt}`);
    }
  }

  private wrongShape(name: string, found: Shape, expected: Shape, axes: readonly string[]): UserError {
    const axis = expected.findIndex((size, index) => found.length === expected.length && found[index] !== size);
    const reasons = factorsOf(axes[axis] ?? '').flatMap(field => {
      const from = this.told.get(field);
      return from ? [`${field} is ${String(from.value)} ${from.from === 'you' ? 'as you gave it' : from.from === 'default' ? 'by default' : `in ${from.from}`}`] : [];
    });
    return new UserError(`${name} is ${formatShape(found)}, where ${formatShape(expected)} was expected${reasons.length > 0 ? `: ${reasons.join(', ')}` : ''}. ${canBeLookedAt}`);
  }
}

function extraTensor(name: string, tensor: FileTensor, expected: readonly string[]): UserError {
  const near = nearestTensor(name, expected);
  const hint = near === undefined ? '' : `; the nearest name that it has is ${near}`;
  return new UserError(`The state dict has ${quoted(name)} ${formatShape(tensor.shape)}, which a model of this config does not${hint}. ${canBeLookedAt}`);
}

async function finiteValues(file: TensorFile, name: string, tensor: FileTensor): Promise<Float32Array> {
  const read = await file.read(tensor);
  const values = read instanceof Float32Array ? read : Float32Array.from(read);
  if (allFinite(values)) return values;
  const isFinite = (value: number) => Number.isFinite(value);
  const first = values.findIndex(value => !isFinite(value));
  const count = values.reduce((sum, value) => sum + Number(!isFinite(value)), 0);
  const what = count === 1 ? 'a number that is not finite' : `${count} numbers that are not finite`;
  const became = isFinite(read[first] ?? NaN) ? ', once it is a float32' : '';
  throw new UserError(`${described(name, tensor)} holds ${what}: ${String(values[first])} at ${formatShape(indexOf(first, tensor.shape))}${became}. ${canBeLookedAt}`);
}

/** The index, axis by axis, of an element of a row-major tensor. */
function indexOf(at: number, shape: Shape): number[] {
  return shape.map((size, axis) => Math.floor(at / sizeOf(shape.slice(axis + 1))) % size);
}
