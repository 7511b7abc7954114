import type { LinesFigure } from '../../protocol/figure';
import type { PythonContext } from '../define';
import { modularTaskOf } from '../fourier/modular';
import { answerLines, basisLines, pairLines } from './fourier';
import { pythonList, pythonTexts } from './written';

/** The Python of what one checkpoint adds to a figure of progress measures; undefined for what is measured of training. */
export function progressLines({ details }: Pick<PythonContext, 'details'>, figure: LinesFigure): readonly string[] | undefined {
  const task = modularTaskOf(details);
  const names = figure.series.map(({ name }) => name);
  const keys = names.flatMap(name => /^frequency (\d+)$/.exec(name)?.[1] ?? []).map(Number);
  const of = (values: string): readonly string[] => [
    `keys = ${pythonList(keys)}`,
    `values = ${values}`,
    'others = [k for k in range(1, p // 2 + 1) if k not in keys]',
    'figure = {f"frequency {k}": values[k - 1] for k in keys}',
    ...(names.some(name => name.startsWith('largest')) ? [`figure["${keys.length > 0 ? 'largest other' : 'largest'}"] = max((values[k - 1] for k in others), key=abs)`] : []),
  ];
  const cosines = [
    ...basisLines(task.modulus), ...pairLines, ...answerLines(task),
    'logits = model(pairs)[:, -1, :p].double()  # [p², p]',
    'difference = ((answers[:, None] - torch.arange(p)) % p).double()  # of the right answer and each output',
    'cosines = torch.stack([torch.cos(2 * torch.pi * k * difference / p) for k in range(1, p // 2 + 1)])  # [frequency, p², p]',
    'cosines = cosines / cosines.norm(dim=(1, 2), keepdim=True)',
    'coefficients = (logits * cosines).sum((1, 2))',
  ];
  const written = [...(details.checkpoints.length > 1 ? ['# The figure has this of every checkpoint, and this is one of them.'] : [])];
  switch (figure.title) {
    case 'Cosine similarity of the logits': return [
      ...written, ...cosines, ...of('coefficients / logits.norm()'),
      'figure["residual"] = (logits - torch.einsum("k,kbc->bc", coefficients, cosines)).norm() / logits.norm()',
      'figure = {name: value[None] for name, value in figure.items()}',
    ];
    case 'Cosine coefficients of the logits': return [...written, ...cosines, ...of('coefficients'), 'figure = {name: value[None] for name, value in figure.items()}'];
    case 'Weight norms': return [
      ...written,
      'parts = {"embed": "embedding", "pos_embed": "embedding", "attn": "attention", "mlp": "MLP", "unembed": "unembedding"}',
      `figure = {part: torch.zeros(1) for part in ${pythonTexts(names)}}`,
      'for name, weight in model.named_parameters():',
      '    place = name.split(".")[2] if name.startswith("blocks.") else name.split(".")[0]',
      '    for part in ("all", parts.get(place, "norms")):',
      '        figure[part] = figure[part] + (weight**2).sum()',
    ];
    case 'Sparsity of the embedding': return [
      ...written, ...basisLines(task.modulus),
      'power = ((fourier @ model.W_E[:p].double()) ** 2).sum(-1)  # of each wave',
      'norms = torch.stack([power[frequency == k].sum() for k in range(1, p // 2 + 1)]).sqrt().sort().values',
      'rank = torch.arange(1, len(norms) + 1)',
      'figure = {"embedding": ((2 * rank - len(norms) - 1) * norms).sum()[None] / (len(norms) * norms.sum())}',
    ];
    default: return undefined;
  }
}
