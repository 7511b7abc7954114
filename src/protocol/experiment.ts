import * as v from 'valibot';
import { boundPattern } from './claim';
import { ArchitectureSchema } from './config';
import type { JsonValue } from './sweep';

const count = (most: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(most));
const fraction = v.pipe(v.number(), v.minValue(0), v.ltValue(1));
const positive = v.pipe(v.number(), v.finite(), v.gtValue(0));
const wholeNotNegative = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1e9));
const notNegative = v.pipe(v.number(), v.finite(), v.minValue(0));

const json: v.GenericSchema<JsonValue> = v.lazy(() =>
  v.union([v.string(), v.number(), v.boolean(), v.null(), v.array(json), v.record(v.string(), json)]));

/** A task by its name alone, or with parameters, which the task itself checks. */
export const TaskReferenceSchema = v.union([
  v.pipe(v.string(), v.minLength(1)),
  v.looseObject({ name: v.pipe(v.string(), v.minLength(1)) }),
], 'a task is its name, or an object with its name and parameters');

export const ScheduleSchema = v.variant('kind', [
  v.strictObject({ kind: v.literal('constant') }),
  /** The learning rate rises linearly over the first `steps` steps. */
  v.strictObject({ kind: v.literal('warm-up'), steps: count(1e9) }),
  /** The learning rate is multiplied by `factor` at each of the steps `at`. */
  v.strictObject({ kind: v.literal('steps'), at: v.array(count(1e9)), factor: positive }),
]);

export const TrainingSchema = v.strictObject({
  /** 0 trains nothing: the weights that it starts from are evaluated and kept. */
  steps: wholeNotNegative,
  /** Examples a step: all of the training set, or a number drawn anew each step. */
  batch: v.optional(v.union([v.literal('full'), count(1_000_000)]), 'full'),
  optimizer: v.optional(v.picklist(['adamw', 'adam']), 'adamw'),
  learningRate: v.optional(positive, 1e-3),
  /** Decoupled from the gradient with `adamw`, added to it with `adam`. */
  weightDecay: v.optional(notNegative, 0),
  /** Another weight decay for the parameters whose names match (`*` stands for any characters); the first match counts. */
  weightDecayGroups: v.optional(v.array(v.strictObject({ match: v.string(), weightDecay: notNegative })), []),
  betas: v.optional(v.strictTuple([fraction, fraction]), [0.9, 0.999]),
  epsilon: v.optional(positive, 1e-8),
  schedule: v.optional(ScheduleSchema, { kind: 'constant' }),
  /** Steps between evaluations on the test set. */
  evaluateEvery: v.optional(count(1e9), 100),
  /** Fresh examples that tasks without a fixed test set are evaluated on. */
  evaluationExamples: v.optional(count(1_000_000), 10_000),
  /** Steps between checkpoints; 0 for the last one only. */
  checkpointEvery: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
  /** Ends the run early when the metric has stayed beyond the bound for so many evaluations in a row. */
  stopWhen: v.optional(v.strictObject({
    metric: v.picklist(['trainLoss', 'testLoss', 'testAccuracy', 'testExactMatch']),
    below: v.optional(v.number()),
    above: v.optional(v.number()),
    evaluations: v.optional(count(1e6), 1),
  })),
});

const modelReference = v.pipe(v.string(), v.minLength(1), v.maxLength(1000), v.regex(/^\P{Cc}*$/u, 'a name has no control characters'));

/**
 * The model whose weights an experiment starts from: the name of a bundled experiment, the path of an experiment file as
 * seen from this one, or a stored model by its id, the beginning of its id, or its name: the newest of that name. Of an
 * experiment it is the model that has this one's seed, whatever seed is its own. With a checkpoint it is that model as it
 * was after so many steps; without, as it is at its end.
 */
export const FromSchema = v.union([
  modelReference,
  v.strictObject({ model: modelReference, checkpoint: v.exactOptional(wholeNotNegative) }),
], 'the model to start from is its name, or an object with its name as "model" and a "checkpoint"');

/** Before the first step, so many randomly chosen head matrices (W_Q, W_K or W_V of one head) become noise. */
export const PerturbSchema = v.strictObject({
  matrices: v.optional(count(100_000), 1),
  /** Standard deviation of the noise. */
  scale: v.optional(positive, 1),
});

/** A number that an analysis measures, and its bound. */
const measurementEntries = {
  analysis: v.pipe(v.string(), v.minLength(1)),
  params: v.optional(v.record(v.string(), v.union([v.string(), v.number(), v.boolean()])), {}),
  scalar: v.pipe(v.string(), v.minLength(1)),
  expect: v.pipe(v.string(), v.regex(boundPattern, 'a bound is written like ">= 0.99"')),
} satisfies v.ObjectEntries;

