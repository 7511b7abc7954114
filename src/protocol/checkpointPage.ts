import * as v from 'valibot';
import { sliceLimit, type CheckpointFile, type SliceRequest, type TensorSlice, type TensorStatistics } from './checkpointFile';
import { exportFormats, type ExportFormat } from './panel';

// What the page of a file of weights and the extension say to each other.

/** A slice of a tensor of the page's file. */
export type PageSlice = Omit<SliceRequest, 'file'>;

/** From the extension to the page. */
export type ToCheckpointPage =
  /** What the file holds, at first and whenever it has changed: what was told of its tensors before is true no more. */
  | { readonly kind: 'file'; readonly file: CheckpointFile; readonly changed: boolean }
  | { readonly kind: 'statistics'; readonly tensor: string; readonly statistics: TensorStatistics }
  /** Why a tensor has no statistics. */
  | { readonly kind: 'noStatistics'; readonly tensor: string; readonly message: string }
  /** What was asked for last. */
  | { readonly kind: 'slice'; readonly asked: PageSlice; readonly slice: TensorSlice }
  | { readonly kind: 'noSlice'; readonly asked: PageSlice; readonly message: string }
  /** Why the file cannot be shown, and whether it can be worth another try. */
  | { readonly kind: 'problem'; readonly message: string; readonly final: boolean };

/** From the page to the extension, which checks every field before it believes it. */
export type FromCheckpointPage =
  | { readonly kind: 'ready' }
  /** The reader wants the file to be opened once more, and an engine that is down to be started. */
  | { readonly kind: 'again' }
  /** Tell the statistics of these tensors, in this order, instead of what was asked for before. */
  | { readonly kind: 'statistics'; readonly tensors: readonly string[] }
  /** Tell this slice, instead of what was asked for before. */
  | { readonly kind: 'slice'; readonly slice: PageSlice }
  /** Make a model of the file. */
  | { readonly kind: 'import' }
  | { readonly kind: 'save'; readonly name: string; readonly format: ExportFormat; readonly content: string | Uint8Array }
  | { readonly kind: 'failed'; readonly message: string };

/** Tensors whose statistics a page asks for at once. */
export const tensorsLimit = 200;

const natural = v.pipe(v.number(), v.integer(), v.minValue(0));
const tensorName = v.pipe(v.string(), v.maxLength(100_000));
const range = v.strictObject({ from: natural, count: v.pipe(natural, v.minValue(1), v.maxValue(sliceLimit)) });
const PageSliceSchema = v.strictObject({ tensor: tensorName, index: v.pipe(v.array(natural), v.maxLength(100)), rows: range, columns: range });

const FromCheckpointPageSchema = v.variant('kind', [
  v.strictObject({ kind: v.literal('ready') }),
  v.strictObject({ kind: v.literal('again') }),
  v.strictObject({ kind: v.literal('statistics'), tensors: v.pipe(v.array(tensorName), v.maxLength(tensorsLimit)) }),
  v.strictObject({ kind: v.literal('slice'), slice: PageSliceSchema }),
  v.strictObject({ kind: v.literal('import') }),
  v.strictObject({
    kind: v.literal('save'),
    name: v.pipe(v.string(), v.minLength(1), v.maxLength(1000)),
    format: v.picklist(exportFormats),
    content: v.union([v.string(), v.instance(Uint8Array)]),
  }),
  v.strictObject({ kind: v.literal('failed'), message: v.string() }),
]) satisfies v.GenericSchema<unknown, FromCheckpointPage>;

/** The message if it is one; a page that sends anything else is not believed. */
export function readCheckpointMessage(message: unknown): FromCheckpointPage | undefined {
  const result = v.safeParse(FromCheckpointPageSchema, message);
  return result.success ? result.output : undefined;
}

/** How a file is looked at, which VS Code keeps across a reload. */
const StateSchema = v.object({
  filter: v.fallback(v.optional(v.pipe(v.string(), v.maxLength(1000))), undefined),
  /** The tensor that is selected, and where in it the heatmap is. */
  tensor: v.fallback(v.optional(tensorName), undefined),
  index: v.fallback(v.optional(v.pipe(v.array(natural), v.maxLength(100))), undefined),
  row: v.fallback(v.optional(natural), undefined),
  column: v.fallback(v.optional(natural), undefined),
});
export interface CheckpointPageState {
  readonly filter?: string | undefined;
  readonly tensor?: string | undefined;
  readonly index?: readonly number[] | undefined;
  readonly row?: number | undefined;
  readonly column?: number | undefined;
}

/** What VS Code kept of a page, as far as it still makes sense. */
export function readCheckpointState(state: unknown): CheckpointPageState {
  const result = v.safeParse(StateSchema, state);
  return result.success ? result.output : {};
}
