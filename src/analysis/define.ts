import type { Random } from '../common/random';
import type { RunnableModel } from '../model/runnable';
import type { AnalysisGroup, AnalysisInfo, AnalysisResult } from '../protocol/analysis';
import type { Figure } from '../protocol/figure';
import type { ModelDetails, ModelSummary, MetricsRow } from '../protocol/model';
import type { Parameters, ValuesOf } from '../protocol/parameter';
import type { Task } from '../tasks/task';
import { tokensName } from '../tasks/tokens';

/** What an analysis may use. Pure apart from these: no clocks, files or processes. */
export interface AnalysisContext {
  readonly details: ModelDetails;
  readonly model: RunnableModel;
  readonly task: Task;
  /**
   * The model as it was at one of its checkpoints, `details.checkpoints`; what was compiled for one serves all.
   * @throws UserError for a checkpoint that does not exist or cannot be read.
   */
  atCheckpoint(step: number): Promise<RunnableModel>;
  /**
   * The model that this one started from, as it is now at the checkpoint that it started from: other weights than it
   * started with where that one was trained again since, or where `perturb` changed some. Undefined where it started from
   * none.
   * @throws UserError when it is gone or being trained again.
   */
  base(): Promise<RunnableModel | undefined>;
  /** The rows measured while it trained, ascending in steps. */
  readonly metrics: readonly MetricsRow[];
  /** Seeded by the model and the analysis, so that the same request gives the same figures. */
  readonly random: Random;
  readonly signal: AbortSignal;
  /** Says how far it is (0 to 1), with what can be shown already; that is made only when it is time to show it. */
  progress(fraction: number, partial?: () => AnalysisResult): void;
}

/**
 * What the lines of Python are about. They find `model`, a HookedTransformer with the model's weights, and what they name of
 * `torch`, `einops` and TransformerLens already imported (`pythonCode.ts`).
 */
export interface PythonContext extends Pick<AnalysisContext, 'details' | 'model' | 'task' | 'random'> {
  /** The figure whose lines are asked for, one of those that `run` gave with the same parameters; its place among them. */
  readonly figure: Figure;
  readonly index: number;
}

/** Lines of Python whose last gives `figure` its numbers, or why a figure has none: a clause that goes on a sentence, as in "it was measured …". */
export type PythonLines = readonly string[] | { readonly reason: string };

export interface AnalysisDefinition<P extends Parameters = Parameters> {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly group: AnalysisGroup;
  readonly params: P;
  /** Name → what it measures. */
  readonly scalars: Readonly<Record<string, string>>;
  /** Whether its figures change while the model trains. */
  readonly live?: boolean;
  /** False for one that reads no weights, and so is the same at every checkpoint. */
  readonly atCheckpoint?: boolean;
  /** Whether its results, with the parameters' defaults, have badges for the tree. */
  readonly badges?: boolean;
  /** What a model must have for it to apply, as in "two layers at least"; absent where it applies to all. */
  readonly needs?: string;
  /** Whether it measures something by right answers, which a model that is bound to no task has not. */
  readonly needsAnswers?: true;
  /** Whether it tells apart what the model was trained on, which of one that was imported may not be known. */
  readonly needsSplit?: true;
  /** Whether it makes sense for this model, if it has the answers that it needs. */
  appliesTo(model: Pick<ModelDetails, 'config' | 'experiment'>): boolean;
  /**
   * Lines of Python that compute one of its figures with TransformerLens. They leave in `figure` a tensor of its numbers, or a
   * dictionary of tensors: one a series of lines or bars, one a numeric column of a table. Absent where no figure has any.
   */
  python?(context: PythonContext, params: ValuesOf<P>): PythonLines;
  run(context: AnalysisContext, params: ValuesOf<P>): Promise<AnalysisResult> | AnalysisResult;
}

/** Defines an analysis: one file, and it is a command, a panel, a sub-command and something a claim can assert. */
export function defineAnalysis<const P extends Parameters>(definition: AnalysisDefinition<P>): AnalysisDefinition<P> {
  return definition;
}

/** What crosses to other processes of an analysis. */
export function describeAnalysis({ id, title, description, group, params, scalars, live, atCheckpoint, badges }: AnalysisDefinition): AnalysisInfo {
  return { id, title, description, group, params, scalars, live: live ?? false, atCheckpoint: atCheckpoint ?? true, badges: badges ?? false };
}

/** A model, or what an experiment would train, which has no summary yet. */
export interface AnalysedModel extends Pick<ModelDetails, 'config' | 'experiment'> {
  readonly summary?: Pick<ModelSummary, 'source'>;
}

/** What a model must have for an analysis to apply; undefined where it applies. */
export function unmetNeed({ needsAnswers, needsSplit, needs, appliesTo }: AnalysisDefinition, model: AnalysedModel): string | undefined {
  if (needsAnswers && model.experiment.task.name === tokensName) return 'right answers, and this model is bound to no task; bind it to one';
  if (!appliesTo(model)) return needs ?? 'another model';
  const { source } = model.summary ?? {};
  return needsSplit && source && !source.splitIsKnown ? 'to know which examples the model was trained on, and of this one that is not known; bind it with its seed' : undefined;
}

/** The scalars of a result, without those that cannot be told. */
export function knownScalars(scalars: Readonly<Record<string, number | undefined>>): Record<string, number> {
  return Object.fromEntries(Object.entries(scalars).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
