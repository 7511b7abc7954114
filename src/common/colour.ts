import type { Colour } from './png';

/** Colours that stand on a light and on a dark page alike: what has no value is transparent there. */
export interface ColourScale {
  /** Ends of the colour bar. */
  readonly low: number;
  readonly high: number;
  colour(value: number): Colour;
  /** Class of text that can be read on a cell of this value. */
  inkOn(value: number): 'ink' | 'on-light' | 'on-dark';
}

/** Anchors of viridis (Smith and van der Walt 2015), equally spaced. */
const viridis = [
  [68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142],
  [31, 158, 137], [53, 183, 121], [110, 206, 88], [181, 222, 43], [253, 231, 37],
] as const;

const positive = [214, 69, 65] as const;
const negative = [47, 111, 222] as const;
const attention = [79, 109, 235] as const;

/** From the smallest to the largest of the values, dark to bright. */
export function sequentialScale(values: Iterable<number>): ColourScale {
  const [low, high] = extent(values);
  const fraction = (value: number) => (high > low ? (value - low) / (high - low) : 0.5);
  return {
    low,
    high,
    colour: value => opaque(viridisAt(fraction(value))),
    inkOn: value => (fraction(value) > 0.5 ? 'on-light' : 'on-dark'),
  };
}

/** Blue below 0, red above it, and the page's own colour at 0. */
export function divergingScale(values: Iterable<number>): ColourScale {
  const [low, high] = extent(values);
  const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
  return {
    low: -most,
    high: most,
    colour: value => [...(value < 0 ? negative : positive), Math.round(255 * Math.min(1, Math.abs(value) / most))],
    inkOn: value => (Math.abs(value) / most > 0.85 ? 'on-dark' : 'ink'),
  };
}

/** From 0, the page's own colour, to 1. */
export const attentionScale: ColourScale = {
  low: 0,
  high: 1,
  colour: value => [...attention, Math.round(255 * Math.min(1, Math.max(0, value)))],
  inkOn: value => (value > 0.85 ? 'on-dark' : 'ink'),
};

function viridisAt(fraction: number): readonly [number, number, number] {
  const place = Math.min(1, Math.max(0, fraction)) * (viridis.length - 1);
  const from = viridis[Math.floor(place)] ?? viridis[0];
  const to = viridis[Math.ceil(place)] ?? from;
  const part = place - Math.floor(place);
  const mix = (a: number, b: number) => Math.round(a + (b - a) * part);
  return [mix(from[0], to[0]), mix(from[1], to[1]), mix(from[2], to[2])];
}

function opaque([red, green, blue]: readonly [number, number, number]): Colour {
  return [red, green, blue, 255];
}

function extent(values: Iterable<number>): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : [0, 0];
}
