import { inertText } from '../../src/common/csv';
import { fieldTitle, runLabel, valueText, type JsonValue, type SweepRow } from '../../src/protocol/sweep';
import type { SweepMetric } from '../../src/protocol/sweepPanel';
import type { Table } from '../figures/tabulate';
import { formatNumber, formatShare } from '../numbers';
import { statusLooks } from '../shell/status';

/** A column of the runs. */
export interface SweepColumn {
  /** By which it is sorted and kept; a swept field has its path. */
  readonly name: string;
  readonly title: string;
  readonly numeric: boolean;
  /** What it is sorted by; empty text where there is nothing. */
  value(row: SweepRow): string | number;
  text(row: SweepRow): string;
}

export const metricTitles: Readonly<Record<SweepMetric, string>> = {
  testLoss: 'Test loss', trainLoss: 'Train loss', testAccuracy: 'Test accuracy', testExactMatch: 'Exact match',
};
const metricColumns = ['trainLoss', 'testLoss', 'testAccuracy', 'testExactMatch'] as const satisfies readonly SweepMetric[];

export function isLoss(metric: SweepMetric): boolean {
  return metric.endsWith('Loss');
}

export function metricText(metric: SweepMetric, value: number): string {
  return isLoss(metric) ? formatNumber(value) : formatShare(value);
}

/** The columns of a sweep's table: the run, what it has of the swept fields, and where it stands. */
export function columnsOf(fields: readonly string[], rows: readonly SweepRow[]): readonly SweepColumn[] {
  return [
    { name: 'run', title: 'Run', numeric: true, value: runNumber, text: row => formatNumber(runNumber(row)) },
    ...fields.map((field): SweepColumn => ({
      name: field,
      title: fieldTitle(field, fields),
      numeric: isNumeric(rows, field),
      value: ({ values }) => cell(values[field]),
      text: ({ values }) => fieldText(values[field]),
    })),
    { name: 'status', title: 'Status', numeric: false, value: statusTitle, text: statusTitle },
    { name: 'progress', title: 'Progress', numeric: true, value: shareDone, text: row => formatShare(Math.floor(100 * shareDone(row)) / 100) },
    ...metricColumns.map((metric): SweepColumn => ({
      name: metric,
      title: metricTitles[metric],
      numeric: true,
      value: ({ metrics }) => metrics[metric] ?? '',
      text: ({ metrics }) => metrics[metric] === undefined ? '' : metricText(metric, metrics[metric]),
    })),
  ];
}

/** Runs are counted from 1. */
export function runNumber({ index }: SweepRow): number {
  return index + 1;
}

/** A run in words, as in `Run 3: d_model 64, seed 1`. */
export function runName(row: SweepRow): string {
  return `Run ${runNumber(row)}: ${runLabel(row.values)}`;
}

/** How much of a run is done, from 0 to 1; a run that ended early is done. */
export function shareDone({ status, progress: { step, steps } }: SweepRow): number {
  return status === 'finished' ? 1 : Math.min(1, step / Math.max(1, steps));
}

/** Whether a field has numbers alone, where it has a value at all. */
export function isNumeric(rows: readonly SweepRow[], field: string): boolean {
  return rows.every(({ values }) => values[field] === undefined || typeof values[field] === 'number');
}

/** All that there is to know of the runs, for a file, under the fields' whole paths. */
export function sweepTable(fields: readonly string[], rows: readonly SweepRow[]): Table {
  const text = (title: string) => ({ title, numeric: false });
  const numeric = (title: string) => ({ title, numeric: true });
  return {
    columns: [
      numeric('run'), ...fields.map(field => ({ title: field, numeric: isNumeric(rows, field) })), text('status'), numeric('step'), numeric('steps'),
      ...metricColumns.map(numeric), text('id'), text('problem'),
    ],
    rows: rows.map(row => [
      runNumber(row), ...fields.map(field => inert(cell(row.values[field]))), row.status, row.progress.step, row.progress.steps,
      ...metricColumns.map(metric => row.metrics[metric] ?? ''), row.model, inert(row.problem ?? ''),
    ]),
  };
}

function inert(value: string | number): string | number {
  return typeof value === 'string' ? inertText(value) : value;
}

function statusTitle({ status }: SweepRow): string {
  return statusLooks[status].title;
}

function cell(value: JsonValue | undefined): string | number {
  if (typeof value === 'number') return value;
  return value === undefined ? '' : valueText(value);
}

function fieldText(value: JsonValue | undefined): string {
  return typeof value === 'number' ? formatNumber(value) : String(cell(value));
}
