import { median } from '../common/median';
import type { BarsFigure, HeatmapFigure, LinesFigure, TableFigure } from '../protocol/figure';
import { defineAnalysis } from './define';
import { allFrequencies } from './fourier/basis';
import { modularTaskOf } from './fourier/modular';
import { chosenLayer, explainedNeurons, hasModularNeurons, layerParameter, neuronNeeds } from './fourier/neurons';
import type { ExplainedFunction, ExplainedVariance } from './fourier/pairSpectra';
import { neuronFrequencyLines } from './python/neurons';

// F frequencies · M d_mlp

/** Which neurons compute with which frequency. */
export const neuronFrequencies = defineAnalysis({
  id: 'neuron-frequencies',
  title: 'Neuron frequencies',
  description: 'The fraction of each neuron\'s variance over all pairs, at = and after the activation function, that a single frequency explains, and the clusters of neurons of one frequency (Nanda et al. 2023, neuron clusters).',
  group: 'Fourier structure',
  live: true,
  params: {
    ...layerParameter,
    threshold: { kind: 'number', title: 'Threshold', description: 'A neuron is in a frequency\'s cluster where this explains more of its variance.', default: 0.85, minimum: 0.5, maximum: 1, slider: true },
  },
  scalars: {
    explained: 'fraction of the live neurons whose variance one frequency explains beyond the threshold',
    medianExplained: 'of the fraction of its variance that a neuron\'s best frequency explains, the median over live neurons',
    clusters: 'number of frequencies that have a neuron in their cluster',
    deadNeurons: 'number of neurons without variance; they count in nothing else',
  },
  needs: neuronNeeds,
  appliesTo: hasModularNeurons,
  python: (context, { threshold }) => neuronFrequencyLines(context, threshold),
  async run({ details, model }, { layer: asked, threshold }) {
    const layer = chosenLayer(details.config, asked);
    const task = modularTaskOf(details);
    const measured = await explainedNeurons(model, task, { layer, point: 'post' });
    const neurons = sorted(measured.functions, threshold);
    const live = neurons.filter(({ varies }) => varies);
    const clustered = neurons.filter(({ isClustered }) => isClustered);
    const clusters = allFrequencies(task.modulus).map(frequency => ({ frequency, members: clustered.filter(neuron => neuron.frequency === frequency) }));
    const shown: Shown = { of: `of layer ${layer}`, layer, threshold, neurons, clusters };
    return {
      figures: [fractionsFigure(measured, shown), bestFigure(live, shown), countsFigure(shown), clustersTable(live.length, shown)],
      scalars: {
        explained: live.length > 0 ? clustered.length / live.length : 0,
        medianExplained: median(live.map(({ explained }) => explained)),
        clusters: clusters.filter(({ members }) => members.length > 0).length,
        deadNeurons: neurons.length - live.length,
      },
    };
  },
});

interface Neuron extends ExplainedFunction {
  readonly neuron: number;
  readonly isClustered: boolean;
}

interface Shown {
  readonly of: string;
  readonly layer: number;
  readonly threshold: number;
  /** All of the layer, cluster by cluster. */
  readonly neurons: readonly Neuron[];
  /** One a frequency, empty ones too. */
  readonly clusters: readonly { readonly frequency: number; readonly members: readonly Neuron[] }[];
}

/** Neurons cluster by cluster, the best explained first; then those that are in none, then the dead. */
function sorted(neurons: readonly ExplainedFunction[], threshold: number): readonly Neuron[] {
  const rank = ({ isClustered, varies }: Neuron) => (isClustered ? 0 : varies ? 1 : 2);
  return neurons
    .map((each, neuron): Neuron => ({ ...each, neuron, isClustered: each.explained > threshold }))
    .sort((a, b) => rank(a) - rank(b) || a.frequency - b.frequency || b.explained - a.explained);
}

function fractionsFigure({ fractions, functions: { length: M } }: ExplainedVariance, { of, layer, neurons, clusters }: Shown): HeatmapFigure {
  return {
    kind: 'heatmap', title: `Variance of the neurons ${of} explained by each frequency`, subject: { layer }, scalar: 'medianExplained',
    caption: 'Fraction of a neuron\'s variance over all pairs that lies in the products of 1, cos k and sin k in a and in b; sorted by cluster, then those in none. Neurons without variance are last and have no values.',
    y: { title: 'Frequency k', labels: clusters.map(({ frequency }) => String(frequency)) }, x: { title: 'Neuron', labels: neurons.map(({ neuron }) => String(neuron)) },
    rows: clusters.length, columns: M, scale: 'sequential', reach: 1, unit: 'fraction',
    values: Float32Array.from(clusters.flatMap((_, k) => neurons.map(({ neuron }) => fractions[k * M + neuron] ?? 0))),
    present: Uint8Array.from(clusters.flatMap(() => neurons.map(({ varies }) => Number(varies)))),
  };
}

function bestFigure(live: readonly Neuron[], { of, layer, threshold }: Shown): LinesFigure {
  const y = Float64Array.from(live, ({ explained }) => explained).sort();
  const first = y.findIndex(explained => explained > threshold);
  return {
    kind: 'lines', title: `Variance explained by the best frequency of each neuron ${of}`, subject: { layer }, scalar: 'explained',
    caption: 'The largest fraction that one frequency explains, of the live neurons in ascending order.',
    x: { title: 'Neurons, in the order of this fraction' }, y: { title: 'Fraction' },
    series: [{ name: 'best frequency', x: Float64Array.from(y, (_, at) => at), y }],
    marks: first < 0 ? [] : [{ x: first, label: `above ${threshold}` }],
  };
}

function countsFigure({ of, layer, threshold, clusters }: Shown): BarsFigure {
  return {
    kind: 'bars', title: `Neurons ${of} in each frequency's cluster`, subject: { layer }, scalar: 'clusters',
    caption: `Neurons of whose variance the frequency explains more than ${threshold}.`,
    x: { title: 'Frequency', labels: clusters.map(({ frequency }) => String(frequency)) }, y: { title: 'Neurons' },
    series: [{ name: 'neurons', values: Float64Array.from(clusters, ({ members }) => members.length) }],
  };
}

/** A row of the table names no more neurons than these. */
const mostNamed = 8;

function clustersTable(live: number, { of, layer, neurons, clusters }: Shown): TableFigure {
  const filled = clusters.filter(({ members }) => members.length > 0);
  const rest = live - filled.reduce((sum, { members }) => sum + members.length, 0);
  return {
    kind: 'table', title: `Clusters of the neurons ${of}`, subject: { layer },
    caption: `Of ${live} live neurons ${rest} are in no cluster; ${neurons.length - live} have no variance.`,
    columns: [{ title: 'Frequency', numeric: true }, { title: 'Neurons', numeric: true }, { title: 'Mean fraction explained', numeric: true }, { title: 'Best explained', numeric: false }],
    rows: filled.map(({ frequency, members }) => [
      frequency, members.length, members.reduce((sum, { explained }) => sum + explained, 0) / members.length,
      members.slice(0, mostNamed).map(({ neuron }) => neuron).join(' '),
    ]),
  };
}
