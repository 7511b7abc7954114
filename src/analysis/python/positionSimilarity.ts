import type { PythonContext } from '../define';
import { modularTaskOf } from '../fourier/modular';
import { pairLines } from './fourier';

/** How alike the model treats (a, b) and (b, a), with TransformerLens. */
export function swappedLines({ details, figure, model: { config } }: PythonContext): readonly string[] {
  const task = modularTaskOf(details);
  const last = config.n_layers - 1;
  const run = [`p = ${task.modulus}`, ...pairLines, 'logits, cache = model.run_with_cache(pairs)'];
  const difference = [
    'def difference(x):  # of (a, b) and (b, a), over the mean of their norms',
    '    x = x[:, -1].double().reshape(p, p, -1)',
    '    norms = x.norm(dim=-1)',
    '    return (2 * (x - x.transpose(0, 1)).norm(dim=-1) / (norms + norms.T)).nan_to_num()',
  ];
  if (figure.kind === 'heatmap') return [...run, ...difference, `figure = difference(cache["post", ${last}])`];
  const activations = [`cache["attn_out", ${last}]`, ...(config.attn_only ? [] : [`cache["pre", ${last}]`, `cache["post", ${last}]`]), 'logits[..., :p]'];
  return [
    ...run, ...difference,
    `differences = torch.stack([difference(x) for x in (${activations.join(', ')})])`,
    'figure = {"Mean": differences.sum(dim=(1, 2)) / (p * (p - 1)), "Largest": differences.amax(dim=(1, 2))}',
  ];
}
