import type { HeatmapFigure } from '../../protocol/figure';
import type { FourierBasis } from './basis';
import type { ExplainedFunction } from './pairSpectra';

// p modulus · F frequencies, ⌊p/2⌋ of them

/** What a figure of one function of a and b says besides its numbers. */
export interface PairHeading extends Pick<HeatmapFigure, 'title' | 'caption' | 'subject' | 'scalar'> {
  /** What the function's values are. */
  readonly unit: string;
}

/** A function of all pairs, `values [p²]`: a in rows and b in columns. */
export function pairHeatmap(p: number, values: Float32Array, heading: PairHeading, scale: HeatmapFigure['scale']): HeatmapFigure {
  return { kind: 'heatmap', ...heading, y: { title: 'a' }, x: { title: 'b' }, rows: p, columns: p, values, scale };
}

/** Its coefficients `[p²]` in the 2D Fourier basis: vectors in a in rows, those in b in columns. */
export function spectrumHeatmap({ modulus: p, names }: FourierBasis, coefficients: Float32Array, heading: PairHeading): HeatmapFigure {
  const axis = (of: string) => ({ title: `Component in ${of}`, labels: names });
  return { kind: 'heatmap', ...heading, y: axis('a'), x: axis('b'), rows: p, columns: p, values: coefficients, scale: 'diverging' };
}

/** The norm of its coefficients `[p²]` at each pair of frequencies, sines and cosines together; 0 is the constant. */
export function frequencyNormsHeatmap({ modulus: p, frequencies }: FourierBasis, coefficients: Float32Array, heading: PairHeading): HeatmapFigure {
  const size = Math.floor(p / 2) + 1; // F + 1
  const squares = new Float64Array(size * size);
  coefficients.forEach((coefficient, at) => {
    const into = (frequencies[Math.floor(at / p)] ?? 0) * size + (frequencies[at % p] ?? 0);
    squares[into] = (squares[into] ?? 0) + coefficient * coefficient;
  });
  const axis = (of: string) => ({ title: `Frequency in ${of}`, labels: Array.from({ length: size }, (_, frequency) => String(frequency)) });
  return { kind: 'heatmap', ...heading, y: axis('a'), x: axis('b'), rows: size, columns: size, values: Float32Array.from(squares, Math.sqrt), scale: 'sequential' };
}

/** A sentence on which frequency a function is made of. */
export function explanationOf({ varies, frequency, explained }: ExplainedFunction): string {
  return varies ? `Frequency ${frequency} explains ${explained.toFixed(3)} of the variance.` : 'It does not depend on a and b.';
}

/** A product of a vector in a and one in b. */
export interface Term {
  /** `cos 5a · sin 5b`, or `cos 5a` beside the constant in b. */
  readonly name: string;
  readonly coefficient: number;
  /** Of the function's variance. */
  readonly fraction: number;
}

/** The largest terms of coefficients `[p²]` with the mean removed, at most `count` of them and none that is zero. */
export function largestTerms({ modulus: p, names, frequencies }: FourierBasis, coefficients: Float32Array, count: number): readonly Term[] {
  const total = coefficients.reduce((sum, coefficient) => sum + coefficient * coefficient, 0);
  const nameIn = (vector: number, variable: string) => (frequencies[vector] === 0 ? [] : [`${names[vector] ?? ''}${variable}`]);
  return Array.from(coefficients, (coefficient, at) => ({ coefficient, at }))
    .filter(({ coefficient }) => coefficient !== 0)
    .sort((one, other) => Math.abs(other.coefficient) - Math.abs(one.coefficient))
    .slice(0, count)
    .map(({ coefficient, at }) => ({
      name: [...nameIn(Math.floor(at / p), 'a'), ...nameIn(at % p, 'b')].join(' · '),
      coefficient,
      fraction: (coefficient * coefficient) / total,
    }));
}
