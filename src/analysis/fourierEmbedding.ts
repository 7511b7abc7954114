import type { Matrix } from 'ml-matrix';
import type { Figure, HeatmapFigure, LinesFigure, TableFigure } from '../protocol/figure';
import { defineAnalysis } from './define';
import { fourierBasis, type FourierBasis } from './fourier/basis';
import { gini } from './fourier/gini';
import { embeddingInBasis, frequencyParameters, markedFrequencies, type MarkedFrequencies } from './fourier/keyFrequencies';
import { isModular, modularNeeds, modularTaskOf } from './fourier/modular';
import { byPower, shareOf, spectrumOf, type Spectrum } from './fourier/spectrum';
import { barsByComponent, barsByFrequency, keySentence } from './fourier/spectrumFigures';
import { product } from './weights/product';
import { fourierEmbeddingLines } from './python/fourierEmbedding';

// p modulus · D d_model · n components shown, two for a frequency

/** Frequencies shown more closely where none is key: those that hold most. */
const shownOtherwise = 5;

/**
 * The embedding of the numbers modulo p in the Fourier basis over the numbers: a grokked model keeps a few key frequencies and
 * lets go of the others (Nanda et al. 2023, "Progress measures for grokking via mechanistic interpretability", section 4.1).
 */
export const fourierEmbedding = defineAnalysis({
  id: 'fourier-embedding',
  title: 'Embedding in the Fourier basis',
  description: 'Which frequencies the embedding of the numbers is made of, and which of them stand out.',
  group: 'Fourier structure',
  params: frequencyParameters,
  scalars: {
    keyCount: 'number of key frequencies, those that stand out or were named; 0 where none stands out',
    keyShare: 'fraction of the embedding\'s squared norm, beyond the constant, at the key frequencies; 0 where there are none',
    largestFrequency: 'the frequency that holds most of the squared norm',
    gini: 'Gini coefficient of the squared norms by frequency: 0 where all are the same, near 1 where few hold everything',
  },
  needs: modularNeeds,
  appliesTo: isModular,
  python: (context, { frequencies }) => fourierEmbeddingLines(context, frequencies, shownOtherwise),
  run({ details, model }, { frequencies }) {
    const basis = fourierBasis(modularTaskOf(details).modulus);
    const inBasis = embeddingInBasis(model, basis); // [p, D]
    const spectrum = spectrumOf(basis, inBasis);
    const marked = markedFrequencies(frequencies, model, basis);
    const keys = marked.frequencies;
    const ordered = byPower(spectrum.power);
    const closer: Closer = keys.length > 0
      ? { frequencies: keys, adjective: 'key', caption: keySentence(marked) }
      : { frequencies: ordered.slice(0, shownOtherwise), adjective: 'largest', caption: 'No frequency stands out in the embedding, so these are the ones that hold most.' };
    return {
      figures: [
        barsByFrequency(spectrum, marked, {
          title: 'Norm of the embedding by frequency',
          caption: `Norm of the cosine and the sine of each frequency in the embedding of the ${basis.modulus} numbers; the constant is left out. ${keySentence(marked)}`,
        }),
        barsByComponent(spectrum, {
          title: 'Norm of the embedding by Fourier component',
          caption: 'Norm of the projection of the numbers\' rows of W_E on each vector of the Fourier basis, each of norm one.',
        }),
        inBasisFigure(basis, inBasis),
        frequencyTable(spectrum, marked),
        dotProducts(basis, inBasis, closer),
        ...waves(basis, closer),
      ],
      scalars: { keyCount: keys.length, keyShare: shareOf(spectrum.power, keys), largestFrequency: ordered[0] ?? 0, gini: gini(spectrum.power) },
      finding: keys.length === 0 ? 'no key frequency' : `${marked.areNamed ? 'named' : 'key'} ${keys.length === 1 ? 'frequency' : 'frequencies'} ${keys.join(' ')}`,
    };
  },
});

