import type { SweepControl } from './engine';
import type { ExportFormat } from './panel';
import type { RunCurve, SweepChange, SweepDetails, sweepMetrics } from './sweep';

export type SweepMetric = (typeof sweepMetrics)[number];

/** In the place of a swept field: the figure has the runs through their training. No path of a field has a space. */
export const throughTraining = 'training steps';

/** By which column the rows stand in order; absent: as the sweep has them. */
export interface SweepSorting {
  /** A column's name, as the page gives it. */
  readonly column: string;
  readonly direction: 'ascending' | 'descending';
}

/** A sweep and how it is looked at; also what VS Code keeps of its panel across a reload. */
export interface SweepPanelState {
  readonly sweep: string;
  /** What the runs are compared by; absent: the first that any has. */
  readonly metric?: SweepMetric;
  /** The swept field along the x axis of the figure, or `throughTraining`; absent: what the sweep is most likely about. */
  readonly field?: string;
  readonly sorting?: SweepSorting;
}

/** What a sweep's panel can do with its sweep. */
export type SweepPanelControl = Exclude<SweepControl, 'forget'>;

export const tableFormats = ['csv', 'md'] as const;
export type TableFormat = (typeof tableFormats)[number];
/** The formats of all that panels save. */
export type SavedFormat = ExportFormat | TableFormat;

/** What a sweep's panel can export. */
export type SweepExport =
  | { readonly what: 'table'; readonly format: TableFormat }
  | { readonly what: 'figure'; readonly format: ExportFormat };

/** From the extension to a sweep's panel. */
export type ToSweepPanel =
  | { readonly kind: 'sweep'; readonly state: SweepPanelState; readonly sweep: SweepDetails }
  | { readonly kind: 'change'; readonly change: SweepChange }
  /** The curves that were asked for last. */
  | { readonly kind: 'curves'; readonly metric: SweepMetric; readonly curves: readonly RunCurve[] }
  | { readonly kind: 'problem'; readonly message: string }
  /** Save the table or the figure: the panel answers with `save`. */
  | { readonly kind: 'export'; readonly export: SweepExport };

/** From a sweep's panel to the extension, which checks every field before it believes it. */
export type FromSweepPanel =
  | { readonly kind: 'ready' }
  /** The sweep is looked at in this way now. */
  | { readonly kind: 'state'; readonly state: SweepPanelState }
  | { readonly kind: 'control'; readonly action: SweepPanelControl }
  /** Tell a measurement of these runs through their training, instead of what was asked for before. */
  | { readonly kind: 'curves'; readonly metric: SweepMetric; readonly runs: readonly number[] }
  /** Show the model that a run trains. */
  | { readonly kind: 'open'; readonly model: string }
  | { readonly kind: 'save'; readonly name: string; readonly format: SavedFormat; readonly content: string | Uint8Array }
  | { readonly kind: 'failed'; readonly message: string };
