import type { HeatmapFigure } from '../../protocol/figure';
import type { PythonContext } from '../define';
import { product } from '../weights/product';
import { heatmapOf } from './circuits';
import { headWeight, matrixOf } from '../weights/weights';

/** The scores of composition with TransformerLens; what matrices at random score is a number there, as no two generators draw the same. */
export function compositionLines(context: PythonContext, isAboveChance: boolean): readonly string[] {
  const { figure } = context;
  if (figure.kind === 'table') {
    const [first] = figure.rows;
    return [
      'scores = torch.stack([model.all_composition_scores(mode) for mode in "QKV"]).flatten()',
      `scores = scores.sort(descending=True).values[:${figure.rows.length}]`,
      ...chanceLines(Number(first?.[3]) - Number(first?.[4])),
      'figure = {"Score": scores, "Above chance": scores - chance}',
    ];
  }
  const heatmap = heatmapOf(figure);
  const mode = figure.title.charAt(0);
  const whole = [
    `scores = model.all_composition_scores("${mode}")  # [layer, head, layer, head], the writer first`,
    'heads = model.cfg.n_layers * model.cfg.n_heads',
    `scores = scores.reshape(heads, heads)[:${heatmap.rows}, :${heatmap.rows}]`,
  ];
  if (!isAboveChance) return [...whole, 'figure = scores'];
  return [
    ...whole,
    ...chanceLines(chanceOf(context, heatmap, mode)),
    `layer = torch.arange(${heatmap.rows}) // model.cfg.n_heads`,
    'figure = torch.where(layer[:, None] < layer, scores - chance, 0)',
  ];
}

function chanceLines(chance: number): readonly string[] {
  return [`chance = ${chance.toPrecision(7)}  # the mean score of matrices of these shapes with normal entries`];
}

/** What was taken off the first score of a heatmap, that of the first head of layer 1 reading the first of layer 0. */
function chanceOf({ model }: PythonContext, { values }: HeatmapFigure, mode: string): number {
  const weight = (layer: number, name: 'W_Q' | 'W_K' | 'W_V' | 'W_O', transposed = false) =>
    matrixOf({ weight: headWeight(model, { layer, head: 0 }, name), transposed });
  const wrote = product(weight(0, 'W_V'), weight(0, 'W_O'));
  const [near, far] = mode === 'Q' ? [weight(1, 'W_Q'), weight(1, 'W_K', true)] : mode === 'K' ? [weight(1, 'W_K'), weight(1, 'W_Q', true)] : [weight(1, 'W_V'), weight(1, 'W_O')];
  const read = product(near, far);
  const size = wrote.norm() * read.norm();
  return (size > 0 ? product(wrote, read).norm() / size : 0) - (values[model.config.n_heads] ?? 0);
}
