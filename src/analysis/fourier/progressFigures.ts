import type { Figure, LinesFigure, Series } from '../../protocol/figure';
import type { CheckpointMeasures } from './checkpointMeasures';
import type { ModularTask } from './modular';
import type { Phases } from './phases';
import { weightParts } from './weightNorms';

/** A training and a test loss that belong to one step. */
export type LossesAt = Pick<CheckpointMeasures, 'step' | 'trainLoss' | 'testLoss'>;

export interface ProgressShown {
  readonly task: ModularTask;
  readonly keys: readonly number[];
  /** What was recorded while it trained, ascending in steps; there before any checkpoint is measured, and at more steps. */
  readonly recorded: readonly LossesAt[];
  /** Ascending in steps; those that are there yet. */
  readonly measures: readonly CheckpointMeasures[];
  /** Known once all checkpoints are there. */
  readonly phases?: Phases;
  /** What is missing, in sentences, to be said under the losses. */
  readonly missing: readonly string[];
}

/** The measures as curves over the training, the ends of the phases marked in each; without figures that have no curve yet. */
export function progressFigures({ task, keys, recorded, measures, phases, missing }: ProgressShown): readonly Figure[] {
  const curve = (name: string, value: (measured: CheckpointMeasures) => number | undefined) => curveThrough(measures, name, value);
  const losses = recorded.length > 0 ? recorded : measures;
  const lines = (title: string, caption: string, y: LinesFigure['y'], series: readonly Series[], scalar?: string): LinesFigure => ({
    kind: 'lines', title, caption, x: { title: 'Step' }, y, series: series.filter(({ x }) => x.length > 0), marks: marksOf(phases),
    ...(scalar !== undefined && { scalar }),
  });
  const byFrequency = (of: (measured: CheckpointMeasures) => Float64Array) => [
    ...keys.map(key => curve(`frequency ${key}`, measured => of(measured)[key - 1])),
    curve(keys.length > 0 ? 'largest other' : 'largest', measured => largestOther(of(measured), keys)),
  ];
  const cosine = `cos(2πk(${task.answer} − c)/${task.modulus})`;
  const restricted = 'Restricted keeps of the neurons at = only their waves of the key frequencies; excluded takes those away.';
  const figures = [
    lines('Losses', [`Mean cross-entropy in nats.${keys.length > 0 ? ` ${restricted}` : ''}`, ...missing].join(' '), { title: 'Loss', logarithmic: true }, [
      curveThrough(losses, 'train', ({ trainLoss }) => trainLoss),
      curveThrough(losses, 'test', ({ testLoss }) => testLoss),
      curve('restricted', ({ restrictedLoss }) => restrictedLoss),
      curve('excluded', ({ excludedLoss }) => excludedLoss),
    ], 'testLoss'),
    lines('Cosine similarity of the logits', `With ${cosine} of each frequency k; the residual is the share of the logits' norm that no frequency explains.`, { title: 'Similarity' }, [
      ...byFrequency(({ similarities }) => similarities), curve('residual', ({ residual }) => residual),
    ], 'residual'),
    lines('Cosine coefficients of the logits', `Of ${cosine}, normed, for each frequency k.`, { title: 'Coefficient' }, byFrequency(({ coefficients }) => coefficients)),
    ...(keys.length > 0 ? [lines('Restricted loss to test loss', 'Restricted loss over test loss: near 1 where the key frequencies do all the work.', { title: 'Ratio', logarithmic: true }, [
      curve('restricted / test', ({ restrictedRatio }) => restrictedRatio),
    ], 'restrictedRatio')] : []),
    lines('Weight norms', 'Sums of squared weights, of all and by part.', { title: 'Sum of squares' }, [
      curve('all', ({ weightNorms }) => [...weightNorms.values()].reduce((sum, value) => sum + value, 0)),
      ...weightParts.map(part => curve(part, ({ weightNorms }) => weightNorms.get(part))),
    ]),
    lines('Sparsity of the embedding', 'Gini coefficient of the norms of the embedding at each frequency: 0 where all are the same, towards 1 where few hold everything.', { title: 'Gini coefficient' }, [
      curve('embedding', measured => measured.gini),
    ], 'gini'),
  ];
  return figures.filter(({ series }) => series.length > 0);
}

function curveThrough<T extends { readonly step: number }>(points: readonly T[], name: string, value: (point: T) => number | undefined): Series {
  const there = points.flatMap(point => {
    const y = value(point);
    return y === undefined ? [] : [{ x: point.step, y }];
  });
  return { name, x: Float64Array.from(there, ({ x }) => x), y: Float64Array.from(there, ({ y }) => y) };
}

function marksOf({ memorisationEnd, circuitFormationEnd, cleanupEnd }: Phases = {}): NonNullable<LinesFigure['marks']> {
  return [
    { x: memorisationEnd, label: 'memorisation ends' },
    { x: circuitFormationEnd, label: 'circuit formation ends' },
    { x: cleanupEnd, label: 'clean-up ends' },
  ].flatMap(({ x, label }) => (x === undefined ? [] : [{ x, label }]));
}

/** The largest by size of what belongs to the frequencies that are not key. */
function largestOther(values: Float64Array, keys: readonly number[]): number | undefined {
  return values.reduce<number | undefined>((largest, value, index) => {
    if (keys.includes(index + 1)) return largest;
    return largest === undefined || Math.abs(value) > Math.abs(largest) ? value : largest;
  }, undefined);
}
