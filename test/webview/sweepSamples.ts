import type { RunCurve, SweepDetails, SweepRow, SweepRunStatus, SweepSummary } from '../../src/protocol/sweep';

/** The runs of every width with every seed, which have all been trained; wider is better, and the last seed is worst. */
export function widthRows(widths: readonly number[], seeds: readonly number[]): SweepRow[] {
  return widths.flatMap((width, i) => seeds.map((seed, j): SweepRow => ({
    index: i * seeds.length + j,
    values: { 'model.d_model': width, seed },
    model: `model-${width}-${seed}`,
    status: 'finished',
    progress: { step: 1000, steps: 1000 },
    metrics: { trainLoss: 1 / width, testLoss: 2 / width + seed / 100, testAccuracy: 1 - 1 / width, testExactMatch: 1 - 2 / width },
  })));
}

/** Trained runs that differ in their seeds alone. */
export function seedRows(count: number): SweepRow[] {
  return widthRows([8], Array.from({ length: count }, (_, seed) => seed)).map(({ values: { seed = 0 }, ...row }) => ({ ...row, values: { seed } }));
}

export function curveOf(run: number, points: readonly (readonly [step: number, value: number])[]): RunCurve {
  return { run, steps: Float64Array.from(points, ([step]) => step), values: Float64Array.from(points, ([, value]) => value), measured: points.length };
}

export function countsOf(rows: readonly SweepRow[]): SweepSummary['counts'] {
  const counts: Partial<Record<SweepRunStatus, number>> = {};
  for (const { status } of rows) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

export function sweepOf(rows: readonly SweepRow[], over: Partial<SweepDetails> = {}): SweepDetails {
  return {
    id: 's1', name: 'width-sweep', status: 'finished', fields: Object.keys(rows[0]?.values ?? {}), options: { executor: 'local', parallel: 2 },
    createdAt: 0, counts: countsOf(rows), rows, ...over,
  };
}

/** Twelve runs of which some have finished, some go on, and some went wrong. */
export const underWay: readonly SweepRow[] = widthRows([8, 16, 32, 64, 128, 256], [0, 1]).map((row): SweepRow => {
  if (row.index === 5) return { ...row, status: 'failed', metrics: {}, progress: { step: 120, steps: 1000 }, problem: 'The training diverged: its loss is no longer a number at step 120. A smaller learning rate may help.' };
  if (row.index < 7) return row;
  if (row.index < 9) return { ...row, status: 'training', progress: { step: 420 - row.index * 20, steps: 1000 }, metrics: { trainLoss: 1.25, testLoss: 1.5, testAccuracy: 0.42, testExactMatch: 0.21 } };
  return { ...row, status: 'waiting', metrics: {}, progress: { step: 0, steps: 1000 } };
});
