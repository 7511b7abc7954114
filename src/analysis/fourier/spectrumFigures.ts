import type { BarsFigure } from '../../protocol/figure';
import { allFrequencies } from './basis';
import type { MarkedFrequencies } from './keyFrequencies';
import type { Spectrum } from './spectrum';

// p modulus · F frequencies, ⌊p/2⌋ of them

interface Heading {
  readonly title: string;
  readonly caption: string;
}

/** The norm of a weight at each frequency, and of the key frequencies. */
export function barsByFrequency({ basis: { modulus }, power }: Spectrum, marked: MarkedFrequencies, heading: Heading): BarsFigure {
  return {
    kind: 'bars',
    ...heading,
    x: { title: 'Frequency', labels: allFrequencies(modulus).map(String) },
    y: { title: 'Norm' },
    series: seriesWithKeys('norm', power.map(Math.sqrt), marked),
    scalar: 'keyShare',
  };
}

/**
 * Values `[F]` of every frequency, and at the key frequencies a second time, so that they are seen: the first series has all of
 * them, as two models that are compared may have other keys.
 */
export function seriesWithKeys(name: string, values: Float64Array, { frequencies: keys }: MarkedFrequencies): BarsFigure['series'] {
  const ofKeys = values.map((value, at) => (keys.includes(at + 1) ? value : 0));
  return [{ name, values }, ...(keys.length === 0 ? [] : [{ name: `${name} of key frequencies`, values: ofKeys }])];
}

/** The norm of a weight along each vector of the basis. */
export function barsByComponent({ basis, norms }: Spectrum, heading: Heading): BarsFigure {
  return {
    kind: 'bars',
    ...heading,
    x: { title: 'Fourier component', labels: basis.names },
    y: { title: 'Norm' },
    series: [{ name: 'norm', values: norms }],
    scalar: 'gini',
  };
}

/** Which frequencies are key, as a sentence for a caption. */
export function keySentence({ frequencies, areNamed }: MarkedFrequencies): string {
  if (frequencies.length === 0) return 'No frequency stands out in the embedding.';
  return `Key frequencies, ${areNamed ? 'as named' : 'which stand out in the embedding'}: ${frequencies.join(' ')}.`;
}
