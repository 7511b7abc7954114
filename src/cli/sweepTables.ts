import { csvText, inertText } from '../common/csv';
import { markdownTable } from '../common/markdown';
import { formatNumber, formatPercent } from '../common/numbers';
import { printable } from '../common/printable';
import { textTable } from '../common/textTable';
import type { MetricName } from '../protocol/model';
import { bestRow, fieldTitle, subjectField, sweepMetrics, valueText, type JsonValue, type SweepDetails, type SweepRow } from '../protocol/sweep';
import { standingText } from './progress';

const metricTitles: Readonly<Record<MetricName, string>> = {
  testLoss: 'test loss', trainLoss: 'train loss', testAccuracy: 'test accuracy', testExactMatch: 'examples right whole',
};

/** A column of a sweep's table. */
interface Column {
  readonly title: string;
  readonly numeric: boolean;
  /** With every digit. */
  exact(row: SweepRow): string | number;
  /** As people read it. */
  value(row: SweepRow): string;
}

/** What a sweep has come to: a row a run, the best of all, and the best of each line where several fields vary. */
export function sweepText(sweep: SweepDetails, metric: MetricName): string {
  const best = bestRow(sweep.rows, metric);
  return [
    `${sweep.name}: ${standingText(sweep)}`,
    ...(sweep.problem === undefined ? [] : [sweep.problem]),
    textTable(columnsOf(sweep), sweep.rows),
    ...(best ? [`Best ${metricTitles[metric]}: ${measured(best, metric)} with ${labelOf(sweep, best)} (${best.model})`] : []),
    ...linesText(sweep, metric),
  ].join('\n\n');
}

/** A sweep's table as GitHub's Markdown has it. */
export function sweepMarkdown(sweep: SweepDetails): string {
  const columns = columnsOf(sweep);
  return markdownTable(columns, sweep.rows.map(row => columns.map(column => column.value(row))));
}

/** A sweep's table as comma-separated values, exactly, under the fields' whole paths. */
export function sweepCsv(sweep: SweepDetails): string {
  const columns = columnsOf(sweep);
  const titles = [...sweep.fields, ...columns.slice(sweep.fields.length).map(({ title }) => title)];
  return csvText([titles, ...sweep.rows.map(row => columns.map(column => inert(column.exact(row))))]).replaceAll('\r\n', '\n').trimEnd();
}

function columnsOf({ fields, rows }: SweepDetails): readonly Column[] {
  return [
    ...fields.map((field): Column => ({
      title: fieldTitle(field, fields),
      numeric: rows.every(({ values }) => ['number', 'undefined'].includes(typeof values[field])),
      exact: ({ values }) => exactValue(values[field]),
      value: ({ values }) => (values[field] === undefined ? '' : valueText(values[field])),
    })),
    textColumn('status', ({ status, progress: { step, steps } }) => (status === 'finished' || step === 0 ? status : `${status} at step ${formatNumber(step)} of ${formatNumber(steps)}`), ({ status }) => status),
    ...sweepMetrics.filter(metric => rows.some(({ metrics }) => metrics[metric] !== undefined)).map((metric): Column => ({
      title: metricTitles[metric],
      numeric: true,
      exact: ({ metrics }) => metrics[metric] ?? '',
      value: row => measured(row, metric),
    })),
    textColumn('id', ({ model }) => model),
    ...(rows.some(({ problem }) => problem !== undefined) ? [textColumn('problem', ({ problem = '' }) => problem)] : []),
  ];
}

function textColumn(title: string, value: (row: SweepRow) => string, exact = value): Column {
  return { title, numeric: false, exact, value };
}

/**
 * The best value of one field for each combination of the others, as in the best width for each task. A seed is no line of
 * its own, but what the best is chosen from.
 */
function linesText(sweep: SweepDetails, metric: MetricName): readonly string[] {
  const subject = subjectField(sweep);
  const others = sweep.fields.filter(field => field !== 'seed' && field !== subject);
  if (subject === undefined || others.length === 0) return [];
  const lines = new Map<string, SweepRow[]>();
  for (const row of sweep.rows.filter(({ values }) => values[subject] !== undefined)) {
    const key = JSON.stringify(others.map(field => row.values[field]));
    const line = lines.get(key) ?? [];
    line.push(row);
    lines.set(key, line);
  }
  const best = [...lines.values()].flatMap(rows => bestRow(rows, metric) ?? []);
  if (best.length < 2) return [];
  const columns = columnsOf(sweep);
  const shown = [...others, subject].flatMap(field => columns[sweep.fields.indexOf(field)] ?? []);
  const title = `Best ${fieldTitle(subject, sweep.fields)} for each ${others.map(field => fieldTitle(field, sweep.fields)).join(' and ')}:`;
  const measure = { title: metricTitles[metric], numeric: true, value: (row: SweepRow) => measured(row, metric) };
  return [`${title}\n${textTable([...shown, measure, textColumn('id', ({ model }) => model)], best)}`];
}

function labelOf({ fields }: SweepDetails, { values }: SweepRow): string {
  return fields.flatMap(field => (values[field] === undefined ? [] : `${fieldTitle(field, fields)} ${valueText(values[field])}`)).join(', ');
}

function measured({ metrics }: Pick<SweepRow, 'metrics'>, metric: MetricName): string {
  const value = metrics[metric];
  if (value === undefined) return '';
  return metric.endsWith('Loss') ? formatNumber(value) : formatPercent(value);
}

function exactValue(value: JsonValue | undefined): string | number {
  if (value === undefined) return '';
  return typeof value === 'number' || typeof value === 'string' ? value : JSON.stringify(value);
}

function inert(value: string | number): string | number {
  return typeof value === 'string' ? inertText(printable(value)) : value;
}
