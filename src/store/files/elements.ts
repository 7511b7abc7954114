import { UserError } from '../../common/errors';
import type { ElementType } from '../../protocol/checkpointFile';

// Values are taken as they lie, because every machine that this runs on (ONNX Runtime's binaries are for x64 and arm64)
// is little-endian, as the files are.

export const bytesPerElement: Readonly<Record<ElementType, number>> = {
  float64: 8, float32: 4, float16: 2, bfloat16: 2, int64: 8, int32: 4, int16: 2, int8: 1, uint8: 1, bool: 1,
};

export type Elements = Float32Array | Float64Array | Int32Array;

/**
 * The elements in `bytes`: float64 and int64 as float64, the other floats as float32 and the other integers as int32, all of
 * them exactly; bool is 0 and 1.
 * @param what what they are of, in errors
 * @throws UserError for an int64 that is no float64
 */
export function decodeElements(what: string, dtype: ElementType, { buffer }: Uint8Array<ArrayBuffer>): Elements {
  switch (dtype) {
    case 'float64': return new Float64Array(buffer);
    case 'float32': return new Float32Array(buffer);
    case 'float16': return Float32Array.from(new Uint16Array(buffer), halfToNumber);
    case 'bfloat16': return brainToFloat(new Uint16Array(buffer));
    case 'int64': return longToDouble(what, new Uint32Array(buffer));
    case 'int32': return new Int32Array(buffer);
    case 'int16': return Int32Array.from(new Int16Array(buffer));
    case 'int8': return Int32Array.from(new Int8Array(buffer));
    case 'uint8': return Int32Array.from(new Uint8Array(buffer));
    case 'bool': return Int32Array.from(new Uint8Array(buffer), byte => (byte === 0 ? 0 : 1));
    default: return dtype satisfies never;
  }
}

/** bfloat16 is the upper half of a float32. */
function brainToFloat(halves: Uint16Array): Float32Array {
  const floats = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) floats[i] = (halves[i] ?? 0) << 16;
  return new Float32Array(floats.buffer);
}

/** IEEE 754 binary16: a sign, 5 bits of exponent, 10 bits of fraction. Every value is exact in float32. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** @param words lower and upper half of each */
function longToDouble(what: string, words: Uint32Array): Float64Array {
  const doubles = new Float64Array(words.length / 2);
  for (let i = 0; i < doubles.length; i++) {
    const [low, high] = [words[2 * i] ?? 0, (words[2 * i + 1] ?? 0) | 0];
    const value = high * 2 ** 32 + low;
    if (!Number.isSafeInteger(value)) {
      throw new UserError(`${what} has the integer ${(BigInt(high) << 32n) + BigInt(low)}, and those beyond 2⁵³ cannot be read exactly.`);
    }
    doubles[i] = value;
  }
  return doubles;
}
