import { throwIfCancelled, UserError } from '../common/errors';
import { thinnedPlaces } from '../common/thinning';
import type { CurvesRequest } from '../protocol/engine';
import type { MetricsRow } from '../protocol/model';
import type { RunCurve, SweepDetails } from '../protocol/sweep';
import type { SweepMetric } from '../protocol/sweepPanel';
import type { Store } from '../store/store';

/** Points of a curve: a figure of many has no more pixels for each. */
const mostPoints = 300;

/**
 * A measurement of runs of a sweep through their training, thinned to the lowest and highest of neighbours where there are
 * very many. @throws UserError when there is no such run.
 */
export async function readCurves(
  store: Pick<Store, 'readMetrics'>, { name, rows }: Pick<SweepDetails, 'name' | 'rows'>, { metric, runs }: Omit<CurvesRequest, 'sweep'>, signal: AbortSignal,
): Promise<readonly RunCurve[]> {
  const curves: RunCurve[] = [];
  for (const run of runs) {
    const row = rows[run];
    if (!row) throw new UserError(`The sweep "${name}" has no run ${run + 1}; it has ${rows.length}.`);
    // One file after the other: other requests come in between, and nobody waits long for what is not wanted any more.
    throwIfCancelled(signal);
    curves.push(curveOf(run, await store.readMetrics(row.model), metric));
  }
  return curves;
}

function curveOf(run: number, metrics: readonly MetricsRow[], metric: SweepMetric): RunCurve {
  const points = metrics.flatMap(({ step, [metric]: value }) => value === undefined || !Number.isFinite(value) ? [] : [{ step, value }]);
  const places = thinnedPlaces(points.map(({ value }) => value), mostPoints);
  return {
    run,
    steps: Float64Array.from(places, place => points[place]?.step ?? 0),
    values: Float64Array.from(places, place => points[place]?.value ?? 0),
    measured: points.length,
  };
}
