/** Maps values of an axis to pixels. */
export interface Scale {
  /** Where a value is drawn; undefined where the axis has no place for it (0 and below on a logarithmic one). */
  at(value: number): number | undefined;
  readonly ticks: readonly Tick[];
}

export interface Tick {
  readonly value: number;
  readonly label: string;
}

export interface ScaleOptions {
  readonly logarithmic: boolean;
  /** Pixels of the smallest and of the largest value. */
  readonly range: readonly [number, number];
  readonly ticks: number;
  /** Whether the ends move out to the nearest ticks. */
  readonly nice?: boolean;
}

/** A scale over the values, of which those that it can show decide its ends. */
export function scaleFor(values: Iterable<number>, options: ScaleOptions): Scale {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (options.logarithmic && value <= 0) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) [low, high] = options.logarithmic ? [1, 10] : [0, 1];
  return options.logarithmic ? logarithmicScale(low, high, options) : linearScale(low, high, options);
}

function linearScale(lowest: number, highest: number, { range, ticks, nice }: ScaleOptions): Scale {
  let [low, high] = [lowest, highest];
  if (low === high) {
    const room = Math.abs(low) / 2 || 0.5;
    [low, high] = [low - room, high + room];
  }
  const step = niceStep((high - low) / Math.max(1, ticks));
  // What is rounded must not end inside: values far from 0 that hardly differ are no multiples of so small a step.
  if (nice) [low, high] = [Math.min(low, Math.floor(low / step) * step), Math.max(high, Math.ceil(high / step) * step)];
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const at = (value: number) => interpolate((value - low) / (high - low), range);
  // A single step has no others beside it.
  if (lowest === highest && !nice) return { at, ticks: [{ value: lowest, label: tickLabel(lowest, Number.isInteger(lowest) ? 0 : decimals) }] };
  return {
    at,
    ticks: Array.from({ length: last - first + 1 }, (_, i) => {
      const value = (first + i) * step;
      return { value, label: tickLabel(value, decimals) };
    }),
  };
}

function logarithmicScale(lowest: number, highest: number, { range, ticks, nice }: ScaleOptions): Scale {
  let [low, high] = [Math.log10(lowest), Math.log10(highest)];
  if (nice || high - low < 1) [low, high] = [Math.floor(low + 1e-9), Math.ceil(high - 1e-9)];
  if (high - low < 1) [low, high] = [Math.floor(low), Math.floor(low) + 1];
  const [first, last] = [Math.ceil(low - 1e-9), Math.floor(high + 1e-9)];
  const stride = Math.max(1, Math.ceil((last - first + 1) / Math.max(1, ticks)));
  return {
    at: value => (value > 0 ? interpolate((Math.log10(value) - low) / (high - low), range) : undefined),
    ticks: Array.from({ length: Math.floor((last - first) / stride) + 1 }, (_, i) => {
      const exponent = first + i * stride;
      return { value: 10 ** exponent, label: powerLabel(exponent) };
    }),
  };
}

/** 1, 2 or 5 times a power of ten, at least as large as asked for. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5, 10].find(candidate => candidate * power >= least * (1 - 1e-9)) ?? 10;
  return factor * power;
}

function interpolate(fraction: number, [from, to]: readonly [number, number]): number {
  return from + fraction * (to - from);
}

function tickLabel(value: number, decimals: number): string {
  const magnitude = Math.abs(value);
  if (decimals > 5 || magnitude >= 1e7) return value === 0 ? '0' : value.toExponential(1).replace('.0e', 'e').replace('e+', 'e').replace(/-/g, '−');
  if (magnitude >= 10_000) return `${minus(value)}${String(magnitude).replace(/\B(?=(\d{3})+$)/g, '\u202f')}`;
  return `${minus(value)}${magnitude.toFixed(decimals)}`;
}

function minus(value: number): string {
  return value < 0 ? '−' : '';
}

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** `0.01`, `1`, `100`, and from there `10⁻³`, `10⁴`. */
function powerLabel(exponent: number): string {
  if (exponent >= -2 && exponent <= 3) return String(Number((10 ** exponent).toPrecision(1)));
  const digits = [...String(Math.abs(exponent))].map(digit => superscripts[Number(digit)]).join('');
  return `10${exponent < 0 ? '⁻' : ''}${digits}`;
}
