import type { LinesFigure, Series } from '../../src/protocol/figure';
import { bestRow, fieldTitle, runLabel, valueText, type JsonValue, type SweepRow, type SweptValues } from '../../src/protocol/sweep';
import type { SweepMetric } from '../../src/protocol/sweepPanel';
import { formatInteger } from '../numbers';
import { isLoss, isNumeric, metricTitles } from './columns';

/** Lines that a reader can still tell apart. */
const mostLines = 12;
/** Numbers whose largest is so many times their smallest are told apart on a logarithmic axis only. */
const wideSpan = 50;

interface Line {
  readonly name: string;
  readonly rows: readonly SweepRow[];
}

/**
 * What the finished runs of a sweep arrived at, against one of its fields: a line for each combination of the others, with
 * its best run marked. Numbers are themselves on the x axis, anything else is a category in the order of the runs.
 */
export function sweepFigure(
  { fields, rows, field, metric }: {
    readonly fields: readonly string[]; readonly rows: readonly SweepRow[]; readonly field: string; readonly metric: SweepMetric;
  },
): LinesFigure {
  const own = (row: SweepRow) => row.values[field];
  const numeric = isNumeric(rows, field);
  const labels = numeric ? [] : [...new Set(rows.flatMap(row => own(row) === undefined ? [] : [text(own(row))]))];
  const place = (row: SweepRow) => numeric ? Number(own(row)) : labels.indexOf(text(own(row)));
  const measure = (row: SweepRow) => row.metrics[metric] ?? 0;
  const drawn = rows.filter(row => row.status === 'finished' && own(row) !== undefined && row.metrics[metric] !== undefined);
  const others = fields.filter(other => other !== field);
  const lines = linesOf(drawn, others, metricTitles[metric]);
  const shown = lines.length <= mostLines ? lines : bestLines(lines, metric);
  const series = shown.map(({ name, rows }): Series => {
    const ordered = [...rows].sort((a, b) => place(a) - place(b));
    const best = bestRow(ordered, metric);
    return {
      name,
      x: Float64Array.from(ordered, place),
      y: Float64Array.from(ordered, measure),
      ...(best ? { best: ordered.indexOf(best) } : {}),
    };
  });
  const x = fieldTitle(field, fields);
  const y = metricTitles[metric];
  const left = lines.length - shown.length;
  return {
    kind: 'lines',
    title: `${y} by ${x}`,
    caption: [
      'Finished runs',
      ...(others.length > 0 ? [`, a line for each ${others.map(other => fieldTitle(other, fields)).join(' and ')}`] : []),
      '; the best of each line has a star.',
      ...(left > 0 ? [` The ${mostLines} best of ${formatInteger(lines.length)} lines.`] : []),
    ].join(''),
    x: { title: x, ...(numeric ? { logarithmic: isWide(rows.flatMap(row => own(row) === undefined ? [] : [place(row)])) } : { labels }) },
    y: { title: y, logarithmic: isLoss(metric) && isWide(drawn.map(measure)) },
    series,
  };
}

/** Runs that differ in the one field alone, in the order of the runs. */
function linesOf(rows: readonly SweepRow[], others: readonly string[], only: string): readonly Line[] {
  const lines = new Map<string, { name: string; rows: SweepRow[] }>();
  for (const row of rows) {
    const values: SweptValues = Object.fromEntries(others.flatMap(field => {
      const value = row.values[field];
      return value === undefined ? [] : [[field, value]];
    }));
    const key = JSON.stringify(values);
    const line = lines.get(key) ?? { name: runLabel(values) || only, rows: [] };
    line.rows.push(row);
    lines.set(key, line);
  }
  return [...lines.values()];
}

/** Those with the best runs, in the order that they came in. */
function bestLines(lines: readonly Line[], metric: SweepMetric): readonly Line[] {
  const sign = isLoss(metric) ? 1 : -1;
  const cost = ({ rows }: Line) => sign * (bestRow(rows, metric)?.metrics[metric] ?? Infinity);
  const kept = new Set([...lines].sort((a, b) => cost(a) - cost(b)).slice(0, mostLines));
  return lines.filter(line => kept.has(line));
}

function isWide(values: readonly number[]): boolean {
  let [low, high] = [Infinity, 0];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low > 0 && high > wideSpan * low;
}

function text(value: JsonValue | undefined): string {
  return value === undefined ? '' : valueText(value);
}
