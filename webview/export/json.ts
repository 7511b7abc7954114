import type { Figure } from '../../src/protocol/figure';
import { shortestFloat32 } from '../numbers';

/** A figure with the same fields as it has in the program, and its typed arrays as lists. */
export function figureJson(figure: Figure): string {
  const plain = (_: string, value: unknown) => {
    if (value instanceof Float32Array) return Array.from(value, shortestFloat32);
    return value instanceof Float64Array || value instanceof Uint8Array ? Array.from(value) : value;
  };
  return `${JSON.stringify(figure, plain)}\n`;
}
