import type { HeatmapFigure } from '../protocol/figure';

/** Heatmaps that are read together, in colours of one scale that reaches at least `least`: what is faint in one is faint in all. */
export function onCommonScale(figures: readonly HeatmapFigure[], least = 0): readonly HeatmapFigure[] {
  const reach = figures.reduce((most, { values }) => values.reduce((larger, value) => Math.max(larger, Math.abs(value)), most), least);
  return figures.map(figure => ({ ...figure, reach }));
}
