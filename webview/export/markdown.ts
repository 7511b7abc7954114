import type { Table } from '../figures/tabulate';
import { formatNumber } from '../numbers';

/** A table as GitHub's Markdown has it, its numbers as people read them. */
export function markdown({ columns, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map(({ title }) => escaped(title))),
    line(columns.map(({ numeric }) => numeric ? '---:' : '---')),
    ...rows.map(row => line(row.map(value => typeof value === 'number' ? formatNumber(value) : escaped(value)))),
  ].join('\n') + '\n';
}

/** Text that stays in its cell, and is not taken for markup. */
function escaped(text: string): string {
  return text.replace(/[\\`*_[\]<>|~]/g, '\\$&').replace(/\s+/g, ' ');
}
