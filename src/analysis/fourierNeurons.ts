import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../common/errors';
import { int32 } from '../common/tensor';
import type { RunnableModel } from '../model/runnable';
import type { HeatmapFigure, TableFigure } from '../protocol/figure';
import { defineAnalysis } from './define';
import { fourierBasis, type FourierBasis } from './fourier/basis';
import { allPairs, modularTaskOf, type ModularTask } from './fourier/modular';
import { chosenLayer, explainedNeurons, hasModularNeurons, layerParameter, neuronActivations, neuronNeeds, type NeuronLayer } from './fourier/neurons';
import { explanationOf, largestTerms, pairHeatmap, spectrumHeatmap } from './fourier/pairFigures';
import { explainedVariance, pairSpectra, withNumbers, type ExplainedFunction, type PairFunction } from './fourier/pairSpectra';
import { fourierNeuronLines } from './python/neurons';

// p modulus · n chosen neurons

/** What single neurons compute of a and b, and which waves make it up. */
export const fourierNeurons = defineAnalysis({
  id: 'fourier-neurons',
  title: 'Neurons in the Fourier basis',
  description: 'Activations of chosen neurons at = over all pairs, and their spectra in the 2D Fourier basis (Nanda et al. 2023).',
  group: 'Fourier structure',
  live: true,
  params: {
    neurons: { kind: 'text', title: 'Neurons', description: 'Numbers separated by spaces, as in "0 1 2", at most 8. Leave it empty for the neurons that one frequency explains best, each of another frequency.', default: '' },
    ...layerParameter,
    point: { kind: 'choice', title: 'Activation', description: 'Before or after the activation function.', options: ['pre', 'post'], default: 'post' },
  },
  scalars: {
    explained: 'of the fraction of its variance that a neuron\'s best frequency explains, the mean over the neurons shown; 0 for one without variance',
  },
  needs: neuronNeeds,
  appliesTo: hasModularNeurons,
  python: (context, { point }) => fourierNeuronLines(context, point, mostTerms),
  async run({ details, model }, { neurons: named, layer: asked, point }) {
    const task = modularTaskOf(details);
    const basis = fourierBasis(task.modulus);
    const of: NeuronLayer = { layer: chosenLayer(details.config, asked), point: point === 'pre' ? 'pre' : 'post' };
    const chosen = namedNeurons(named, details.config.d_mlp ?? 0, of.layer);
    const neurons = await readNeurons(model, basis, task, of, chosen.length > 0 ? chosen : telling((await explainedNeurons(model, task, of)).functions));
    return {
      figures: [
        ...neurons.flatMap(neuron => neuronFigures(basis, of, neuron)),
        termsTable(basis, of, neurons),
      ],
      scalars: { explained: neurons.reduce((sum, { explained }) => sum + explained, 0) / neurons.length },
    };
  },
});

const mostNeurons = 8;
/** How many are shown where none is named. */
const mostTelling = 4;
const mostTerms = 5;

/** The neurons named in a text, each once. @throws UserError for one that the layer does not have, or for too many. */
function namedNeurons(text: string, M: number, layer: number): readonly number[] {
  const words = text.split(/[\s,]+/).filter(word => word !== '');
  const neurons = [...new Set(words.map(word => {
    const neuron = /^\d{1,9}$/.test(word) ? Number(word) : M;
    if (neuron < M) return neuron;
    throw new UserError(`There is no neuron "${word}" in layer ${layer}; it has ${M}, counted from 0.`);
  }))];
  if (neurons.length <= mostNeurons) return neurons;
  throw new UserError(`${neurons.length} neurons are named; at most ${mostNeurons} are shown at once.`);
}

/** The neurons best explained, one a frequency. */
function telling(functions: readonly ExplainedFunction[]): readonly number[] {
  const frequencies = new Set<number>();
  return functions
    .map((each, neuron) => ({ ...each, neuron }))
    .sort((a, b) => b.explained - a.explained)
    .filter(({ frequency }) => !frequencies.has(frequency) && frequencies.add(frequency))
    .slice(0, mostTelling)
    .map(({ neuron }) => neuron);
}

interface ReadNeuron extends PairFunction {
  readonly neuron: number;
}

async function readNeurons(model: RunnableModel, basis: FourierBasis, task: ModularTask, of: NeuronLayer, chosen: readonly number[]): Promise<readonly ReadNeuron[]> {
  const [values, coefficients, ...measures] = await model.compute(`fourier neurons ${of.layer} ${of.point}`, (weights, tokens, neurons) => {
    if (!tokens || !neurons) throw new Error('the neurons take the pairs and their numbers');
    const activations = tf.gather(neuronActivations(model.config, task.modulus, weights, tokens, of), neurons, 1); // [p², n]
    const { coefficients, measures } = pairSpectra(basis, activations);
    return [tf.transpose(activations), tf.transpose(coefficients), ...measures];
  }, [allPairs(task), int32([chosen.length], Int32Array.from(chosen))]);
  const functions = explainedVariance(basis, measures).functions.map((each, at) => ({ ...each, neuron: chosen[at] ?? 0 }));
  return withNumbers(functions, values, coefficients);
}

function neuronFigures(basis: FourierBasis, { layer, point }: NeuronLayer, neuron: ReadNeuron): readonly HeatmapFigure[] {
  const heading = { subject: { layer }, scalar: 'explained' };
  const [name, explanation] = [`neuron ${neuron.neuron} of layer ${layer}, ${point}`, explanationOf(neuron)];
  return [
    pairHeatmap(basis.modulus, neuron.values, { ...heading, unit: 'activation', title: `Activation of ${name}`, caption: `At = for every pair. ${explanation}` }, 'diverging'),
    spectrumHeatmap(basis, neuron.coefficients, {
      ...heading, unit: 'coefficient', title: `Spectrum of ${name}`, caption: `F X Fᵀ in the orthonormal Fourier basis, without the constant term. ${explanation}`,
    }),
  ];
}

/** The largest terms of each neuron. */
function termsTable(basis: FourierBasis, { layer, point }: NeuronLayer, neurons: readonly ReadNeuron[]): TableFigure {
  return {
    kind: 'table', title: `Largest terms of the neurons of layer ${layer}, ${point}`, subject: { layer },
    caption: 'Products of waves in a and in b by the size of their coefficients, and the fraction of the neuron\'s variance that each is.',
    columns: [{ title: 'Neuron', numeric: true }, { title: 'Term', numeric: false }, { title: 'Coefficient', numeric: true }, { title: 'Fraction of variance', numeric: true }],
    rows: neurons.flatMap(({ neuron, coefficients }) => largestTerms(basis, coefficients, mostTerms).map(({ name, coefficient, fraction }) => [neuron, name, coefficient, fraction])),
  };
}
