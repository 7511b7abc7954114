import type { InferredField, Layout } from '../../protocol/checkpointFile';
import type { ModelConfig } from '../../protocol/config';
import type { MetricsRow } from '../../protocol/model';
import type { Weights } from '../checkpoints';

/** What tells of a model beside the tensors of its file. */
export interface ImportOptions {
  /** What a config file holds, parsed: a HookedTransformerConfig as a dictionary, or a Hugging Face `config.json`. */
  readonly config?: unknown;
  /** What to call that file; absent: `config.json`. */
  readonly configName?: string;
  /** Fields of the config that people gave, which count before the file's; and `layout`, where that is to be told too. */
  readonly given?: Readonly<Record<string, unknown>>;
}

export interface ImportedCheckpoint {
  readonly step: number;
  /** Reads them. @throws UserError as {@link ImportedState.weights} does. */
  weights(): Promise<Weights>;
}

/** The model that a file of tensors holds. Its numbers stay in the file until they are asked for. */
export interface ImportedState {
  readonly layout: Layout;
  readonly config: ModelConfig;
  /** Every field of the config that matters, and what told it: "default" where nothing did. */
  readonly inferred: readonly InferredField[];
  /**
   * Reads the model's weights, under TransformerLens' names and in its shapes, as float32.
   * @throws UserError when one of them is not finite, or the file has changed meanwhile.
   */
  weights(): Promise<Weights>;
  /** By ascending steps, the last with the model's own weights; none where the file holds one state. */
  readonly checkpoints: readonly ImportedCheckpoint[];
  /** Losses that lie beside the checkpoints. */
  readonly metrics?: readonly MetricsRow[];
}
