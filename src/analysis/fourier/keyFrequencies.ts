import { Matrix } from 'ml-matrix';
import { UserError } from '../../common/errors';
import type { RunnableModel } from '../../model/runnable';
import type { Parameters } from '../../protocol/parameter';
import { product } from '../weights/product';
import { allFrequencies, fourierBasis, type FourierBasis } from './basis';
import { spectrumOf } from './spectrum';

// p modulus · F frequencies, ⌊p/2⌋ of them · D d_model

/** By which an analysis lets people name the key frequencies. */
export const frequencyParameters = {
  frequencies: {
    kind: 'text',
    title: 'Key frequencies',
    description: 'Frequencies separated by spaces, as in 5 17 34. Leave it empty for those that stand out in the embedding.',
    default: '',
  },
} as const satisfies Parameters;

/** The embedding of the numbers `[p, D]`, in float64, in the Fourier basis: `[p, D]`, a vector of the basis in each row. */
export function embeddingInBasis(model: RunnableModel, basis: FourierBasis): Matrix {
  const { shape: [, D = 0], data } = model.parameter('embed.W_E');
  const numbers = Matrix.from1DArray(basis.modulus, D, Array.from(data.subarray(0, basis.modulus * D)));
  return product(basis.vectors, numbers);
}

/** Squared norm of the embedding at each frequency, from 1: `[F]`. */
export function embeddingPower(model: RunnableModel, basis: FourierBasis): Float64Array {
  return spectrumOf(basis, embeddingInBasis(model, basis)).power;
}

/** How steeply power must fall behind the last key frequency. In a random embedding it falls by less than 1.5 anywhere. */
const leastFall = 3;

/**
 * The frequencies that stand out of a spectrum, ascending: those before its steepest fall, in the order of power, among the
 * falls by a factor of three at least behind at least half of all power. They are half of the frequencies at most: at the end
 * of a random spectrum p/2 may fall far behind, as it has no sine. Empty where nothing stands out.
 * @param power `[F]`, of the frequencies from 1
 */
export function standingOut(power: ArrayLike<number>): readonly number[] {
  const order = Array.from(power, (value, index) => ({ value, frequency: index + 1 })).sort((a, b) => b.value - a.value);
  const total = order.reduce((sum, { value }) => sum + value, 0);
  let [best, count, before] = [leastFall, 0, 0];
  order.slice(0, Math.min(order.length - 1, Math.ceil(order.length / 2))).forEach(({ value }, index) => {
    before += value;
    const next = order[index + 1]?.value ?? 0;
    const fall = next > 0 ? value / next : value > 0 ? Infinity : 0;
    if (before < total / 2 || fall < best || (fall === best && count > 0)) return;
    [best, count] = [fall, index + 1];
  });
  return order.slice(0, count).map(({ frequency }) => frequency).sort((a, b) => a - b);
}

/** The key frequencies of a model: those that stand out in its embedding, ascending; empty where none does. */
export function keyFrequencies(model: RunnableModel, basis: FourierBasis): readonly number[] {
  return standingOut(embeddingPower(model, basis));
}

/** The frequencies that figures mark as key, ascending. */
export interface MarkedFrequencies {
  readonly frequencies: readonly number[];
  /** Whether somebody named them; otherwise they stand out in the embedding, or there are none. */
  readonly areNamed: boolean;
}

/** The frequencies that were named, or those that stand out in the embedding. @throws UserError for one that there is not modulo p. */
export function markedFrequencies(given: string, model: RunnableModel, basis: FourierBasis): MarkedFrequencies {
  const named = namedFrequencies(given, basis.modulus);
  return named.length > 0 ? { frequencies: named, areNamed: true } : { frequencies: keyFrequencies(model, basis), areNamed: false };
}

/**
 * The frequencies that were named, or those that stand out in the embedding.
 * @throws UserError for a frequency that there is not modulo p; or where none is named and none stands out.
 */
export function chosenFrequencies(given: string, model: RunnableModel, modulus: number): readonly number[] {
  const { frequencies } = markedFrequencies(given, model, fourierBasis(modulus));
  if (frequencies.length > 0) return frequencies;
  throw new UserError('No frequency stands out in the embedding yet, so there are no key frequencies to keep or to leave out; name some, or look at a later checkpoint.');
}

/** The frequencies named in a text, each once, ascending. @throws UserError for one that there is not modulo p. */
export function namedFrequencies(given: string, modulus: number): readonly number[] {
  const words = given.split(/[\s,]+/).filter(word => word !== '');
  const named = words.map(word => {
    const frequency = /^\d{1,6}$/.test(word) ? Number(word) : NaN;
    if (allFrequencies(modulus).includes(frequency)) return frequency;
    throw new UserError(`There is no frequency "${word}" modulo ${modulus}; there are 1 to ${Math.floor(modulus / 2)}.`);
  });
  return [...new Set(named)].sort((a, b) => a - b);
}