/** The frequencies that are shown more closely, and what they are called. */
interface Closer {
  readonly frequencies: readonly number[];
  readonly adjective: 'key' | 'largest';
  readonly caption: string;
}

function inBasisFigure({ names }: FourierBasis, inBasis: Matrix): HeatmapFigure {
  return {
    kind: 'heatmap',
    title: 'Fourier components of the embedding',
    caption: 'What each vector of the Fourier basis over the numbers (row) is embedded as, by dimension of the residual stream (column).',
    y: { title: 'Fourier component', labels: names },
    x: { title: 'Residual stream dimension' },
    rows: inBasis.rows,
    columns: inBasis.columns,
    values: Float32Array.from(inBasis.to1DArray()),
    scale: 'diverging',
    unit: '',
    scalar: 'keyShare',
  };
}

/** Every frequency, the strongest first. */
function frequencyTable({ basis, norms, power }: Spectrum, marked: MarkedFrequencies): TableFigure {
  return {
    kind: 'table',
    title: 'Share of each frequency',
    caption: `Strongest first. The share is of the squared norm of the embedding beyond the constant. ${keySentence(marked)}`,
    columns: [
      { title: 'Frequency', numeric: true }, { title: 'Key', numeric: false },
      ...['Share', 'Norm', 'Norm of cosine', 'Norm of sine'].map(title => ({ title, numeric: true })),
    ],
    rows: byPower(power).map(frequency => {
      const [cosine = 0, sine] = componentsOf(basis, [frequency]).map(row => norms[row] ?? 0);
      return [
        frequency, marked.frequencies.includes(frequency) ? 'key' : '',
        shareOf(power, [frequency]), Math.sqrt(power[frequency - 1] ?? 0), cosine, sine ?? 'none',
      ];
    }),
    scalar: 'keyShare',
  };
}

function dotProducts(basis: FourierBasis, inBasis: Matrix, { frequencies, adjective, caption }: Closer): HeatmapFigure {
  const rows = componentsOf(basis, frequencies);
  const shown = inBasis.subMatrixRow([...rows]); // [n, D]
  const labels = rows.map(row => basis.names[row] ?? '');
  return {
    kind: 'heatmap',
    title: `Dot products of the ${adjective} components`,
    caption: `Dot products of what the components are embedded as: off the diagonal, 0 is at right angles. ${caption}`,
    y: { title: 'Fourier component', labels },
    x: { title: 'Fourier component', labels },
    rows: rows.length,
    columns: rows.length,
    values: Float32Array.from(product(shown, shown.transpose()).to1DArray()),
    scale: 'diverging',
    unit: '',
  };
}

/** The cosines and the sines as lines over the numbers; frequency p/2 has no sine. */
function waves(basis: FourierBasis, { frequencies, adjective, caption }: Closer): readonly Figure[] {
  const rows = componentsOf(basis, frequencies);
  const numbers = Float64Array.from({ length: basis.modulus }, (_, n) => n);
  const figure = (title: string, prefix: 'cos' | 'sin'): LinesFigure => ({
    kind: 'lines',
    title: `${title} of the ${adjective} frequencies`,
    caption: `Vectors of the Fourier basis, of norm one, over the numbers. ${caption}`,
    x: { title: 'Number' },
    y: { title: 'Value' },
    series: rows.filter(row => basis.names[row]?.startsWith(prefix)).map(row => ({
      name: basis.names[row] ?? '', x: numbers, y: Float64Array.from(basis.vectors.getRow(row)),
    })),
  });
  return [figure('Cosines', 'cos'), figure('Sines', 'sin')].filter(({ series }) => series.length > 0);
}

/** The rows of the basis that belong to some frequencies: the cosine, then the sine where there is one. */
function componentsOf({ frequencies: all }: FourierBasis, frequencies: readonly number[]): readonly number[] {
  return [...all.keys()].filter(row => frequencies.includes(all[row] ?? 0));
}
