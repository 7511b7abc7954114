/** One axis of a tensor, as in `head 4`. How many examples a batch has is up to whoever runs the model. */
export interface Axis {
  readonly name: string;
  readonly size?: number;
}

/** An activation at a hook point, or a parameter, of a model. */
export interface NamedTensor {
  readonly name: string;
  readonly kind: 'hook' | 'parameter';
  readonly axes: readonly Axis[];
  /** What it is, in one line. */
  readonly description: string;
  /** Whether the engine can draw it: TransformerLens has hook points that are computed only on demand, and that are not kept here. */
  readonly drawn: boolean;
}

/** What TransformerLens calls a hook point or parameter that some models have and this one does not. */
export interface MissingTensor {
  readonly name: string;
  /** Why it has none, as in "it has no MLPs". */
  readonly reason: string;
}

/** The names that a program may call parts of a model by. */
export interface ModelTensors {
  readonly n_layers: number;
  readonly n_heads: number;
  readonly tensors: readonly NamedTensor[];
  readonly missing: readonly MissingTensor[];
}

/** A tensor, of which head where it has heads. */
export interface PictureRequest {
  readonly model: string;
  readonly name: string;
  readonly head?: number;
}

/** The most rows and columns of a {@link Picture}. */
export const pictureRows = 64;
export const pictureColumns = 96;

/** A small matrix to draw, as wide as it reads at a glance: what is larger is averaged. */
export interface Picture {
  readonly rows: number;
  readonly columns: number;
  /** `[rows, columns]`, finite; 0 where `empty` says that there is nothing. */
  readonly values: Float32Array;
  /** `[rows, columns]`: 1 where there is no number, as where attention is forbidden. */
  readonly empty?: Uint8Array;
  /** How many heads lie side by side, each as wide as the others. */
  readonly panels: number;
  /** Colours from 0 to 1, or below and above 0. */
  readonly scale: 'attention' | 'diverging';
  /** What its rows and columns are, in words. */
  readonly legend: string;
  /** Of all finite numbers of the tensor, before anything was averaged. */
  readonly minimum: number;
  readonly maximum: number;
  readonly mean: number;
  /** The prompt that an activation is of, in words. */
  readonly prompt?: string;
}
