import type { AnalysisInfo, ModelPoint } from '../../protocol/analysis';
import type { ModelDetails, ModelSummary } from '../../protocol/model';
import type { PanelState } from '../../protocol/panel';
import type { ModelTarget } from '../contributions';
import { distinctName } from '../distinctName';
import { formatCount } from '../format';
import { modelDescription } from '../models/modelRows';

export interface ComparisonItem {
  readonly label: string;
  readonly description: string;
  readonly against: ModelPoint;
}

export interface ComparisonGroup {
  readonly title: string;
  readonly items: readonly ComparisonItem[];
}

/**
 * What a panel can be compared with, under headings: the model's checkpoints in the order of training, of which the one
 * that is shown is left out, and other models with their newest weights. What reads no weights has no checkpoints.
 */
export function comparisonChoices(
  { model, checkpoint, against }: PanelState, { atCheckpoint }: Pick<AnalysisInfo, 'atCheckpoint'>, { summary, checkpoints }: ModelDetails, others: readonly ModelSummary[],
): readonly ComparisonGroup[] {
  const now = (point: ModelPoint) => against?.model === point.model && against.checkpoint === point.checkpoint ? ['compared now'] : [];
  const points: readonly ModelPoint[] = atCheckpoint ? [...checkpoints.map(step => ({ model, checkpoint: step })), { model }] : [];
  const own = points.filter(point => point.checkpoint !== checkpoint).map(point => ({
    label: point.checkpoint === undefined ? 'Newest weights' : `Step ${formatCount(point.checkpoint)}`,
    description: now(point).join(),
    against: point,
  }));
  const models = others.filter(({ id }) => id !== model).map(other => ({
    label: distinctName(other, [summary, ...others]),
    description: [modelDescription(other), ...now({ model: other.id })].join(' · '),
    against: { model: other.id },
  }));
  return [{ title: `Checkpoints of ${summary.name}`, items: own }, { title: 'Other models', items: models }].filter(({ items }) => items.length > 0);
}

/** The point that a row of the tree stands for, if the panel could be compared with it: it does not show that already. */
export function comparisonPoint({ model, checkpoint }: PanelState, { atCheckpoint }: Pick<AnalysisInfo, 'atCheckpoint'>, target: ModelTarget): ModelPoint | undefined {
  const step = atCheckpoint ? target.checkpoint : undefined;
  if (target.model === model && (!atCheckpoint || step === checkpoint)) return undefined;
  return { model: target.model, ...(step === undefined ? {} : { checkpoint: step }) };
}
