import type { LinesFigure, Series } from '../../src/protocol/figure';
import { curvesLimit, runLabel, type RunCurve, type SweepRow } from '../../src/protocol/sweep';
import type { SweepMetric } from '../../src/protocol/sweepPanel';
import { formatInteger } from '../numbers';
import { isLoss, metricTitles } from './columns';
import { hasModel } from './row';

/** More lines than these are no longer told apart by a legend. */
const mostNamed = 12;

/** A measurement of the runs of a sweep through their training: a line for each that has begun, those that go on among them. */
export function curvesFigure(
  { rows, metric, curves }: { readonly rows: readonly SweepRow[]; readonly metric: SweepMetric; readonly curves: readonly RunCurve[] },
): LinesFigure {
  const drawn = new Map(drawnRuns(rows).map(row => [row.index, row]));
  const shown = curves.filter(({ run }) => drawn.has(run));
  const series = shown.flatMap(({ run, ...curve }): Series[] => {
    const places = [...curve.values.keys()].filter(place => !isLoss(metric) || (curve.values[place] ?? 0) > 0);
    const at = (numbers: Float64Array) => Float64Array.from(places, place => numbers[place] ?? 0);
    return places.length === 0 ? [] : [{ name: runLabel(drawn.get(run)?.values ?? {}) || `run ${run + 1}`, x: at(curve.steps), y: at(curve.values) }];
  });
  const crowd = series.length > mostNamed;
  const begun = begunRuns(rows).length;
  const isThinned = shown.some(({ measured, steps }) => measured > steps.length);
  const title = metricTitles[metric];
  return {
    kind: 'lines',
    title: `${title} through training`,
    caption: [
      'A line for each run that has begun',
      ...(crowd ? [': point at a line, or walk along it with the arrow keys, to see which run it is'] : []),
      '.',
      ...(begun > curvesLimit ? [` The first ${curvesLimit} of ${formatInteger(begun)} runs.`] : []),
      ...(isThinned ? [' Of many measurements, the lowest and highest of neighbours.'] : []),
    ].join(''),
    x: { title: 'Step' },
    y: { title, logarithmic: isLoss(metric) },
    series,
    ...(crowd ? { crowd } : {}),
  };
}

/** The runs that have a line: of very many the first. */
export function drawnRuns(rows: readonly SweepRow[]): readonly SweepRow[] {
  return begunRuns(rows).slice(0, curvesLimit);
}

/** Runs with a model; of those that share one, the first. */
function begunRuns(rows: readonly SweepRow[]): readonly SweepRow[] {
  const first = new Map<string, SweepRow>();
  for (const row of rows) if (hasModel(row) && !first.has(row.model)) first.set(row.model, row);
  return [...first.values()];
}
