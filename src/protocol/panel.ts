import type { AnalysisInfo, AnalysisResult, ModelPoint } from './analysis';
import type { ModelSummary, ModelWords } from './model';
import type { ParameterValues } from './parameter';

/** What a panel shows; also what VS Code keeps of it across a reload. */
export interface PanelState {
  readonly model: string;
  readonly analysis: string;
  readonly params: Readonly<Partial<ParameterValues>>;
  readonly checkpoint?: number;
  /** Whether the model's panels all show the same checkpoint. */
  readonly linked?: boolean;
  /** What it is compared with. */
  readonly against?: ModelPoint;
  /** How the two are shown; absent: side by side. */
  readonly view?: ComparisonView;
}

/** Two figures beside each other, or their difference. */
export const comparisonViews = ['sides', 'difference'] as const;
export type ComparisonView = (typeof comparisonViews)[number];

/** The same compared with another model or checkpoint, or with nothing. */
export function comparedWith(state: PanelState, against: ModelPoint | undefined): PanelState {
  const { against: _, ...rest } = state;
  return against === undefined ? rest : { ...rest, against };
}

/** The same at another checkpoint; `undefined` for the newest weights. */
export function atCheckpoint(state: PanelState, checkpoint: number | undefined): PanelState {
  const { checkpoint: _, ...rest } = state;
  return checkpoint === undefined ? rest : { ...rest, checkpoint };
}

/** A head picked in any panel or in the tree, and so picked everywhere. */
export interface HeadSelection {
  readonly model: string;
  readonly layer: number;
  readonly head: number;
}

/** From the extension to a panel. */
export type ToPanel =
  | {
      readonly kind: 'show';
      readonly state: PanelState;
      readonly analysis: AnalysisInfo;
      readonly model: ModelSummary;
      readonly words: ModelWords;
      /** The analyses that fit the model: what a cell can be opened in. */
      readonly applicable: readonly AnalysisInfo[];
      /** Steps that have a checkpoint, ascending. */
      readonly checkpoints: readonly number[];
      readonly selection?: HeadSelection;
    }
  /** What it shows has changed elsewhere: in a panel that it is linked with. */
  | { readonly kind: 'state'; readonly state: PanelState }
  | { readonly kind: 'working'; readonly fraction?: number; readonly message?: string }
  /** What was found at the checkpoint, which while someone scrubs is not always the one that is wanted by now. */
  | { readonly kind: 'result'; readonly result: AnalysisResult; readonly partial: boolean; readonly checkpoint?: number }
  | { readonly kind: 'problem'; readonly message: string }
  | { readonly kind: 'model'; readonly model: ModelSummary; readonly checkpoints: readonly number[] }
  | { readonly kind: 'select'; readonly selection: HeadSelection }
  /** Save all figures (a command, or a test): the panel answers with `save`. */
  | { readonly kind: 'export'; readonly format: ExportFormat; readonly figure: number };

export const exportFormats = ['png', 'svg', 'csv', 'json'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** From a panel to the extension, which checks every field before it believes it. */
export type FromPanel =
  | { readonly kind: 'ready' }
  | { readonly kind: 'change'; readonly params: Readonly<Record<string, unknown>>; readonly checkpoint?: number }
  /** Show the checkpoint as soon as the figures on their way are there; those are still wanted. */
  | { readonly kind: 'move'; readonly checkpoint?: number }
  | { readonly kind: 'link'; readonly linked: boolean }
  /** Choose what to compare with. */
  | { readonly kind: 'compare' }
  | { readonly kind: 'stopComparing' }
  /** The two are shown in this way now. */
  | { readonly kind: 'view'; readonly view: ComparisonView }
  | { readonly kind: 'select'; readonly layer: number; readonly head: number }
  /** Open another analysis, or this one, of the same model and checkpoint with these parameters. */
  | { readonly kind: 'open'; readonly analysis: string; readonly params: Readonly<Record<string, unknown>> }
  /** Copy a claim that asserts what a figure shows. */
  | { readonly kind: 'claim'; readonly figure: number }
  /** Copy the code that computes a figure with TransformerLens. */
  | { readonly kind: 'code'; readonly figure: number }
  | { readonly kind: 'save'; readonly name: string; readonly format: ExportFormat; readonly content: string | Uint8Array }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'failed'; readonly message: string };
