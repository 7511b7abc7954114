import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { UserError } from '../common/errors';
import { ModelSourceSchema, type ModelSource } from '../protocol/checkpointFile';
import { ArchitectureSchema, ModelConfigSchema, type ModelConfig } from '../protocol/config';
import { ExperimentSchema, type SourcePlace } from '../protocol/experiment';
import {
  modelStatuses, type Metrics, type MetricsRow, type ModelStatus, type Progress, type ResolvedExperiment,
} from '../protocol/model';
import { issueText } from './issueText';

/** What `model.json` holds: everything about a model but its numbers. */
export interface ModelRecord {
  readonly format: 1;
  readonly id: string;
  readonly name: string;
  readonly experiment: ResolvedExperiment;
  readonly config: ModelConfig;
  readonly status: ModelStatus;
  readonly progress: Progress;
  readonly metrics: Metrics;
  /**
   * What was measured at its checkpoints when it was bound to its task. It lies here, and not with the rows that came with the model, so
   * that a model has another task and what it answers there in one write.
   */
  readonly measured?: readonly MetricsRow[];
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** What it was trained with. */
  readonly versions: { readonly circuitExplorer: string; readonly onnxruntime: string };
  /** Why it failed, in one sentence. */
  readonly problem?: string;
  /** Where in a file of people's own it failed. */
  readonly problemSource?: SourcePlace;
  /** Where its weights come from; absent where they were trained here. Its config then counts, whatever its task would make of it. */
  readonly source?: ModelSource;
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** Characters of a model's name. */
export const nameLimit = 100;

/** Hashes by which the tasks of modules are named. */
export const snapshotHash = /^[0-9a-f]{32}$/;

/** A task with all its parameters, as resolved experiments name it. */
export const TaskSchema = v.strictObject({
  name: v.string(),
  parameters: v.record(v.string(), v.union([v.number(), v.boolean(), v.string()])),
  module: v.exactOptional(v.pipe(v.string(), v.regex(snapshotHash))),
});

const { sweep: _, ...experimentEntries } = ExperimentSchema.entries;
const ResolvedExperimentSchema = v.strictObject({
  ...experimentEntries,
  name: ExperimentSchema.entries.name.wrapped,
  model: ArchitectureSchema,
  from: v.exactOptional(v.strictObject({ id: v.string(), name: v.string(), checkpoint: v.exactOptional(count) })),
  task: TaskSchema,
});

/** The measurements of a model or of one line of its metrics. */
export const metricEntries = {
  trainLoss: v.exactOptional(v.number()),
  testLoss: v.exactOptional(v.number()),
  testAccuracy: v.exactOptional(v.number()),
  testExactMatch: v.exactOptional(v.number()),
};

export const MetricsRowSchema = v.strictObject({ step: count, seconds: v.number(), ...metricEntries });

const ModelRecordSchema = v.strictObject({
  format: v.literal(1),
  id: v.string(),
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(nameLimit)),
  experiment: ResolvedExperimentSchema,
  config: ModelConfigSchema,
  status: v.picklist(modelStatuses),
  progress: v.strictObject({ step: count, steps: count, secondsPerStep: v.exactOptional(v.number()) }),
  metrics: v.strictObject(metricEntries),
  measured: v.exactOptional(v.array(MetricsRowSchema)),
  createdAt: v.number(),
  versions: v.strictObject({ circuitExplorer: v.string(), onnxruntime: v.string() }),
  problem: v.exactOptional(v.string()),
  problemSource: v.exactOptional(v.strictObject({ file: v.string(), line: count, column: count })),
  source: v.exactOptional(ModelSourceSchema),
});

/** Changes to a record; `problem: undefined` takes the problem away, and a new one comes with its own place or without. */
export type RecordChanges = Partial<Omit<ModelRecord, 'format' | 'id' | 'problem'>> & {
  readonly problem?: string | undefined;
};

/** No record comes near it; a file that does is not one. */
export const recordLimit = 4 << 20;

/**
 * The id of the model that an experiment trains: 16 hexadecimal digits of a hash of what decides its numbers, so that
 * the same experiment under another name, or with other claims, is the same model. What it starts from counts by its id.
 */
export function idOf({ task, model, training, seed, from, perturb }: ResolvedExperiment): string {
  const start = from && { id: from.id, checkpoint: from.checkpoint };
  // What is undefined is left out, so that experiments without it have the ids that they always had.
  return createHash('sha256').update(canonicalJson({ task, model, training, seed, from: start, perturb })).digest('hex').slice(0, 16);
}

/** A name for a model, without what surrounds it. @throws UserError when it is empty or too long. */
export function checkedName(name: string): string {
  const { length } = name.trim();
  if (length < 1 || length > nameLimit) throw new UserError(`A model's name has 1 to ${nameLimit} characters, and this one has ${length}.`);
  return name.trim();
}

/**
 * Reads a record from the text of `model.json`.
 * @throws UserError one sentence that says which field is wrong.
 */
export function parseRecord(file: string, text: string): ModelRecord {
  return parseStored(`a model's record`, ModelRecordSchema, file, text);
}

/**
 * Reads what a file of the store holds, `what` to people.
 * @throws UserError one sentence that says which field is wrong.
 */
export function parseStored<T>(what: string, schema: v.GenericSchema<unknown, T>, file: string, text: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UserError(`${file} is not JSON.`);
  }
  if (isNewer(value)) throw new UserError(`${file} was written by a newer version of Circuit Explorer.`);
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  throw new UserError(`${file} is not ${what}${issueText(result.issues[0])}.`);
}

/** Writes a record as the text of `model.json`. @throws when it could not be read again. */
export function formatRecord(record: ModelRecord): string {
  const text = finiteJson(record, 2);
  parseRecord('The new record', text);
  return `${text}\n`;
}

/** The record with changes made to it. */
export function changeRecord(record: ModelRecord, changes: RecordChanges): ModelRecord {
  const { problem, problemSource, ...rest } = { ...record, ...('problem' in changes && { problemSource: undefined }), ...changes };
  if (problem === undefined) return rest;
  return { ...rest, problem, ...(problemSource && { problemSource }) };
}

/** JSON without the numbers that JSON does not have: a loss that is not finite is left out, not turned into null. */
export function finiteJson(value: unknown, indent?: number): string {
  const isKept = (inner: unknown) => typeof inner !== 'number' || Number.isFinite(inner);
  return JSON.stringify(value, (_, inner: unknown) => (isKept(inner) ? inner : undefined), indent);
}

/** JSON in which equal values have equal texts: the keys of every object are sorted. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Whether a record, of a model or of a sweep, is of a later format than this program's. */
function isNewer(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('format' in value)) return false;
  return typeof value.format === 'number' && value.format > 1;
}
