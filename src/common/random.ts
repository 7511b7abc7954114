import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/**
 * A seeded source of randomness. Streams with different names are independent, so that drawing more of one (the batches)
 * leaves another (the initial weights) as it was. Whatever must resume exactly names its stream by step
 * (`batch 1200`) instead of saving a state.
 */
export class Random {
  private readonly generator;
  private spare: number | undefined;

  constructor(seed: number, stream: string) {
    this.generator = xoroshiro128plus(mix(seed, stream));
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return uniformFloat64(this.generator);
  }

  /** Uniform integer in [0, bound). */
  integer(bound: number): number {
    return uniformInt(this.generator, 0, bound - 1);
  }

  /** As `integer`, in a tenth of the time; a number can be more frequent than another by 2⁻³² times `bound`. */
  below(bound: number): number {
    return Math.floor(((this.generator.next() >>> 0) / 2 ** 32) * bound);
  }

  /** Standard normal (Box and Muller 1958). */
  normal(): number {
    if (this.spare !== undefined) {
      const value = this.spare;
      this.spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** The numbers 0 … n-1 in random order (Fisher and Yates). */
  permutation(n: number): Int32Array {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const moved = order[i] ?? 0;
      order[i] = order[j] ?? 0;
      order[j] = moved;
    }
    return order;
  }
}

/** A hash of seed and name in which every bit depends on every other: FNV-1a, then MurmurHash3's finaliser. */
function mix(seed: number, stream: string): number {
  let hash = 0x811c9dc5;
  for (const text of [String(seed), '/', stream]) {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
