import type { ModelSource } from './checkpointFile';
import type { Architecture, ModelConfig } from './config';
import type { Experiment, SourcePlace } from './experiment';
import type { ParameterValues } from './parameter';

/**
 * Where a model stands. `training`, `paused`: a trainer process is alive. `stopped`: by the user, resumable.
 * `interrupted`: its process ended without saying so; resumable. `failed`: it said why.
 */
export const modelStatuses = ['training', 'paused', 'finished', 'stopped', 'interrupted', 'failed'] as const;
export type ModelStatus = (typeof modelStatuses)[number];

/** Losses are means, in nats, or of squared errors where answers are numbers; accuracies are fractions. Absent until first measured. */
export interface Metrics {
  readonly trainLoss?: number;
  readonly testLoss?: number;
  /** Fraction of the answer positions that are right. */
  readonly testAccuracy?: number;
  /** Fraction of the examples that are right whole. */
  readonly testExactMatch?: number;
}
export type MetricName = keyof Metrics;

export interface Progress {
  readonly step: number;
  readonly steps: number;
  readonly secondsPerStep?: number;
}

/** The model whose weights another one started from: at a checkpoint, or at its end. */
export interface ModelOrigin {
  readonly id: string;
  /** What it was called then. */
  readonly name: string;
  readonly checkpoint?: number;
}

/** What the list of models shows of each. */
export interface ModelSummary {
  readonly id: string;
  readonly name: string;
  readonly task: string;
  readonly status: ModelStatus;
  readonly progress: Progress;
  readonly metrics: Metrics;
  readonly n_layers: number;
  readonly n_heads: number;
  readonly attn_only: boolean;
  /** Absent where it started from weights of its own. */
  readonly from?: ModelOrigin;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Absolute path of its folder. */
  readonly path: string;
  /** Whether it stopped short and has a checkpoint to go on from. */
  readonly resumable: boolean;
  /** Why it failed, in one sentence. */
  readonly problem?: string;
  /** Where in a file of people's own it failed, such as a task module. */
  readonly problemSource?: SourcePlace;
  /** Where its weights come from; absent where they were trained here. */
  readonly source?: ModelSource;
  /** Another one once the model has another task; absent where a model keeps the task that it was trained on. */
  readonly taskKey?: string;
}

export interface ParameterSummary {
  readonly name: string;
  readonly shape: readonly number[];
  readonly trainable: boolean;
}

export interface ParameterCounts {
  readonly total: number;
  readonly trainable: number;
}

/** A model opened: everything but its numbers. */
export interface ModelDetails {
  readonly summary: ModelSummary;
  readonly experiment: ResolvedExperiment;
  readonly config: ModelConfig;
  readonly parameters: readonly ParameterSummary[];
  /** Steps at which there is a checkpoint, ascending. */
  readonly checkpoints: readonly number[];
}

/** The words of a model's task: what its positions and tokens are called. */
export interface ModelWords {
  /** What stands at each position, made unique: `↵ (4)` where two have one name. */
  readonly positions: readonly string[];
  /** The positions whose logits are scored, ascending. */
  readonly answerPositions: readonly number[];
  /** Token id → word. */
  readonly vocabulary: readonly string[];
  /** The task's ways to corrupt a prompt. */
  readonly corruptions: readonly string[];
  /** How large a graph can be that a prompt of the task holds, where it holds one. */
  readonly graph?: { readonly vertices: number; readonly maximumEdges: number };
}

/** An experiment with the task's parameters and every default written out; what the model's id is a hash of. */
export interface ResolvedExperiment extends Omit<Experiment, 'task' | 'name' | 'sweep' | 'from' | 'model'> {
  readonly name: string;
  readonly model: Architecture;
  readonly from?: ModelOrigin;
  /** `module`: of a task module, the hash of all that decides what it makes. */
  readonly task: { readonly name: string; readonly parameters: ParameterValues; readonly module?: string };
}

/** One line of a run's metrics. */
export interface MetricsRow extends Metrics {
  /** Steps done when it was measured; the loss at step 0 is of the untrained model. */
  readonly step: number;
  /** Seconds of training so far, over all the times it was resumed. */
  readonly seconds: number;
}
