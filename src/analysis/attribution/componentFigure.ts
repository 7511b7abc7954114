import type { BarsFigure, HeatmapFigure } from '../../protocol/figure';
import type { Term } from './attribution';
import type { LabelledAxis } from './logitContrast';

/** With more series or bars than these it is a heatmap. */
const mostSeries = 4;
const mostBars = 40;

interface Shown extends Pick<BarsFigure, 'title' | 'caption' | 'subject' | 'scalar'> {
  /** What a value is, and in which unit. */
  readonly quantity: string;
  readonly components: readonly Term[];
  readonly answers: LabelledAxis;
  /** By component, then by answer. */
  readonly values: readonly (readonly number[])[];
  readonly scale: HeatmapFigure['scale'];
}

/** A number for each component and answer: bars, a series an answer, while they are few. */
export function componentFigure({ quantity, components, answers, values, scale, ...titles }: Shown): BarsFigure | HeatmapFigure {
  const x = { title: 'Component', labels: components.map(({ name }) => name), subjects: components.map(({ subject }) => subject ?? {}) };
  if (answers.labels.length <= mostSeries && components.length <= mostBars) {
    const series = answers.labels.map((name, answer) => ({ name, values: Float64Array.from(values, row => row[answer] ?? 0) }));
    return { kind: 'bars', ...titles, x, y: { title: quantity }, series };
  }
  return {
    kind: 'heatmap', ...titles, x, y: answers, rows: answers.labels.length, columns: components.length,
    values: Float32Array.from(answers.labels.flatMap((_, answer) => values.map(row => row[answer] ?? 0))), scale, unit: quantity,
  };
}
