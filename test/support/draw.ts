import { Random } from '../../src/common/random';
import { float32, int32, sizeOf, type HostTensor, type Shape } from '../../src/common/tensor';

/** Ranges of random numbers, named for what needs them. */
const distributions = {
  /** Standard normal. */
  normal: (random: Random) => random.normal(),
  /** For logarithms, roots and denominators: between 0.2 and 4. */
  positive: (random: Random) => 0.2 + 3.8 * random.uniform(),
  /** Not near 0, of either sign. */
  'away from 0': (random: Random) => (random.uniform() < 0.5 ? -1 : 1) * (0.3 + 2 * random.uniform()),
  /** −3 … 3, so that equal numbers, zeros and ties are frequent. */
  'small integers': (random: Random) => random.integer(7) - 3,
} satisfies Record<string, (random: Random) => number>;
export type Distribution = keyof typeof distributions;

/** Draws tensors for a test, the same ones every time. */
export class Draw {
  private readonly random: Random;

  constructor(name: string, seed = 1) {
    this.random = new Random(seed, name);
  }

  float32(shape: Shape, distribution: Distribution = 'normal'): HostTensor<'float32'> {
    return float32(
      shape,
      Float32Array.from({ length: sizeOf(shape) }, () => distributions[distribution](this.random)),
    );
  }

  /** Integers from `from` up to but not including `to`. */
  int32(shape: Shape, from: number, to: number): HostTensor<'int32'> {
    return int32(
      shape,
      Int32Array.from({ length: sizeOf(shape) }, () => from + this.random.integer(to - from)),
    );
  }

  bool(shape: Shape): HostTensor<'bool'> {
    return { dtype: 'bool', shape, data: Uint8Array.from({ length: sizeOf(shape) }, () => this.random.integer(2)) };
  }
}
