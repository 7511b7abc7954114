import type { Figure } from './figure';
import type { Parameters, ParameterValues } from './parameter';

/** Under which heading lists show an analysis; in their order. */
export const analysisGroups = ['Training', 'Attention', 'Attribution', 'Weights', 'Fourier structure', 'Interventions'] as const;
export type AnalysisGroup = (typeof analysisGroups)[number];

/** What belongs to analyses under their headings, in the headings' order, without the headings that have none. */
export function byAnalysisGroup<T>(items: readonly T[], groupOf: (item: T) => AnalysisGroup): readonly { readonly group: AnalysisGroup; readonly members: readonly T[] }[] {
  return analysisGroups
    .map(group => ({ group, members: items.filter(item => groupOf(item) === group) }))
    .filter(({ members }) => members.length > 0);
}

/** What there is to know of an analysis without running it. */
export interface AnalysisInfo {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly group: AnalysisGroup;
  readonly params: Parameters;
  /** Name → what it measures. */
  readonly scalars: Readonly<Record<string, string>>;
  /** Whether it has something to say of each head, in a word or two, for the tree. */
  readonly badges: boolean;
  /** Whether it changes while the model trains, so that an open panel should be run again. */
  readonly live: boolean;
  /** Whether it shows the model as it was at a checkpoint, so that one can be chosen. */
  readonly atCheckpoint: boolean;
}

export interface TaskInfo {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly params: Parameters;
}

export interface AnalysisResult {
  readonly figures: readonly Figure[];
  readonly scalars: Readonly<Record<string, number>>;
  /** In a few words which of several things was found, as in "composes through the keys". */
  readonly finding?: string;
  readonly badges?: readonly HeadBadge[];
  /** Beside what it was compared with; absent where that was not asked for. */
  readonly comparison?: Comparison;
}

/** What the same analysis gave of another model or checkpoint, or the sentence that says why it gave nothing. */
export type Comparison = Compared | (Pick<Compared, 'names'> & { readonly problem: string });

export interface Compared {
  /** What to call the two: "step 1,000", or "modular-addition, newest weights" where the models differ. */
  readonly names: readonly [string, string];
  /** The other's figure beside each figure of the result; null where it has none like it. */
  readonly figures: readonly (Figure | null)[];
  /** What there is to draw of each figure's difference, this less the other; none where it would mean nothing. */
  readonly differences: readonly (readonly Figure[])[];
  /** Figures that only the other has. */
  readonly others: readonly Figure[];
  /** The other's scalars and finding. */
  readonly scalars: Readonly<Record<string, number>>;
  readonly finding?: string;
}

/** What an analysis says of one head beside its row in the tree: "induction 0.93". */
export interface HeadBadge {
  readonly layer: number;
  readonly head: number;
  readonly text: string;
}

export interface AnalysisRequest {
  readonly model: string;
  readonly analysis: string;
  readonly params: Readonly<Partial<ParameterValues>>;
  /** The step of a checkpoint; absent: the newest weights. */
  readonly checkpoint?: number;
  /** What to compare it with: the same analysis of another checkpoint, or of another model. */
  readonly against?: ModelPoint;
}

/** A model at a checkpoint; without one, at its newest weights. */
export interface ModelPoint {
  readonly model: string;
  readonly checkpoint?: number;
}