export const ClaimSchema = v.strictObject({
  claim: v.pipe(v.string(), v.minLength(1)),
  ...measurementEntries,
  /** Another experiment, bundled or by its path, whose model it is about in place of this one's; with the same seed. */
  of: v.exactOptional(modelReference),
  /** What was found where this holds, in a word or two; for claims with alternatives. */
  found: v.exactOptional(v.pipe(v.string(), v.minLength(1))),
  /** Of a sweep: the runs that it is about, by the values they have at swept fields; absent: every run. */
  where: v.exactOptional(v.record(v.string(), json)),
  /** What may hold in its place, where training can arrive at one of several things: tried in order. */
  or: v.exactOptional(v.array(v.strictObject({ found: v.pipe(v.string(), v.minLength(1)), ...measurementEntries }))),
});

/**
 * When a run stops by itself, or is copied: looked at whenever a checkpoint is written. Either `when`, a bound that is
 * crossed: it holds at this checkpoint and did not at the one before; or `changesBy`, how far the scalar moves, up or down,
 * from one checkpoint to the next.
 */
export const BreakpointSchema = v.strictObject({
  /** What messages call it; absent: what it looks for. */
  breakpoint: v.exactOptional(v.pipe(v.string(), v.minLength(1), v.maxLength(200))),
  analysis: measurementEntries.analysis,
  params: measurementEntries.params,
  scalar: measurementEntries.scalar,
  when: v.exactOptional(measurementEntries.expect),
  changesBy: v.exactOptional(positive),
  /** `pause` waits for people; `snapshot` keeps the model of the checkpoint as a model of its own; `fork` trains such a copy on, beside it. */
  action: v.optional(v.picklist(['pause', 'snapshot', 'fork']), 'pause'),
  /** Of a fork: what is changed in it, as `path=value`. */
  set: v.exactOptional(v.pipe(v.array(v.string()), v.maxLength(50))),
});

/** Path of a field, as in `model.d_model` → the value or the values that it takes: every combination of them is a run. */
const SweepGridSchema = v.pipe(
  v.unknown(),
  // To valibot a list is a record too, and what is wrong with one of several grids would be lost.
  v.check(grid => !Array.isArray(grid)),
  v.record(v.pipe(v.string(), v.minLength(1), v.maxLength(200)), json),
  v.check(grid => Object.keys(grid).length > 0, 'a sweep names at least one field to vary'),
  v.check(grid => Object.keys(grid).length <= 50, 'a sweep varies at most 50 fields'),
);
/** A grid, or several grids whose runs are taken together. */
export const SweepSchema = v.pipe(
  v.union([v.pipe(v.array(SweepGridSchema), v.maxLength(1000)), SweepGridSchema], 'a sweep is a grid of fields and their values, or a list of such grids'),
  v.check(sweep => !Array.isArray(sweep) || sweep.length > 0, 'a sweep needs at least one grid'),
);

export const ExperimentSchema = v.strictObject({
  $schema: v.optional(v.string()),
  name: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(100))),
  description: v.optional(v.string()),
  seed: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0x7fffffff)), 0),
  task: TaskReferenceSchema,
  from: v.exactOptional(FromSchema),
  /** Absent only with `from`: that of the model that it starts from. */
  model: v.exactOptional(ArchitectureSchema),
  perturb: v.exactOptional(PerturbSchema),
  training: TrainingSchema,
  claims: v.optional(v.array(ClaimSchema), []),
  breakpoints: v.exactOptional(v.pipe(v.array(BreakpointSchema), v.maxLength(100))),
  sweep: v.exactOptional(SweepSchema),
});

/** An experiment as its file has it, with the schema's defaults filled in. */
export type Experiment = v.InferOutput<typeof ExperimentSchema>;
/** `from` as a file has it. */
export type FromReference = v.InferOutput<typeof FromSchema>;
export type Perturb = v.InferOutput<typeof PerturbSchema>;
export type Training = v.InferOutput<typeof TrainingSchema>;
export type SweepGrid = v.InferOutput<typeof SweepGridSchema>;
export type Schedule = v.InferOutput<typeof ScheduleSchema>;
export type Claim = v.InferOutput<typeof ClaimSchema>;
export type Breakpoint = v.InferOutput<typeof BreakpointSchema>;
/** What one alternative of a claim asserts. */
export type Measurement = Pick<Claim, keyof typeof measurementEntries | 'found'>;

/** What is wrong with an experiment and where: the path from its root, as in `['training', 'steps']`. */
export interface ExperimentProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** Of a name that does not exist: those that may have been meant, the nearest first, for the field's own name or for its value. */
  readonly nearest?: { readonly of: 'name' | 'value'; readonly names: readonly string[] };
  /** Where in another file it comes from, such as a task module. */
  readonly source?: SourcePlace;
}

/** A place in a file of this machine. Lines and columns count from 1. */
export interface SourcePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** The most that a file of an experiment may hold. */
export const experimentFileLimit = 1 << 20;
