import type { Figure } from './figure';
import type { Parameters, ParameterValues } from './parameter';

/** What there is to know of an analysis without running it. */
export interface AnalysisInfo {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly params: Parameters;
  /** Name → what it measures. */
  readonly scalars: Readonly<Record<string, string>>;
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
}

export interface AnalysisRequest {
  readonly model: string;
  readonly analysis: string;
  readonly params: Readonly<Partial<ParameterValues>>;
  /** The step of a checkpoint; absent: the newest weights. */
  readonly checkpoint?: number;
}
