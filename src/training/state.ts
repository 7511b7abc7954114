import { float32, formatShape, sameShape, sizeOf, type HostTensor } from '../common/tensor';
import type { ParameterSpec, ParameterValuesByName } from '../model/parameters';
import type { TrainingState } from './run';
import type { Layout } from './step';

/** What a step reads and writes: the trained numbers and the optimizer's moments of each, `[n]`. */
export interface Vectors {
  readonly parameters: HostTensor<'float32'>;
  readonly first: HostTensor<'float32'>;
  readonly second: HostTensor<'float32'>;
}

/** Lays parameters out one after the other. Throws for one that is missing or has another shape. */
export function pack(specs: readonly ParameterSpec[], valueOf: (name: string) => HostTensor<'float32'> | undefined): Float32Array {
  const packed = new Float32Array(specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0));
  let at = 0;
  for (const { name, shape } of specs) {
    const value = valueOf(name);
    if (!value || !sameShape(value.shape, shape)) {
      throw new Error(`${name} is ${value ? formatShape(value.shape) : 'missing'}, not ${formatShape(shape)}`);
    }
    packed.set(value.data, at);
    at += value.data.length;
  }
  return packed;
}

/** Without moments, those of a fresh optimizer: zeros. */
export function initialVectors({ trained, trainedSize }: Layout, values: ParameterValuesByName, moments?: ParameterValuesByName): Vectors {
  const moment = (which: string) => (moments ? pack(trained, name => moments.get(`${which}.${name}`)) : new Float32Array(trainedSize));
  return {
    parameters: float32([trainedSize], pack(trained, name => values.get(name))),
    first: float32([trainedSize], moment('first')),
    second: float32([trainedSize], moment('second')),
  };
}

/** The vectors taken apart by name, as views: valid until the next step overwrites them. */
export function stateOf(layout: Layout, vectors: Vectors, frozen: HostTensor<'float32'>, counters: Pick<TrainingState, 'step' | 'seconds' | 'streak'>): TrainingState {
  const trained = unpack(layout.trained, vectors.parameters.data);
  return {
    ...counters,
    parameters: new Map([...trained, ...unpack(layout.frozen, frozen.data)]),
    moments: new Map([
      ...unpack(layout.trained, vectors.first.data, 'first.'),
      ...unpack(layout.trained, vectors.second.data, 'second.'),
    ]),
  };
}

function unpack(specs: readonly ParameterSpec[], packed: Float32Array, prefix = ''): Map<string, HostTensor<'float32'>> {
  let at = 0;
  return new Map(specs.map(({ name, shape }) => {
    const data = packed.subarray(at, at + sizeOf(shape));
    at += data.length;
    return [prefix + name, float32(shape, data)];
  }));
}
