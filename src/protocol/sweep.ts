import type { Metrics, MetricName, ModelStatus, Progress } from './model';

/** A value of JSON, as an experiment file holds it. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue };

/** Path of a field in the experiment, as in `model.d_model` → the value that a run has there. */
export type SweptValues = Readonly<Record<string, JsonValue>>;

export const executors = ['local', 'slurm'] as const;
export type ExecutorName = (typeof executors)[number];

/** How an array of jobs is submitted; what is absent is left to the cluster. */
export interface SlurmOptions {
  readonly partition?: string;
  /** As Slurm writes it: `30`, `2:00:00`, `1-12`. */
  readonly time?: string;
  /** As Slurm writes it: `4G`. */
  readonly memory?: string;
  /** As Slurm writes it: `gpu:1`. */
  readonly gres?: string;
}

export interface SweepOptions {
  readonly executor: ExecutorName;
  /** Runs at the same time; 0 for as many as there are cores for, or as the cluster allows. */
  readonly parallel: number;
  readonly slurm?: SlurmOptions;
  /** Whether runs are trained here even where that takes days. */
  readonly force?: boolean;
}

/** What a sweep would do, before it does it. */
export interface SweepPlan {
  readonly name: string;
  /** Paths of the fields that differ between its runs, in the file's order. */
  readonly fields: readonly string[];
  readonly runs: number;
  /** How many of them are trained to their end already; of more than `confirmedRuns` none is looked at before it is confirmed. */
  readonly finished: number;
}

/**
 * Where a run of a sweep stands: as a model does, or before there is a model: `waiting` for its turn, or `queued` at the
 * cluster. `cancelled`: it had not begun when the sweep was.
 */
export type SweepRunStatus = ModelStatus | 'waiting' | 'queued' | 'cancelled';

/** A run of a sweep. */
export interface SweepRow {
  readonly index: number;
  readonly values: SweptValues;
  /** The model that it trains, which is in the store once the run has begun. */
  readonly model: string;
  readonly status: SweepRunStatus;
  readonly progress: Progress;
  readonly metrics: Metrics;
  /** Why it failed or was interrupted, in one sentence. */
  readonly problem?: string;
}

/**
 * `running` here, until every run has ended; `finished`: each run is, or has failed; `stopped`: some have yet to come to
 * their end, since it was cancelled, its process left it, or a run was interrupted.
 */
export type SweepStatus = 'running' | 'finished' | 'stopped';

export interface SweepSummary {
  readonly id: string;
  readonly name: string;
  readonly status: SweepStatus;
  /** Paths of the fields that differ between its runs. */
  readonly fields: readonly string[];
  readonly options: SweepOptions;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Runs by how they stand. */
  readonly counts: Readonly<Partial<Record<SweepRunStatus, number>>>;
  /** What keeps the whole sweep from going on, in one sentence: the cluster's commands, the disk. */
  readonly problem?: string;
}

export interface SweepDetails extends SweepSummary {
  readonly rows: readonly SweepRow[];
}

/** Rows that have changed since the last time, and how the whole stands. */
export interface SweepChange {
  readonly summary: SweepSummary;
  readonly rows: readonly SweepRow[];
}

/** A measurement of a run through its training, as far as that has come. */
export interface RunCurve {
  /** The run's index. */
  readonly run: number;
  /** Ascending. */
  readonly steps: Float64Array;
  /** One for each of the steps. */
  readonly values: Float64Array;
  /** How often it was measured: more than there are points where these were thinned. */
  readonly measured: number;
}

/** The most curves of a sweep that are read and drawn at once. */
export const curvesLimit = 50;

/** The measurements a sweep is compared by; losses are best when low, accuracies when high. */
export const sweepMetrics = ['testLoss', 'trainLoss', 'testAccuracy', 'testExactMatch'] as const satisfies readonly MetricName[];

/**
 * The best finished row by a metric; of equal ones the first, `undefined` where there is none. What a run measured before it
 * failed or was stopped is no result to be compared.
 */
export function bestRow<R extends Pick<SweepRow, 'status' | 'metrics'>>(rows: readonly R[], metric: MetricName): R | undefined {
  const sign = metric.endsWith('Loss') ? 1 : -1;
  const cost = ({ status, metrics }: R) => (status === 'finished' && metrics[metric] !== undefined ? sign * metrics[metric] : Infinity);
  return rows.reduce<R | undefined>((best, row) => (cost(row) < (best ? cost(best) : Infinity) ? row : best), undefined);
}

/** The last part of a swept field's path, or all of it where another one ends alike. */
export function fieldTitle(field: string, fields: readonly string[]): string {
  const last = (path: string) => path.split('.').at(-1) ?? path;
  return fields.some(other => other !== field && last(other) === last(field)) ? field : last(field);
}

/**
 * The field that a sweep is most likely about, along which its runs are compared: the last one that holds numbers, if it can
 * one of the model or its training, since losses of different tasks are not to be compared. `undefined` where none does.
 */
export function subjectField({ fields, rows }: { readonly fields: readonly string[]; readonly rows: readonly Pick<SweepRow, 'values'>[] }): string | undefined {
  const numeric = fields.filter(field => field !== 'seed' && rows.some(({ values }) => typeof values[field] === 'number'));
  return numeric.findLast(field => !field.startsWith('task.')) ?? numeric.at(-1);
}

/** A run in words, as in `d_model 128, n_layers 2`. */
export function runLabel(values: SweptValues): string {
  return Object.entries(values).map(([path, value]) => `${path.split('.').at(-1)} ${valueText(value)}`).join(', ');
}

/** A swept value in words: a task, or another object with a name, by it. */
export function valueText(value: JsonValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string') return value.name;
  return JSON.stringify(value);
}

/** Sweeps of more runs are started only by those who say that they mean it. */
export const confirmedRuns = 1000;
/** The most runs a sweep may have. */
export const runsLimit = 100_000;
