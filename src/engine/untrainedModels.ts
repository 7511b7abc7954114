import * as v from 'valibot';
import { UserError } from '../common/errors';
import type { ModelSource } from '../protocol/checkpointFile';
import { ArchitectureSchema, type ModelConfig } from '../protocol/config';
import { TrainingSchema } from '../protocol/experiment';
import type { Metrics, MetricsRow, ResolvedExperiment } from '../protocol/model';
import type { ModelRecord } from '../store/modelRecord';
import { versions } from './versions';
import { sourceText } from './words/source';

/** What is known of a model whose weights come from elsewhere. */
export interface UntrainedModel {
  readonly name: string;
  readonly config: ModelConfig;
  readonly task: ResolvedExperiment['task'];
  /** Which of the task's examples are its test set; absent: 0. */
  readonly seed?: number;
  /** That of its last checkpoint, 0 where it has none. */
  readonly step: number;
  readonly metrics: Metrics;
  readonly source: ModelSource;
}

/** The record of a model that was not trained here: as one that has come to its end, in no steps. */
export function untrainedRecord({ name, config, task, seed = 0, step, metrics, source }: UntrainedModel): Omit<ModelRecord, 'id'> {
  return {
    format: 1,
    name,
    experiment: {
      name,
      seed,
      task,
      model: v.parse(v.object(ArchitectureSchema.entries), config),
      training: v.parse(TrainingSchema, { steps: 0 }),
      claims: [],
    },
    config,
    status: 'finished',
    progress: { step, steps: step },
    metrics,
    createdAt: Date.now(),
    versions,
    source,
  };
}

/** What was measured in a row, where there is one. */
export function metricsOf(row: MetricsRow | undefined): Metrics {
  if (!row) return {};
  const { step: _, seconds: __, ...metrics } = row;
  return metrics;
}

/**
 * Refuses what only a model has that was trained here. `what` is that, as in "training to resume".
 * @throws UserError for a model whose weights come from elsewhere.
 */
export function checkTrainedHere({ name, source }: Pick<ModelRecord, 'name' | 'source'>, what: string): void {
  if (source) throw new UserError(`"${name}" has no ${what}: it was ${sourceText(source)}. An experiment can start from it, with "from".`);
}
