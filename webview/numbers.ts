const integers = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const decimals = new Intl.NumberFormat('en-US', { maximumFractionDigits: 6 });

/**
 * A number as people read it: four significant digits, thousands separated, a power of ten when it is very large or very
 * small, and a real minus sign.
 */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6 || (size < 1e-3 && size > 0)) {
    const [digits, power] = value.toExponential(3).split('e');
    return withMinus(`${Number(digits)}e${Number(power)}`);
  }
  if (Number.isInteger(value)) return formatInteger(value);
  const rounded = Number(value.toPrecision(4));
  return withMinus(decimals.format(rounded));
}

/** An integer with its thousands separated, as in `25,000`. */
export function formatInteger(value: number): string {
  // Adding 0 turns −0 into 0.
  return withMinus(integers.format(value + 0));
}

/** A number of which every digit is known: a whole one in all of them, as elements of integer tensors are, and others as people read them. */
export function formatPrecise(value: number): string {
  return Number.isSafeInteger(value) ? formatInteger(value) : formatNumber(value);
}

/** A fraction in percent, as in `99.98 %`: never rounded up to 100. */
export function formatShare(value: number): string {
  // The product may come out just below a whole number.
  return `${formatNumber(Math.floor(value * 10_000 + 1e-6) / 100)} %`;
}

/** A weight of attention, which lies between 0 and 1. */
export function formatWeight(value: number): string {
  return value.toFixed(3);
}

/** The shortest decimal that is the same float32, so that 0.1 is not written 0.10000000149011612. */
export function shortestFloat32(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return Number(value.toPrecision(9));
}

/** Where the smallest and the largest value are; undefined when there is none. `skip` leaves indices out. */
export function extremes(values: ArrayLike<number>, skip: (index: number) => boolean = () => false): Extremes | undefined {
  let smallest: Place | undefined;
  let largest: Place | undefined;
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (value === undefined || skip(index)) continue;
    if (!smallest || value < smallest.value) smallest = { value, index };
    if (!largest || value > largest.value) largest = { value, index };
  }
  return smallest && largest ? { smallest, largest } : undefined;
}

export interface Place {
  readonly value: number;
  readonly index: number;
}
export interface Extremes {
  readonly smallest: Place;
  readonly largest: Place;
}

function withMinus(text: string): string {
  return text.replace(/-/g, '−');
}

/** As in `1 tensor` and `4,096 tensors`. */
export function count(n: number, what: string): string {
  return `${formatInteger(n)} ${what}${n === 1 ? '' : 's'}`;
}
