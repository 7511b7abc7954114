import type { Matrix } from 'ml-matrix';
import type { RunnableModel } from '../model/runnable';
import type { HeatmapFigure } from '../protocol/figure';
import { defineAnalysis } from './define';
import { fourierBasis, sumByFrequency, type FourierBasis } from './fourier/basis';
import { gini } from './fourier/gini';
import { frequencyParameters, markedFrequencies, standingOut } from './fourier/keyFrequencies';
import { isModular, modularNeeds, modularTaskOf } from './fourier/modular';
import { shareOf, spectrumOf, strongest } from './fourier/spectrum';
import { barsByComponent, barsByFrequency, keySentence } from './fourier/spectrumFigures';
import { product } from './weights/product';
import { leftOut, matrixOf } from './weights/weights';
import { fourierLogitLines } from './python/fourierLogits';

// p modulus, a logit for each number · F frequencies, ⌊p/2⌋ of them · D d_model · M d_mlp

const mostNeurons = 512;

/**
 * What the MLP's neurons write to the logits, `W_out W_U`, in the Fourier basis over the outputs: W_L of Nanda et al. 2023,
 * section 4.2, where a grokked model has little but cosines and sines of its key frequencies.
 */
export const fourierLogits = defineAnalysis({
  id: 'fourier-logits',
  title: 'Logit weights in the Fourier basis',
  description: 'Which frequencies the neurons of the last MLP write to the logits.',
  group: 'Fourier structure',
  params: frequencyParameters,
  scalars: {
    keyShare: 'fraction of the squared norm of W_out W_U, beyond the constant, at the embedding\'s key frequencies or those named; 0 where there are none',
    keyCount: 'number of key frequencies, those that stand out in the embedding or were named',
    largestFrequency: 'the frequency that holds most of the squared norm of W_out W_U',
    gini: 'Gini coefficient of the squared norms by frequency: 0 where all are the same, near 1 where few hold everything',
  },
  needs: `${modularNeeds}, and an MLP`,
  appliesTo: details => isModular(details) && !details.config.attn_only,
  python: (context, { frequencies }) => fourierLogitLines(context, frequencies),
  run({ details, model }, { frequencies }) {
    const basis = fourierBasis(modularTaskOf(details).modulus);
    const inBasis = logitWeightsInBasis(model, basis); // [p, M]
    const spectrum = spectrumOf(basis, inBasis);
    const marked = markedFrequencies(frequencies, model, basis);
    const found = standingOut(spectrum.power);
    const about = `W_out W_U of the last MLP, over the outputs.${leftOut(details.config)}`;
    return {
      figures: [
        barsByFrequency(spectrum, marked, {
          title: 'Norm of the neurons\' logit weights by frequency',
          caption: `Norm of the cosine and the sine of each frequency in ${about} The constant is left out: it adds the same to every logit. ${keySentence(marked)}`,
        }),
        barsByComponent(spectrum, {
          title: 'Norm of the neurons\' logit weights by Fourier component',
          caption: `Norm over the neurons of each vector of the Fourier basis in ${about}`,
        }),
        byNeuron(basis, inBasis, about),
      ],
      scalars: {
        keyShare: shareOf(spectrum.power, marked.frequencies),
        keyCount: marked.frequencies.length,
        largestFrequency: strongest(spectrum.power),
        gini: gini(spectrum.power),
      },
      finding: found.length === 0 ? 'no frequency stands out' : `neurons write ${found.length === 1 ? 'frequency' : 'frequencies'} ${found.join(' ')}`,
    };
  },
});

/** `W_out W_U` of the last layer over the outputs in the Fourier basis, in float64: `[p, M]`, a vector of the basis in each row. */
function logitWeightsInBasis(model: RunnableModel, { modulus, vectors }: FourierBasis): Matrix {
  const output = matrixOf({ weight: model.parameter(`blocks.${model.config.n_layers - 1}.mlp.W_out`), transposed: true }); // [D, M]
  const unembed = matrixOf({ weight: model.parameter('unembed.W_U'), transposed: true }, modulus); // [p, D]
  return product(product(vectors, unembed), output);
}

/** The neurons by the frequency that each writes most, and of those of one frequency the strongest first. */
function byNeuron(basis: FourierBasis, inBasis: Matrix, about: string): HeatmapFigure {
  const neurons = Array.from({ length: inBasis.columns }, (_, neuron) => {
    const weights = inBasis.getColumn(neuron); // [p]
    const power = sumByFrequency(basis, weights.map(weight => weight * weight)); // [F]
    return { neuron, weights, frequency: strongest(power), total: power.reduce((sum, value) => sum + value, 0) };
  }).sort((a, b) => b.total - a.total);
  const shown = neurons.slice(0, mostNeurons).sort((a, b) => a.frequency - b.frequency);
  const values = new Float32Array(shown.length * basis.modulus);
  shown.forEach(({ weights }, row) => values.set(weights, row * basis.modulus));
  const cut = neurons.length > shown.length ? ` The strongest ${shown.length} of ${neurons.length} neurons are drawn.` : '';
  return {
    kind: 'heatmap',
    title: 'Fourier components of each neuron\'s logit weights',
    caption: `${about} Neurons (rows) stand by the frequency that they write most, the strongest first.${cut}`,
    y: { title: 'Neuron', labels: shown.map(({ neuron }) => String(neuron)) },
    x: { title: 'Fourier component', labels: basis.names },
    rows: shown.length,
    columns: basis.modulus,
    values,
    scale: 'diverging',
    unit: '',
    scalar: 'keyShare',
  };
}
