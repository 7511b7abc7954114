import type { BarsFigure, HeatmapFigure } from '../protocol/figure';
import type { Term } from './attribution';

/** With more series or bars than these it is a heatmap. */
const mostSeries = 4;
const mostBars = 40;

interface Shown extends Pick<BarsFigure, 'title' | 'caption' | 'subject' | 'scalar'> {
  /** What a value is, and in which unit. */
  readonly quantity: string;
  readonly components: readonly Term[];
  /** Names of the answers. */
  readonly answers: readonly string[];
  /** By component, then by answer. */
  readonly values: readonly (readonly number[])[];
  readonly scale: HeatmapFigure['scale'];
}

/** A number for each component and answer: bars, a series an answer, while they are few. */
export function componentFigure({ quantity, components, answers, values, scale, ...titles }: Shown): BarsFigure | HeatmapFigure {
  const x = { title: 'Component', labels: components.map(({ name }) => name), subjects: components.map(({ subject }) => subject ?? {}) };
  if (answers.length <= mostSeries && components.length <= mostBars) {
    const series = answers.map((name, answer) => ({ name, values: Float64Array.from(values, row => row[answer] ?? 0) }));
    return { kind: 'bars', ...titles, x, y: { title: quantity }, series };
  }
  return {
    kind: 'heatmap', ...titles, x, y: { title: 'Answer read at', labels: answers }, rows: answers.length, columns: components.length,
    values: Float32Array.from(answers.flatMap((_, answer) => values.map(row => row[answer] ?? 0))), scale, unit: quantity,
  };
}
