import * as v from 'valibot';
import type { ModelConfig } from './config';
import type { ParameterValues } from './parameter';

// Files of weights that others have written: what is shown of them, and how they become models.

/** Element types of tensors in files, under PyTorch's names. */
export const elementTypes = ['float64', 'float32', 'float16', 'bfloat16', 'int64', 'int32', 'int16', 'int8', 'uint8', 'bool'] as const;
export type ElementType = (typeof elementTypes)[number];
/** Those whose elements are whole numbers, or true or false. */
export const wholeTypes: readonly ElementType[] = ['int64', 'int32', 'int16', 'int8', 'uint8', 'bool'];

/** How a file holds its tensors: `safetensors`, or the zip that `torch.save` writes. */
export const fileFormats = ['safetensors', 'torch'] as const;
export type FileFormat = (typeof fileFormats)[number];

export interface TensorSummary {
  /** In a torch file the path to it, as in `state_dicts.3.embed.W_E`. */
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
}

/** What a file of weights holds, without any of its numbers. */
export interface CheckpointFile {
  /** Absolute. */
  readonly path: string;
  readonly format: FileFormat;
  /** Bytes. */
  readonly size: number;
  /** What it says of itself, in its order; names and texts are whatever its author wrote. */
  readonly metadata: readonly (readonly [name: string, text: string])[];
  readonly tensors: readonly TensorSummary[];
  /** In a word or two what it is recognised as, as in "TransformerLens, 1 layer"; or in a sentence why it cannot become a model. */
  readonly recognised: { readonly as: string } | { readonly problem: string };
}

/** What the numbers of a tensor are like. What is not finite counts in no mean and no histogram. */
export interface TensorStatistics {
  readonly elements: number;
  /** Elements that were looked at: all of them, or of a very large tensor evenly spread ones. */
  readonly sampled: number;
  readonly nan: number;
  readonly positiveInfinities: number;
  readonly negativeInfinities: number;
  readonly zeros: number;
  /** Absent where no element is finite, here and below. */
  readonly minimum?: number;
  readonly maximum?: number;
  readonly mean?: number;
  /** Of all of them, not of a sample: divided by their number. */
  readonly standardDeviation?: number;
  /** How many lie in each of equally wide bins from the minimum to the maximum. */
  readonly histogram: readonly number[];
}

/** A matrix out of a tensor: its last two axes, at an index of each axis before; a tensor of one axis is one row. */
export interface SliceRequest {
  readonly file: string;
  readonly tensor: string;
  /** Of every axis but the last two. */
  readonly index: readonly number[];
  readonly rows: { readonly from: number; readonly count: number };
  readonly columns: { readonly from: number; readonly count: number };
}

/** The most rows, and columns, of a slice. */
export const sliceLimit = 512;

export interface TensorSlice {
  readonly rows: number;
  readonly columns: number;
  /** `[rows, columns]`, row-major; 0 where an element is not finite. */
  readonly values: Float32Array;
  /** The same as they are, of types whose elements float32 does not hold; absent: `values` are. */
  readonly precise?: Float64Array;
  /** Where in `values` elements are not finite, and what they are. */
  readonly notFinite: readonly { readonly at: number; readonly value: 'NaN' | 'Infinity' | '-Infinity' }[];
}

/** The naming and the shapes that a state dict follows. `grokking`: the code from before TransformerLens, with transposed weights. */
export const layouts = ['transformer-lens', 'grokking', 'gpt2'] as const;
export type Layout = (typeof layouts)[number];

/** Whose naming and shapes a layout is, in words: "weights as … has them". */
export const layoutTitles: Readonly<Record<Layout, string>> = {
  'transformer-lens': 'TransformerLens',
  grokking: 'the grokking code from before TransformerLens',
  gpt2: 'Hugging Face\'s GPT-2',
};

/** A field of a model's config and what told its value: "embed.W_E [114, 128]", "config.json", "you", or "default" where nothing did. */
export interface InferredField {
  readonly field: string;
  readonly value: unknown;
  readonly from: string;
}

/** What prompts mean to a model: those of a task, those of a file, or nothing but their tokens. */
export const TaskBindingSchema = v.variant('kind', [
  v.strictObject({
    kind: v.literal('task'),
    name: v.pipe(v.string(), v.maxLength(1000)),
    parameters: v.record(v.string(), v.union([v.string(), v.number(), v.boolean()])),
    /** That by which the examples were drawn that the model was trained on, where it is known: of a model that was exported from here. */
    seed: v.exactOptional(v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(0x7fffffff))),
  }),
  /** Absolute path of a file with a vocabulary and prompts, and the answers to them. */
  v.strictObject({ kind: v.literal('prompts'), file: v.pipe(v.string(), v.maxLength(10_000)) }),
  v.strictObject({ kind: v.literal('none') }),
]);
export type TaskBinding = v.InferOutput<typeof TaskBindingSchema>;

/** How a file is to become a model. */
export interface ImportOrder {
  /** Absolute. */
  readonly file: string;
  /** Absent: as the file, or the folder of a Hugging Face model, is called. */
  readonly name?: string;
  /** Absolute path of a config; absent: the one beside the file, where there is one. */
  readonly configFile?: string;
  /** Fields of the config that people gave, which count before all else. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Absent: none. */
  readonly binding?: TaskBinding;
}

/** What a file would become. */
export interface ImportProposal {
  readonly name: string;
  readonly format: FileFormat;
  readonly layout: Layout;
  readonly config: ModelConfig;
  /** Every field of the config that matters, and what told it. */
  readonly inferred: readonly InferredField[];
  /** Steps of the checkpoints that it would have; none where the file holds one state. */
  readonly checkpoints: readonly number[];
  /** Numbers in the weights. */
  readonly parameters: number;
  /** Whether tokenizer files lie beside it. */
  readonly tokenizer: boolean;
  /** Tasks whose vocabulary and answers fit the model's, the likeliest first. */
  readonly tasks: readonly { readonly name: string; readonly parameters: ParameterValues }[];
}

/** What TransformerLens does to weights so that they are easier to read, without changing what the model computes. */
export const processingSteps = ['fold-layer-norm', 'center-writing-weights', 'center-unembedding', 'fold-value-biases'] as const;
export type ProcessingStep = (typeof processingSteps)[number];

/** Whether its experiment's seed is the one by which its training examples were drawn, so that the task's split is its own. */
const splitEntry = { splitIsKnown: v.exactOptional(v.literal(true)) };

/** Where the weights of a model come from that was not trained here. */
export const ModelSourceSchema = v.variant('kind', [
  v.strictObject({
    kind: v.literal('file'),
    /** Name of the file, without its folder. */
    file: v.string(),
    format: v.picklist(fileFormats),
    layout: v.picklist(layouts),
    inferred: v.array(v.strictObject({ field: v.string(), value: v.unknown(), from: v.string() })),
    ...splitEntry,
  }),
  v.strictObject({
    kind: v.literal('processed'), id: v.string(), name: v.string(), checkpoint: v.exactOptional(v.number()), steps: v.array(v.picklist(processingSteps)), ...splitEntry,
  }),
]);
export type ModelSource = v.InferOutput<typeof ModelSourceSchema>;

/** Where the weights of a model come from that was not trained here, in a few words. */
export function shortSourceText(source: ModelSource): string {
  return source.kind === 'file' ? `imported from ${source.file}` : `${source.name}, processed`;
}
