import { printable } from './printable';

/** Columns of text, padded with spaces: numbers to the right, words to the left. */
export interface TextColumn<Row> {
  readonly title: string;
  readonly numeric?: boolean;
  value(row: Row): string;
}

export function textTable<Row>(columns: readonly TextColumn<Row>[], rows: readonly Row[]): string {
  const cells = [columns.map(column => column.title), ...rows.map(row => columns.map(column => printable(column.value(row)).replaceAll('\n', '↵')))];
  const widths = columns.map((_, i) => Math.max(...cells.map(row => width(row[i] ?? ''))));
  return cells.map(row => row.map((cell, i) => {
    const padding = ' '.repeat((widths[i] ?? 0) - width(cell));
    return columns[i]?.numeric ? padding + cell : cell + padding;
  }).join('  ').trimEnd()).join('\n');
}

function width(text: string): number {
  return [...text].length;
}
