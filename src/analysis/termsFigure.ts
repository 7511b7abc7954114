import type { BarsFigure, HeatmapFigure } from '../protocol/figure';
import type { Term } from './attribution';

/** More series or bars than these are a heatmap. */
const mostSeries = 4;
const mostBars = 40;

/** Terms of logits for each answer, as bars while they are few. `values`: by term, then by answer. */
export function termsFigure(
  titles: Pick<BarsFigure, 'title' | 'caption' | 'subject' | 'scalar'>, terms: readonly Term[], answers: readonly string[], values: readonly (readonly number[])[],
): BarsFigure | HeatmapFigure {
  const x = { title: 'Component', labels: terms.map(({ name }) => name), subjects: terms.map(({ subject }) => subject ?? {}) };
  if (answers.length <= mostSeries && terms.length <= mostBars) {
    const series = answers.map((name, answer) => ({ name, values: Float64Array.from(values, row => row[answer] ?? 0) }));
    return { kind: 'bars', ...titles, x, y: { title: 'Logit' }, series };
  }
  return {
    kind: 'heatmap', ...titles, x, y: { title: 'Answer read at', labels: answers }, rows: answers.length, columns: terms.length,
    values: Float32Array.from(answers.flatMap((_, answer) => values.map(row => row[answer] ?? 0))), scale: 'diverging', unit: 'logit',
  };
}
