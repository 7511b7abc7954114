import { throwIfCancelled } from '../common/errors';
import type { TensorStatistics } from '../protocol/checkpointFile';

/** Numbers of a tensor in row-major order. */
export interface Numbers {
  readonly elements: number;
  /** Whether each is a whole number, or true or false. */
  readonly whole: boolean;
  read(from: number, count: number): Promise<ArrayLike<number>>;
}

/** Up to this many elements every one is looked at: more than the embedding of any small model has. */
const mostExact = 50_000_000;
/** Elements that are read at a time, which takes a few milliseconds. */
const chunk = 2 ** 20;
/** Of a larger tensor, as many stretches of neighbouring elements, evenly spread: about four million elements. */
const [stretches, stretchLength] = [1024, 4096];
/** Elements that are kept for the second look at them; of more than these the file is read twice. */
const mostKept = stretches * stretchLength;
const [fewestBins, mostBins] = [4, 64];
/** A sum of float64 can overflow, of these times them it cannot; a power of two, so that nothing is rounded. */
const downscale = 2 ** -64;

interface Extent {
  readonly minimum: number;
  readonly maximum: number;
  readonly finite: number;
  readonly mean: number;
}

/**
 * Looks at the numbers twice: for the extent and the mean, and then for the deviations from it (the corrected two-pass
 * algorithm; Chan, Golub and LeVeque 1983) and the histogram, all in float64.
 * @throws CancelledError
 */
export async function tensorStatistics({ elements, whole, read }: Numbers, signal?: AbortSignal): Promise<TensorStatistics> {
  const parts = elements <= mostExact ? chunksOf(elements) : stretchesOf(elements);
  const sampled = parts.reduce((sum, { count }) => sum + count, 0);
  const kept = sampled <= mostKept ? new Map<number, ArrayLike<number>>() : undefined;
  const each = async (look: (values: ArrayLike<number>) => void) => {
    for (const { from, count } of parts) {
      throwIfCancelled(signal);
      const values = kept?.get(from) ?? await read(from, count);
      kept?.set(from, values);
      look(values);
    }
    throwIfCancelled(signal);
  };

  const counts = { nan: 0, positiveInfinities: 0, negativeInfinities: 0, zeros: 0 };
  let [minimum, maximum, finite, sum] = [Infinity, -Infinity, 0, 0];
  await each(values => {
    // A sum for each chunk, so that what is added is not much smaller than what it is added to.
    let part = 0;
    for (let i = 0; i < values.length; i++) {
      const value = values[i] ?? Number.NaN;
      if (!Number.isFinite(value)) {
        if (Number.isNaN(value)) counts.nan++;
        else if (value > 0) counts.positiveInfinities++;
        else counts.negativeInfinities++;
        continue;
      }
      finite++;
      if (value === 0) counts.zeros++;
      if (value < minimum) minimum = value;
      if (value > maximum) maximum = value;
      part += value * downscale;
    }
    sum += part;
  });
  const seen = { elements, sampled, ...counts };
  if (finite === 0) return { ...seen, histogram: [] };
  // Adding 0 turns −0 into 0.
  const extent: Extent = { minimum: minimum + 0, maximum: maximum + 0, finite, mean: (sum / finite) / downscale };
  return { ...seen, minimum: extent.minimum, maximum: extent.maximum, ...await secondLook(extent, whole, each) };
}

/** The mean once more, without the rounding of its sum, the deviation and the histogram. */
async function secondLook(
  { minimum, maximum, finite, mean }: Extent, whole: boolean, each: (look: (values: ArrayLike<number>) => void) => Promise<void>,
): Promise<Pick<TensorStatistics, 'mean' | 'standardDeviation' | 'histogram'> & { readonly mean: number }> {
  // Squares of very large or very small numbers are in range once these are near 1.
  const scale = powerOfTwo(Math.max(Math.abs(minimum), Math.abs(maximum)));
  const [low, width, centre] = [minimum / scale, maximum / scale - minimum / scale, mean / scale];
  // The Rice rule, by which bins of few numbers do not have one or none each. Whole numbers have one each where they can.
  const rice = Math.min(mostBins, Math.max(fewestBins, Math.ceil(2 * Math.cbrt(finite))));
  const bins = minimum === maximum ? 1 : whole && maximum - minimum < mostBins ? maximum - minimum + 1 : rice;
  const histogram = new Array<number>(bins).fill(0);
  let [sum, squares] = [0, 0];
  await each(values => {
    for (let i = 0; i < values.length; i++) {
      const value = values[i] ?? Number.NaN;
      if (!Number.isFinite(value)) continue;
      const scaled = value / scale;
      const deviation = scaled - centre;
      sum += deviation;
      squares += deviation * deviation;
      const bin = width === 0 ? 0 : Math.min(bins - 1, Math.floor((scaled - low) * bins / width));
      histogram[bin] = (histogram[bin] ?? 0) + 1;
    }
  });
  // The sum of the deviations would be 0 if the mean were exact. Rounding must not lead out of the extent.
  const exact = Math.min(maximum, Math.max(minimum, (centre + sum / finite) * scale));
  const variance = Math.max(0, (squares - sum * sum / finite) / finite);
  return { mean: exact, standardDeviation: Math.sqrt(variance) * scale, histogram };
}

/** The largest power of two that is no larger; 1 for 0. */
function powerOfTwo(size: number): number {
  return size === 0 ? 1 : 2 ** Math.min(1023, Math.max(-1074, Math.floor(Math.log2(size))));
}

interface Part {
  readonly from: number;
  readonly count: number;
}

function chunksOf(elements: number): readonly Part[] {
  return Array.from({ length: Math.ceil(elements / chunk) }, (_, i) => ({ from: i * chunk, count: Math.min(chunk, elements - i * chunk) }));
}

/** From the first element to the last. */
function stretchesOf(elements: number): readonly Part[] {
  const room = elements - stretchLength;
  return Array.from({ length: stretches }, (_, i) => ({ from: Math.floor(room * (i / (stretches - 1))), count: stretchLength }));
}
