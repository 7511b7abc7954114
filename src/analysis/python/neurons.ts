import { int32 } from '../../common/tensor';
import type { PythonContext } from '../define';
import { modularTaskOf } from '../fourier/modular';
import { basisLines, explainedLines, pairFunctionLines, pairLines } from './fourier';
import { tensorLines } from './written';

/** The activations of a layer's neurons at `=`: `x [p, p, d_mlp]`. */
function neuronLines(modulus: number, layer: number, point: string): readonly string[] {
  return [
    ...basisLines(modulus),
    ...pairLines,
    `_, cache = model.run_with_cache(pairs, names_filter="blocks.${layer}.mlp.hook_${point}")`,
    `x = cache["${point}", ${layer}][:, -1].double().reshape(p, p, -1)`,
  ];
}

/** Single neurons over all pairs, with TransformerLens. */
export function fourierNeuronLines({ details, figure }: PythonContext, point: string, mostTerms: number): readonly string[] {
  const activations = neuronLines(modularTaskOf(details).modulus, figure.subject?.layer ?? 0, point);
  if (figure.kind === 'heatmap') {
    const neuron = /neuron (\d+) /.exec(figure.title)?.[1] ?? '0';
    return [...activations, `x = x[:, :, ${neuron}]`, ...pairFunctionLines(figure.title)];
  }
  const neurons = [...new Set((figure.kind === 'table' ? figure.rows : []).map(row => row[0]))];
  return [
    ...activations,
    'rows = []',
    `for neuron in (${neurons.join(', ')},):`,
    '    spectrum = (fourier @ (x[:, :, neuron] - x[:, :, neuron].mean()) @ fourier.T).flatten()',
    `    largest = spectrum[spectrum.abs().topk(${mostTerms}).indices]`,
    '    rows += [(neuron, term, term**2 / (spectrum**2).sum()) for term in largest.tolist()]',
    'figure = dict(zip(("Neuron", "Coefficient", "Fraction of variance"), torch.tensor(rows).T))',
  ];
}

/** Which neurons compute with which frequency, with TransformerLens. */
export function neuronFrequencyLines({ details, figure }: PythonContext, threshold: number): readonly string[] {
  const measured = [
    ...neuronLines(modularTaskOf(details).modulus, figure.subject?.layer ?? 0, 'post'),
    ...explainedLines,
    'best, at = explained.max(dim=0)',
  ];
  const members = `members = [best[(at == k) & (best > ${threshold})] for k in range(p // 2)]  # by frequency, k counted from 0`;
  switch (figure.kind) {
    case 'heatmap': return [
      ...measured,
      '# Cluster by cluster, then the neurons in none, then the dead.',
      ...tensorLines('order', int32([figure.columns], Int32Array.from(figure.x.labels ?? [], Number))),
      'figure = explained[:, order]',
    ];
    case 'lines': return [...measured, 'figure = {"best frequency": best[varies].sort().values}'];
    case 'bars': return [...measured, members, 'figure = {"neurons": [len(fractions) for fractions in members]}'];
    default: return [
      ...measured,
      members,
      'filled = [(k + 1, len(fractions), fractions.mean()) for k, fractions in enumerate(members) if len(fractions) > 0]',
      'figure = dict(zip(("Frequency", "Neurons", "Mean fraction explained"), torch.tensor(filled).reshape(-1, 3).T))',
    ];
  }
}
