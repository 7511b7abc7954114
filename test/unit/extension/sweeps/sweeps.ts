import type { SweepDetails, SweepRow } from '../../../../src/protocol/sweep';

export function sweepRow(index: number, over: Partial<SweepRow> = {}): SweepRow {
  return {
    index, values: { seed: index }, model: `m${index}`, status: 'finished', progress: { step: 10, steps: 10 }, metrics: { testLoss: 1 / (1 + index) }, ...over,
  };
}

/** A sweep of two runs, of which one has finished. */
export function sweepDetails(over: Partial<SweepDetails> = {}): SweepDetails {
  return {
    id: 's', name: 'seeds', status: 'running', fields: ['seed'], options: { executor: 'local', parallel: 2 }, createdAt: 1_700_000_000_000,
    counts: { finished: 1, training: 1 }, rows: [sweepRow(0), sweepRow(1, { status: 'training', progress: { step: 5, steps: 10 } })], ...over,
  };
}
