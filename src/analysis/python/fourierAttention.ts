import type { PythonContext } from '../define';
import { modularTaskOf } from '../fourier/modular';
import { basisLines, explainedLines, pairFunctionLines, pairLines } from './fourier';

/** The attention of `=` over all pairs, with TransformerLens. */
export function fourierAttentionLines({ details, figure }: PythonContext): readonly string[] {
  const { modulus } = modularTaskOf(details);
  const { layer, head } = figure.subject ?? {};
  const basis = basisLines(modulus);
  const run = '_, cache = model.run_with_cache(pairs, names_filter=lambda name: name.endswith("hook_pattern"))';
  const every = 'attention = torch.cat([cache["pattern", layer][:, :, -1] for layer in range(model.cfg.n_layers)], dim=1)  # [p², heads, 3]';
  if (figure.kind === 'table') {
    return [`p = ${modulus}`, ...pairLines, run, every, 'figure = dict(zip(("To a", "To b", "To ="), attention.mean(dim=0).T))'];
  }
  if (layer === undefined || head === undefined) {
    return [...basis, ...pairLines, run, every, 'x = attention[:, :, :2].double().reshape(p, p, -1)  # to a and to b of each head', ...explainedLines, 'figure = explained.T'];
  }
  const source = figure.title.endsWith(' to a') ? 0 : 1;
  return [...basis, ...pairLines, run, `x = cache["pattern", ${layer}][:, ${head}, -1, ${source}].double().reshape(p, p)`, ...pairFunctionLines(figure.title)];
}
