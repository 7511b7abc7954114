import type { PythonContext } from '../define';
import { fourierBasis } from '../fourier/basis';
import { embeddingPower, markedFrequencies } from '../fourier/keyFrequencies';
import { modularTaskOf } from '../fourier/modular';
import { byPower } from '../fourier/spectrum';
import { basisLines, keyLines } from './fourier';

/** The embedding in the Fourier basis with TransformerLens. */
export function fourierEmbeddingLines({ details, model, figure }: PythonContext, given: string, shownOtherwise: number): readonly string[] {
  const basis = fourierBasis(modularTaskOf(details).modulus);
  const { frequencies: keys } = markedFrequencies(given, model, basis);
  const closer = keys.length > 0 ? keys : byPower(embeddingPower(model, basis)).slice(0, shownOtherwise).toSorted((one, other) => one - other);
  const embedding = [...basisLines(basis.modulus), 'embedding = fourier @ model.W_E[:p].double()  # [p, d_model]'];
  switch (figure.kind) {
    case 'bars': return [...embedding, ...(figure.series.length > 1 ? keyLines(keys) : []), ...spectrumBarLines('embedding', figure.title.endsWith('component'), figure.series.length > 1)];
    case 'heatmap':
      if (!figure.title.startsWith('Dot products')) return [...embedding, 'figure = embedding'];
      return [...embedding, ...keyLines(closer), 'chosen = embedding[torch.isin(frequency, keys)]', 'figure = chosen @ chosen.T'];
    case 'table': return [
      ...embedding,
      'norms = embedding.norm(dim=-1)',
      'power = torch.bincount(frequency, weights=norms**2)[1:]',
      'order = power.argsort(descending=True)',
      'figure = {"Frequency": order + 1, "Share": power[order] / power.sum(), "Norm": power[order].sqrt(), "Norm of cosine": norms[2 * order + 1]}',
      'figure["Norm of sine"] = torch.cat([norms, torch.zeros(1)])[2 * order + 2]',
    ];
    default: {
      const [wave, row] = figure.title.startsWith('Cosines') ? ['cos', '2 * k - 1'] : ['sin', '2 * k'];
      return [...basisLines(basis.modulus), ...keyLines(closer), `figure = {f"${wave} {k}": fourier[${row}] for k in keys if ${row} < p}`];
    }
  }
}

/** Norms of a weight `[p, …]` in the basis: by vector of the basis, or by frequency, the key frequencies a second time. */
export function spectrumBarLines(weight: string, byComponent: boolean, withKeys: boolean): readonly string[] {
  if (byComponent) return [`figure = {"norm": ${weight}.norm(dim=-1)}`];
  return [
    `norms = torch.bincount(frequency, weights=${weight}.norm(dim=-1)**2)[1:].sqrt()  # cosine and sine of each frequency together`,
    'figure = {"norm": norms}',
    ...(withKeys ? ['figure["norm of key frequencies"] = norms.where(torch.isin(torch.arange(1, p // 2 + 1), keys), 0)'] : []),
  ];
}
