import type { PythonContext } from '../define';
import { fourierBasis } from '../fourier/basis';
import { markedFrequencies } from '../fourier/keyFrequencies';
import { modularTaskOf } from '../fourier/modular';
import { heatmapOf } from './circuits';
import { basisLines, keyLines } from './fourier';
import { spectrumBarLines } from './fourierEmbedding';

/** What the neurons write to the logits in the Fourier basis, with TransformerLens. */
export function fourierLogitLines({ details, model, figure }: PythonContext, given: string): readonly string[] {
  const basis = fourierBasis(modularTaskOf(details).modulus);
  const weights = [...basisLines(basis.modulus), 'neurons = fourier @ (model.W_out[-1].double() @ model.W_U[:, :p].double()).T  # [p, d_mlp]'];
  if (figure.kind === 'bars') {
    const withKeys = figure.series.length > 1;
    const keys = withKeys ? keyLines(markedFrequencies(given, model, basis).frequencies) : [];
    return [...weights, ...keys, ...spectrumBarLines('neurons', figure.title.endsWith('component'), withKeys)];
  }
  return [
    ...weights,
    'power = torch.stack([(neurons[frequency == k] ** 2).sum(dim=0) for k in range(1, p // 2 + 1)])  # [p // 2, d_mlp]',
    `order = power.sum(dim=0).argsort(descending=True)[:${heatmapOf(figure).rows}]`,
    'order = order[power.argmax(dim=0)[order].argsort(stable=True)]  # by frequency, the strongest first',
    'figure = neurons.T[order]',
  ];
}
