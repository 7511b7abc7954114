import type { BarsFigure } from '../../protocol/figure';
import { allFrequencies } from './basis';
import type { MarkedFrequencies } from './keyFrequencies';
import type { Spectrum } from './spectrum';

// p modulus · F frequencies, ⌊p/2⌋ of them

interface Heading {
  readonly title: string;
  readonly caption: string;
}

/** The norm of a weight at each frequency, the key frequencies apart from the others. */
export function barsByFrequency({ basis: { modulus }, power }: Spectrum, { frequencies: keys }: MarkedFrequencies, heading: Heading): BarsFigure {
  const frequencies = allFrequencies(modulus);
  const norms = power.map(Math.sqrt); // [F]
  const some = (isShown: (frequency: number) => boolean) => norms.map((norm, at) => (isShown(at + 1) ? norm : 0));
  return {
    kind: 'bars',
    ...heading,
    x: { title: 'Frequency', labels: frequencies.map(String) },
    y: { title: 'Norm' },
    series: keys.length === 0
      ? [{ name: 'norm', values: norms }]
      : [{ name: 'key', values: some(frequency => keys.includes(frequency)) }, { name: 'other', values: some(frequency => !keys.includes(frequency)) }],
    scalar: 'keyShare',
  };
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
