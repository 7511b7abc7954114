import type { Point } from './curve';

/** The `at`-th of `count` places on a circle that fills the unit square, clockwise from the top; y points down. */
export function onCircle(at: number, count: number): Point {
  const angle = (2 * Math.PI * at) / count;
  return { x: 0.5 + 0.5 * Math.sin(angle), y: 0.5 - 0.5 * Math.cos(angle) };
}
