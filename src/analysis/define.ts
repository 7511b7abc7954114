import type { HostTensor } from '../common/tensor';
import type { Random } from '../common/random';
import type { AnalysisInfo, AnalysisResult } from '../protocol/analysis';
import type { ModelDetails, MetricsRow } from '../protocol/model';
import type { Parameters, ValuesOf } from '../protocol/parameter';
import type { Task } from '../tasks/task';

/** A model that can be run: what analyses see of it. */
export interface RunnableModel {
  readonly details: ModelDetails;
  readonly task: Task;
  /** State-dict name → value. Throws for a name that the model does not have, with the nearest. */
  parameter(name: string): HostTensor<'float32'>;
  /**
   * Runs the model on `tokens [B, T]` and returns the logits `[B, T, U]` and the activations asked for.
   * @throws UserError for a hook that does not exist (with the nearest names), a token outside the vocabulary, or more
   * than `n_ctx` positions.
   */
  runWithCache(tokens: HostTensor<'int32'>, hooks: readonly string[]): Promise<ModelRun>;
}

export interface ModelRun {
  readonly logits: HostTensor<'float32'>;
  readonly cache: ReadonlyMap<string, HostTensor<'float32'>>;
}

/** What an analysis may use. Pure apart from these: no clocks, files or processes. */
export interface AnalysisContext {
  readonly model: RunnableModel;
  /** The rows measured while it trained, ascending in steps. */
  readonly metrics: readonly MetricsRow[];
  /** Seeded by the model and the analysis, so that the same request gives the same figures. */
  readonly random: Random;
  readonly signal: AbortSignal;
  /** Says how far it is (0 to 1), with what can be shown already. */
  progress(fraction: number, partial?: AnalysisResult): void;
}

export interface AnalysisDefinition<P extends Parameters = Parameters> {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly params: P;
  readonly scalars: Readonly<Record<string, string>>;
  /** Whether its figures change while the model trains. */
  readonly live?: boolean;
  /** Whether it makes sense for this model. */
  appliesTo(model: ModelDetails): boolean;
  run(context: AnalysisContext, params: ValuesOf<P>): Promise<AnalysisResult>;
}

/** Defines an analysis: one file, and it is a command, a panel, a sub-command and something a claim can assert. */
export function defineAnalysis<const P extends Parameters>(definition: AnalysisDefinition<P>): AnalysisDefinition<P> {
  return definition;
}

/** What crosses to other processes of an analysis. */
export function describeAnalysis({ id, title, description, params, scalars, live }: AnalysisDefinition): AnalysisInfo {
  return { id, title, description, params, scalars, live: live ?? false };
}
