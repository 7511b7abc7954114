import { countText, formatCount } from '../format';
import type { SweepRunStatus, SweepSummary } from '../../protocol/sweep';

/** `12/24 runs finished · 1 failed`: where a sweep stands. */
export function sweepDescription({ status, counts }: SweepSummary): string {
  const total = totalRuns(counts);
  const finished = counts.finished ?? 0;
  const parts = [
    ...(status === 'stopped' ? ['stopped'] : []),
    finished === total ? `${countText(total, 'run')} finished` : `${formatCount(finished)}/${formatCount(total)} runs finished`,
    ...(['failed', 'interrupted'] as const satisfies readonly SweepRunStatus[])
      .flatMap(ended => (counts[ended] ?? 0) > 0 ? [`${formatCount(counts[ended] ?? 0)} ${ended}`] : []),
  ];
  return parts.join(' · ');
}

export function totalRuns(counts: SweepSummary['counts']): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
